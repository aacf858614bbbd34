/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A claim: exceptions are made of the chunk at one sector of an origin, for those snapshots that need it. A write to the origin
 * claims it for all of them, a write to a snapshot for that one, a merge for all others.
 *
 *   search   those that need the chunk, and have chunks of the same size: up to eight at a time
 *   lock     a cell of each of them, in the order of the set; then look again who needs it
 *   copy     the chunk is read once, and written to each (or the request itself writes all of it: fill)
 *   make     each store makes its exception, durably (cow_make())
 *   settle   reads of snapshots that went to the origin have ended; until then no other write takes the chunk for done
 *   unlock   and search again, until nobody needs anything
 *
 * A claim is made on one io thread. What it needs is reserved with the origin; requests for which none is left wait in line.
 */
#ifndef TARGETS_SNAPSHOT_CLAIM_H
#define TARGETS_SNAPSHOT_CLAIM_H

#include "core/path/held.h"
#include "targets/snapshot/origin.h"

#define CLAIM_PARTS COPY_PLACES

struct claim;

/* What a kind of request does with its claim. */
struct claim_use {
	void (*got)(struct claim *c);		/* R has it: sets what follows, and calls claim_start() */
};

struct claim {
	struct origin *origin;
	struct dm_io *io;
	struct dm_req *req;			/* that waits for it, or NULL */
	/* Set by its user. */
	uint64_t sector;
	struct cow *only;			/* NULL: all snapshots of the set */
	void (*fill)(struct claim *c);		/* instead of a copy: writes the chunk, then claim_filled(); or NULL */
	/*
	 * On the claim's thread: exceptions are made, or not: 0 or -errno. With ONLY, they need not be settled yet, and the claim
	 * goes by itself. Without, it is the user's again.
	 */
	void (*done)(struct claim *c, int err);
	/* The claim's. */
	bool mark;				/* of the epoch of writes */
	bool over;				/* done() was called */
	uint32_t past_chunk;			/* those that come up to this one in the set need nothing any more */
	const struct cow *past;
	unsigned n, held, left;
	int err;
	struct claim_part {
		struct cell cell;
		struct cow *cow;
		struct cow_entry entry;
		struct dm_at to;
		struct claim *claim;
		bool needs, room;		/* it has no exception; and a place for it */
	} part[CLAIM_PARTS];
	struct copy copy;
	struct epoch_wait wait;
};

/* In map(): R waits for a claim. Returns DM_HELD. */
int claim_take(struct origin *o, struct dm_req *r, const struct claim_use *use);
void claim_got(void *o, struct dm_req *r, void *claim);		/* for the reserve */

/* A claim in memory of the caller's: origin and io are set. */
void claim_begin(struct claim *c);
void claim_start(struct claim *c);
void claim_filled(struct claim *c, int err);

/* One that claim_take() gave goes back to the reserve; LEAVE: and out of the epoch of writes. */
void claim_over(struct claim *c, bool leave);

/* Of the first part: the chunk of the store that was allocated. */
static inline uint64_t claim_place(const struct claim *c)
{
	return c->part[0].entry.new_chunk;
}

#endif
