/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closes stores where that may block: a file server may be dead, and a block device may have pages to write. A helper thread
 * (base/blocking.h) does it, while the control thread continues. Two wait for it, for as long as an opening may take
 * (dm_world.open_timeout): the command by which the last table went that used the store, so that its caller finds the file free;
 * and whoever opens the same file again, because a block device cannot be claimed twice.
 *
 * For stores whose closing never blocks, there is dm_store_type.close() alone. All functions belong to the control thread.
 */
#ifndef CORE_CLOSING_H
#define CORE_CLOSING_H

#include "base/blocking.h"
#include "core/table/store.h"

struct dm_opening;

/* In the store's own struct, zero until then. */
struct dm_closing {
	struct dm_store *store;
	uint64_t number;		/* the world's Nth */
	struct blocking_call call;
	struct timer bound;
	struct list node;		/* in the world's closings: under way, and waited for */
	struct list openings;		/* dm_opening.joins: they wait for it */
};

/* Nobody uses S any more, and it is in no list: shut() on a helper thread, then close(). */
void dm_closing_start(struct dm_closing *c, struct dm_store *s);

/* Is a place being closed of which SAME says that it is that of KEY? O waits for it, then calls o->then. */
bool dm_closing_delays(struct dm_opening *o, bool (*same)(const struct dm_store *s, const void *key), const void *key);

/* Waits for the closings that began between two moments: a command does. */
struct dm_closing_wait {
	uint64_t from, to;		/* dm_world.n_closings of these moments */
	void (*late)(struct dm_closing_wait *w, const struct dm_store *s);	/* it has taken too long: no longer waited for */
	void (*over)(struct dm_closing_wait *w);	/* there are none left */
	struct list node;
};
/* False: there are none, and over() is not called. */
bool dm_closing_wait(struct dm_world *world, struct dm_closing_wait *w);
void dm_closing_wait_stop(struct dm_closing_wait *w);

/* The world ends: turns the loop until all is closed, but not for long. */
void dm_closings_end(struct dm_world *w);

#endif
