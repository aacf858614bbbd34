/* SPDX-License-Identifier: BSD-2-Clause */
/* An exception store, as requests see it: see cow.h. */
#include "targets/snapshot/cow.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/device/event.h"
#include "core/world.h"

#define CELL_BUCKETS 256u

static int cow_begin(struct dm_shared *s, struct err *e)
{
	struct cow *c = (struct cow *)s;

	pthread_mutex_init(&c->lock, NULL);
	c->at = (struct dm_at){ .store = s->store };
	cow_commit_init(c);
	return cells_new(&c->cells, CELL_BUCKETS, e);
}

static void cow_end(struct dm_shared *s)
{
	struct cow *c = (struct cow *)s;

	clerk_free(c->clerk);
	cells_free(c->cells);
	exceptions_free(c->table);
	free(c->block);
	pthread_mutex_destroy(&c->lock);
}

static const struct dm_shared_kind cow_kind = {
	.name = "an exception store", .size = sizeof(struct cow), .begin = cow_begin, .end = cow_end,
};

int cow_get(struct cow **out, const struct dm_at *at, bool persistent, struct err *e)
{
	struct dm_shared *s;
	struct cow *c;
	int err = dm_shared_get(&s, &cow_kind, at->store, e);

	*out = NULL;
	if (err)
		return err;
	c = (struct cow *)s;
	if (persistent && !c->clerk)
		err = clerk_new(&c->clerk, s->world, c, e);
	if (err)
		dm_shared_put(s);
	else
		*out = c;
	return err;
}

void cow_put(struct cow *c)
{
	dm_shared_put((struct dm_shared *)c);
}

void cow_look(struct cow *c)
{
	const struct dm_store *s = c->at.store;
	uint64_t sectors = s->device ? dm_device_sectors(s->device) : s->sectors;

	pthread_mutex_lock(&c->lock);
	c->sectors = sectors;
	pthread_mutex_unlock(&c->lock);
}

/* --- room --------------------------------------------------------------------------------------------------------------- */

/* The last chunk before an area that has no room itself is not used: the list of entries would have no end. */
static bool has_room(const struct cow *c)
{
	uint64_t chunks = c->sectors >> c->shift, need = c->next_free + 1;

	if (c->words.persistent && snap_is_metadata(need, c->per_area))
		need++;
	return need <= chunks;
}

/* What this thread sees of its device: it may have grown meanwhile. */
static uint64_t sectors_now(const struct cow *c, const struct dm_io *io)
{
	const struct dm_store *s = c->at.store;
	const struct dm_table *t = s->device ? s->device->lanes[io->index].table : NULL;

	return t ? t->sectors : 0;
}

bool cow_allocate(struct cow *c, const struct dm_io *io, uint64_t *new_chunk)
{
	uint64_t sectors = sectors_now(c, io);
	bool room;

	pthread_mutex_lock(&c->lock);
	if (sectors > c->sectors)
		c->sectors = sectors;
	room = has_room(c);
	if (room) {
		*new_chunk = c->next_free++;
		c->shown_free = 0;
		if (c->words.persistent && snap_is_metadata(c->next_free, c->per_area))
			c->next_free++;
	}
	pthread_mutex_unlock(&c->lock);
	return room;
}

void cow_usage(struct cow *c, uint64_t *allocated, uint64_t *total, uint64_t *metadata)
{
	pthread_mutex_lock(&c->lock);
	*allocated = (c->shown_free ? c->shown_free : c->next_free) << c->shift;
	*total = c->sectors;
	*metadata = c->words.persistent ? (c->area + 2) << c->shift : 0;
	pthread_mutex_unlock(&c->lock);
}

/* --- what becomes of it ------------------------------------------------------------------------------------------------- */

static void cow_event(struct cow *c)
{
	struct dm_table *t = atomic_load(&c->events);

	if (t)
		dm_event_raise(t);
}

void cow_invalidate(struct cow *c, int err)
{
	if (atomic_exchange(&c->invalid, true))
		return;
	log_warn("the snapshot on '%s' is invalid from now on: %s", c->at.store->name,
		 err == -ENOSPC ? "there is no room for a chunk that its origin changes" : "a chunk could not be read or written");
	cow_event(c);
}

void cow_overflow(struct cow *c)
{
	if (!atomic_exchange(&c->overflowed, true))
		log_warn("the snapshot on '%s' is full: it cannot be written to any more", c->at.store->name);
}

void cow_fail_merge(struct cow *c)
{
	if (!atomic_exchange(&c->merge_failed, true))
		log_warn("merging '%s' into its origin has failed; suspend and resume, or a new activation, tries again", c->at.store->name);
}

/* --- exceptions --------------------------------------------------------------------------------------------------------- */

/* Nothing is to be kept: it is in the table at once, and whoever waits goes on in the same turn of the thread. */
static void make_transient(struct cow *c, struct cow_entry *e)
{
	struct cow_entries made;

	if (cow_is_valid(c) && !exceptions_add(c->table, e->old_chunk, e->new_chunk))
		cow_invalidate(c, -ENOSPC);
	entries_init(&made);
	entries_add(&made, e);
	entries_tell(e->io, &made, cow_is_valid(c) ? 0 : -EIO);
}

void cow_make(struct cow *c, struct cow_entry *e)
{
	if (c->words.persistent)
		cow_commit(c, e);
	else
		make_transient(c, e);
}
