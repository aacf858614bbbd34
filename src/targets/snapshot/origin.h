/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An origin: a device of which there are snapshots. It is a shared object of that device, for snapshots, snapshot-origin and
 * snapshot-merge. Who writes to it sees here which snapshots need a chunk before it changes.
 *
 * Two epochs say what is under way: `reads` are those of snapshots that were sent to the origin, because there was no exception;
 * a chunk changes only when those that were mapped before the exception was there have ended. `writes` is everything that uses
 * the set of snapshots: when one joins, writes that did not know of it have ended before it is resumed; when one leaves, whoever
 * copies for it has ended before it is freed.
 */
#ifndef TARGETS_SNAPSHOT_ORIGIN_H
#define TARGETS_SNAPSHOT_ORIGIN_H

#include <stdatomic.h>

#include "core/kit/copy.h"
#include "core/kit/epoch.h"
#include "core/kit/reserve.h"
#include "core/kit/shared.h"
#include "core/path/tour.h"
#include "targets/snapshot/cow.h"

/* Snapshots with chunks of the same size are next to each other, in a fixed order: whoever needs several chunks takes them so. */
struct origin_set {
	uint32_t chunk;				/* the smallest, in sectors */
	unsigned n;
	struct origin_member {
		_Atomic(struct cow *) cow;	/* NULL: it has left */
		uint64_t sectors;		/* of the snapshot: what is behind its end is none of its business */
	} at[];
};

struct origin {
	struct dm_shared shared;		/* first */
	struct dm_at at;			/* all of its device */
	_Atomic uint64_t sectors;
	_Atomic(struct origin_set *) set;	/* NULL: there are no snapshots. Replaced, then freed after a tour */
	struct epoch *reads, *writes;
	struct copier *copier;
	struct reserve *reserve;		/* of struct claim (claim.h) */
	struct list lines;			/* of snapshots, in any table; control thread (line.h) */
};

int origin_get(struct origin **out, const struct dm_at *at, struct err *e);
void origin_put(struct origin *o);		/* NULL is harmless */
void origin_look(struct origin *o);		/* its device may have another size by now */

/* A change of the set. In its owner's memory until done(), which comes on the control thread. */
struct origin_change {
	void (*done)(struct origin_change *c);
	struct origin *origin;
	struct origin_set *old;
	struct dm_tour tour;
	struct epoch_wait wait;
};

/* From now on the snapshot of COW, which may be there already, is told of writes. 0 or -ENOMEM. Control thread. */
int origin_join(struct origin *o, struct cow *cow, uint64_t sectors, struct origin_change *c);
/* It is no longer told, if it was. */
void origin_leave(struct origin *o, const struct cow *cow, struct origin_change *c);

/* The Ith store of a snapshot for which writes are copied; NULL: there are no more. Control thread. */
const struct dm_store *origin_store(const struct origin *o, size_t i);

/* How many of COUNT sectors from SECTOR may change at once, because no snapshot needs what is there. On an io thread. */
uint64_t origin_clean(const struct origin *o, uint64_t sector, uint64_t count);

/* In map(): the write R to the sectors of the origin that the line has. */
int origin_write(struct origin *o, struct dm_req *r);
/* For the type's ended(): R is over. */
static inline void origin_written(struct origin *o, const struct dm_req *r, bool mark)
{
	epoch_leave(o->writes, r->io, mark);
}

#endif
