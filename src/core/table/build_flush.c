/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways of a table's flushes: to the lines whose types have flush(), and to the stores of all others. */
#include <stdlib.h>

#include "core/table/build.h"
#include "core/world.h"

static size_t flushers_count(const struct dm_table *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->targets[i].type->flush != NULL;
	return n;
}

static void flushers_fill(struct dm_table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->targets[i].type->flush)
			t->flushers[t->n_flushers++] = (uint32_t)i;
}

/* Several words may mean one store, which the table has once: the stores of plain lines get a new mark. */
static void flushed_fill(struct dm_build *b)
{
	struct dm_table *t = b->table;
	struct hash_link *l, *next;
	uint64_t mark = ++b->world->walks;
	size_t i;

	hash_each(l, next, &b->words) {
		struct dm_build_word *w = container(l, struct dm_build_word, by_word);

		if (w->plain)
			w->store->walk = mark;
	}
	for (i = 0; i < t->n_stores; i++)
		if (t->stores[i]->walk == mark)
			t->flushed[t->n_flushed++] = t->stores[i];
}

bool dm_build_flush(struct dm_build *b)
{
	struct dm_table *t = b->table;
	size_t n = flushers_count(t);

	if (!n) {
		t->flushed = t->stores;
		t->n_flushed = t->n_stores;
		return true;
	}
	t->flushers = malloc(n * sizeof(*t->flushers));
	t->flushed = malloc((t->n_stores + 1) * sizeof(struct dm_store *));
	if (!t->flushers || !t->flushed)
		return false;
	flushers_fill(t);
	flushed_fill(b);
	return true;
}
