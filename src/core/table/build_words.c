/* SPDX-License-Identifier: BSD-2-Clause */
/* The device words of a table being built, and their stores. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/command/linux.h"
#include "core/device/device.h"
#include "core/table/build.h"
#include "core/table/opening.h"
#include "core/world.h"

/* Passes W's reference to the table. */
static int word_hold(struct dm_build *b, struct dm_build_word *w)
{
	struct dm_table *t = b->table;
	struct dm_store **stores;

	w->held = true;
	if (hash_find(&b->stores, &w->store, sizeof(w->store))) {
		dm_store_put(w->store);		/* the table has it already, by another word */
		return 0;
	}
	if (t->n_stores == b->stores_room) {
		b->stores_room = b->stores_room ? 2 * b->stores_room : 1;
		stores = realloc(t->stores, b->stores_room * sizeof(*stores));
		if (!stores) {
			dm_store_put(w->store);
			w->store = NULL;
			return dm_build_no_memory(b);
		}
		t->stores = stores;
	}
	t->stores[t->n_stores++] = w->store;
	hash_add(&b->stores, &w->by_store, &w->store, sizeof(w->store));
	w->first = true;
	return 0;
}

/* A device must not be mapped onto itself, through any number of devices and either slot of each. */
static int word_check_loop(struct dm_build *b, const struct dm_store *s)
{
	const struct dm_device *d = b->o.device;

	if (!d || !s->device)
		return 0;
	if (s->device == d)
		return err_set(b->err, -EINVAL, "'%s' would be mapped onto itself", d->name);
	if (dm_table_reaches(s->device->active, d) || dm_table_reaches(s->device->inactive, d))
		return err_set(b->err, -EINVAL, "'%s' would be mapped onto itself: '%s' leads back to it", d->name,
			       s->device->name);
	return 0;
}

static struct dm_build_word *word_new(struct dm_build *b, const char *word)
{
	size_t len = strlen(word);
	struct dm_build_word *w = calloc(1, sizeof(*w) + len + 1);

	if (!w) {
		dm_build_no_memory(b);
		return NULL;
	}
	memcpy(w->word, word, len);
	list_init(&w->node);
	list_append(&b->all, &w->all);
	hash_add(&b->words, &w->by_word, w->word, len);
	return w;
}

static struct dm_build_word *word_find(struct dm_build *b, const char *word)
{
	return hash_owner(hash_find(&b->words, word, strlen(word)), struct dm_build_word, by_word);
}

/* Adds a word that is to be opened; W keeps its position among them. */
static struct dm_build_word *word_want(struct dm_build *b, const char *word)
{
	struct dm_build_word *w = word_new(b, word);

	if (w) {
		w->at = b->words.n;
		list_append(&b->wanted, &w->node);
	}
	return w;
}

int dm_build_know(struct dm_build *b, const char *word, struct dm_store *s)
{
	struct dm_build_word *w = word_new(b, word);

	if (!w) {
		b->failed = true;
		return b->err->code;
	}
	dm_store_ref(s);
	w->store = s;
	w->ready = true;
	return 0;
}

/* Also of a table that an earlier daemon has had. */
static bool over_readonly(const struct dm_build *b)
{
	return !b->o.cmd || dm_linux_maps_what_is_readonly(b->o.cmd);
}

struct dm_opening *dm_build_opening(struct dm_build *b, const struct dm_build_word *w)
{
	struct dm_store_spec spec = { .world = b->world, .word = w->word, .cwd = b->o.cwd, .readonly = b->o.readonly,
				      .over_readonly = over_readonly(b), .cmd = b->o.cmd, .caller = b->o.cmd ? b->o.cmd->caller : 0 };
	struct dm_opening *o = dm_opening_new(&spec);

	if (!o)
		return NULL;
	if (b->o.warnings)
		o->wanted = DM_FIND_IMAGE | (b->o.readonly ? 0 : DM_FIND_LABEL);
	return o;
}

void dm_build_opened(struct dm_build_word *w, struct dm_opening *o)
{
	w->ready = true;
	w->store = o->store;
	w->type = o->type;
	w->rest = o->type ? (size_t)(o->rest - o->words) : 0;
	w->place = o->place;
	w->image = o->found.image;
	w->how = o->found.how;
	w->label_err = o->found.label_err;
	w->label = o->found.label;
	if (o->err.code) {
		w->code = o->err.code;
		w->why = strdup(o->err.text);
	}
	o->store = NULL;
	o->place.dev = NULL;
}

/* Its type opens at once, so it is opened when it is needed. */
static int word_open(struct dm_build *b, struct dm_build_word *w)
{
	struct dm_store_spec spec = { .world = b->world, .word = w->word + w->rest, .cwd = b->o.cwd,
				      .readonly = b->o.readonly, .over_readonly = over_readonly(b), .cmd = b->o.cmd, .place = &w->place, .err = b->err };

	struct dm_store *s;
	int r;

	if (w->code)
		return err_set(b->err, w->code, "%s", w->why ? w->why : "no memory");
	if (w->store)
		return 0;
	r = w->type->open(&spec, &s);
	if (!r)
		w->store = s;
	return r;
}

static int word_use(struct dm_build *b, struct dm_build_word *w)
{
	int r = word_open(b, w);

	if (!r)
		r = word_hold(b, w);
	return r ? r : word_check_loop(b, w->store);
}

int dm_build_store(struct dm_build *b, const char *word, struct dm_build_word **out)
{
	struct dm_build_word *w = word_find(b, word);
	int r;

	if (!w && !(w = word_want(b, word)))
		return -ENOMEM;
	*out = w;
	if (b->collecting)
		return 0;
	if (!w->ready) {
		b->wanting = true;
		return err_set(b->err, -EAGAIN, "'%.200s' is not open", word);
	}
	if (!w->held && (r = word_use(b, w)))
		return r;
	if (!w->stacked || (!w->asked && !b->type->hints))
		dm_build_stack(b, w);
	w->stacked = true;
	w->plain |= !b->type->flush;
	w->written |= !b->reads;
	return 0;
}

bool dm_build_forget_word(struct dm_build *b)
{
	struct list *n = list_take(&b->all);
	struct dm_build_word *w;

	if (!n)
		return false;
	w = container(n, struct dm_build_word, all);
	hash_remove(&b->words, &w->by_word);
	if (w->first)
		hash_remove(&b->stores, &w->by_store);
	list_remove(&w->node);
	if (w->store && !w->held)
		dm_store_put(w->store);
	dm_place_free(&w->place);
	free(w->why);
	free(w);
	return true;
}
