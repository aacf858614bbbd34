/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the store that a word means, and counts its users: see store.h. */
#include "core/table/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/state/record_lost.h"
#include "core/table/closing.h"
#include "core/world.h"

const struct dm_store_type *dm_store_prefix(const struct dm_store_spec *w, const char **rest)
{
	const struct dm_store_type *const *t;
	size_t n;

	for (t = w->world->store_types; *t; t++) {
		n = strlen((*t)->name);
		if (!strncmp(w->word, (*t)->name, n) && (w->word[n] == ':' || (w->word[n] == ',' && strchr(w->word, ':')))) {
			*rest = w->word + n;
			return *t;
		}
	}
	return NULL;
}

static struct list *index_bucket(const struct dm_store_index *x, uint64_t hash)
{
	return &x->buckets[(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (x->room - 1)];
}

/* As many buckets as stores, so that the cost of a lookup does not depend on their number. */
static int index_grow(struct dm_world *w)
{
	struct dm_store_index *x = &w->store_index, more = { .room = x->room ? 2 * x->room : 64 };
	struct list *n, *next;
	size_t i;

	if (x->n < x->room)
		return 0;
	more.buckets = malloc(more.room * sizeof(*more.buckets));
	if (!more.buckets)
		return -ENOMEM;
	for (i = 0; i < more.room; i++)
		list_init(&more.buckets[i]);
	list_each(n, next, &w->stores) {
		struct dm_store *s = container(n, struct dm_store, node);

		list_append(index_bucket(&more, s->hash), &s->hashed);
	}
	free(x->buckets);
	more.n = x->n;
	*x = more;
	return 0;
}

struct dm_store *dm_store_find(struct dm_world *world, uint64_t hash,
			       bool (*same)(const struct dm_store *s, const void *key), const void *key)
{
	struct list *n, *next, *bucket;

	if (!world->store_index.room)
		return NULL;
	bucket = index_bucket(&world->store_index, hash);
	list_each(n, next, bucket) {
		struct dm_store *s = container(n, struct dm_store, hashed);

		if (s->hash == hash && same(s, key))
			return s;
	}
	return NULL;
}

int dm_store_enter(struct dm_world *world, struct dm_store *s, uint64_t hash)
{
	s->walks = index_grow(world) ? NULL : calloc(world->n_io, sizeof(*s->walks));
	if (!s->walks)
		return -ENOMEM;
	s->hash = hash;
	list_append(index_bucket(&world->store_index, hash), &s->hashed);
	world->store_index.n++;
	s->world = world;
	s->refs = 1;
	list_append(&world->stores, &s->node);
	return 0;
}

/* Every table that uses a device counts in its open count, as on Linux, although they share the store. */
void dm_store_ref(struct dm_store *s)
{
	s->refs++;
	if (s->device)
		dm_use(s->device);
}

static void store_close(struct dm_store *s)
{
	struct dm_closing *c = s->type->closing ? s->type->closing(s) : NULL;

	if (c) {
		dm_closing_start(c, s);
		return;
	}
	free(s->name);
	s->type->close(s);
}

void dm_store_put(struct dm_store *s)
{
	if (--s->refs) {
		if (s->device)
			dm_unuse(s->device);
		return;
	}
	dm_store_forget_lost(s);
	list_remove(&s->node);
	list_remove(&s->hashed);
	s->world->store_index.n--;
	free(s->walks);
	store_close(s);
}

/* Copies up to the first character of STOP into OUT (cut to SIZE); returns where it stopped. */
static const char *option_copy(const char *from, const char *stop, char *out, size_t size)
{
	size_t n = strcspn(from, stop), fit = n < size ? n : size - 1;

	memcpy(out, from, fit);
	out[fit] = '\0';
	return from + n;
}

bool dm_store_option(const char **at, char name[32], char value[64])
{
	const char *p = *at;

	value[0] = '\0';
	if (*p != ',') {
		*at = p + (*p == ':');
		return false;
	}
	p = option_copy(p + 1, "=,:", name, 32);
	if (*p == '=')
		p = option_copy(p + 1, ",:", value, 64);
	*at = p;
	return true;
}
