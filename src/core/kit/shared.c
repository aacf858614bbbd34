/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared objects: see shared.h. */
#include "core/kit/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/world.h"

static struct dm_shared_key shared_key(const struct dm_shared_kind *kind, const struct dm_store *store)
{
	struct dm_shared_key key;

	memset(&key, 0, sizeof(key));	/* compared as bytes */
	key.kind = kind;
	key.end = dm_store_end(store);
	return key;
}

struct dm_shared *dm_shared_find(const struct dm_shared_kind *kind, const struct dm_store *store)
{
	struct dm_shared_key key = shared_key(kind, store);

	return hash_owner(hash_find(&store->world->shared, &key, sizeof(key)), struct dm_shared, by_key);
}

static void shared_free(struct dm_shared *s)
{
	struct dm_store *store = s->store;

	s->kind->end(s);
	free(s);
	dm_store_put(store);
}

int dm_shared_get(struct dm_shared **out, const struct dm_shared_kind *kind, struct dm_store *store, struct err *e)
{
	struct dm_shared *s = dm_shared_find(kind, store);
	int r;

	*out = NULL;
	if (s) {
		s->holds++;
		*out = s;
		return 0;
	}
	s = calloc(1, kind->size);
	if (!s)
		return err_set(e, -ENOMEM, "no memory for %s on '%s'", kind->name, store->name);
	s->kind = kind;
	s->world = store->world;
	s->store = store;
	s->holds = 1;
	s->key = shared_key(kind, store);
	dm_store_ref(store);
	r = kind->begin(s, e);
	if (r) {
		shared_free(s);
		return r;
	}
	hash_add(&s->world->shared, &s->by_key, &s->key, sizeof(s->key));
	*out = s;
	return 0;
}

void dm_shared_put(struct dm_shared *s)
{
	if (!s || --s->holds)
		return;
	hash_remove(&s->world->shared, &s->by_key);
	shared_free(s);
}
