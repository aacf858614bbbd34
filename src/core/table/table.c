/* SPDX-License-Identifier: BSD-2-Clause */
/* Queries on a finished table: see table.h; build.c creates it. */
#include "core/table/table.h"

#include <errno.h>
#include <stdlib.h>

#include "core/path/spare.h"
#include "core/state/lost.h"
#include "core/world.h"

void dm_table_free(struct dm_table *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->n; i++)
		if (t->targets[i].type->dtr)
			t->targets[i].type->dtr(&t->targets[i]);
	for (i = 0; i < t->n_uses; i++)
		list_remove(&t->uses[i].node);
	for (i = 0; i < t->n_stores; i++)
		dm_store_put(t->stores[i]);
	if (t->flushed != t->stores)
		free(t->flushed);
	free(t->flushers);
	dm_spares_free(t->spares);
	free(t->stores);
	dm_index_free(&t->index);
	dm_lost_free(t->lost);
	free(t->targets);
	arena_free(&t->arena);
	free(t);
}

bool dm_table_uses(const struct dm_table *t, const struct dm_device *device, bool reads)
{
	size_t i;

	for (i = 0; t && i < t->n_uses; i++)
		if (t->uses[i].store->device == device && t->uses[i].reads == reads)
			return true;
	return false;
}

int dm_table_fits(const struct dm_table *t, struct err *e)
{
	size_t i;

	for (i = 0; i < t->n_reaches; i++) {
		const struct dm_store *s = t->reaches[i].store;
		uint64_t sectors = s->device ? dm_device_sectors(s->device) : s->sectors;

		if (sectors < t->reaches[i].end && (sectors || !s->device))
			return err_set(e, -EINVAL, "the table uses %llu sectors of '%.200s', which has %llu",
				       (unsigned long long)t->reaches[i].end, s->name, (unsigned long long)sectors);
	}
	return 0;
}

/* The devices of T that WALK has not visited yet are to be. True: DEVICE is one of them. */
static bool visit_below(const struct dm_table *t, const struct dm_device *device, uint64_t walk, struct dm_device **to_visit)
{
	size_t i;

	for (i = 0; t && i < t->n_stores; i++) {
		struct dm_device *below = t->stores[i]->device;

		if (!below || !dm_device_first_visit(below, walk))
			continue;
		if (below == device)
			return true;
		below->walk_next = *to_visit;
		*to_visit = below;
	}
	return false;
}

bool dm_table_reaches(const struct dm_table *t, const struct dm_device *device)
{
	uint64_t walk = ++device->world->walks;
	struct dm_device *to_visit = NULL, *d;
	bool found = visit_below(t, device, walk, &to_visit);

	while (!found && (d = to_visit)) {
		to_visit = d->walk_next;
		found = visit_below(d->active, device, walk, &to_visit) || visit_below(d->inactive, device, walk, &to_visit);
	}
	return found;
}

void dm_text_store(struct text *out, const struct dm_store *s)
{
	if (s->type->word)
		s->type->word(s, out);
	else if (s->major || s->minor)
		text_printf(out, "%u:%u", s->major, s->minor);
	else
		text_add_word(out, s->name);
}

void dm_text_at(struct text *out, const struct dm_at *at)
{
	dm_text_store(out, at->store);
	text_add(out, " ");
	text_add_u64(out, at->offset);
}
