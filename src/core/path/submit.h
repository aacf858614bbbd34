/* SPDX-License-Identifier: BSD-2-Clause */
/* The internals of the request path, shared by submit.c, split.c and round.c. On the request's io thread. */
#ifndef CORE_SUBMIT_H
#define CORE_SUBMIT_H

#include "core/device/device.h"

/* Sends R through LANE and what is below it. */
void dm_enter(struct dm_lane *lane, struct dm_req *r);

/*
 * Asks line T where R goes, whose sector is relative to T's start: the lane below, or NULL if it went to a store or has
 * ended.
 */
struct dm_lane *dm_map(struct dm_req *r, const struct dm_target *t);

/* Sends R, whose store is set: the lane of a mapped device, or NULL. */
struct dm_lane *dm_dispatch(struct dm_req *r);

/* The same for a flush, for a type that has flush(). */
struct dm_lane *dm_map_flush(struct dm_req *r, const struct dm_target *t);
struct dm_lane *dm_flush_branch(struct dm_req *r, const struct dm_table *table, size_t at);

/* The number of ways that flush R of TABLE goes. */
static inline size_t dm_flush_branches(const struct dm_req *r, const struct dm_table *table)
{
	return r->flags & DM_BYPASS ? table->n_stores : table->n_flushers + table->n_flushed;
}

/* Does what the line via[depth] has decided for R. */
struct dm_lane *dm_apply_verdict(struct dm_req *r, int verdict);

/* The gate of LANE is not open. True: R waits there, or has ended. */
bool dm_gate_stops(struct dm_lane *lane, struct dm_req *r);

/* R, whose sector is the device's, leaves it without being counted and waits at its gate. */
void dm_put_back(struct dm_req *r);

/*
 * Splits R, which covers more than one line, chunk, part or store of T, into pieces and starts them. FIRST: at most so
 * many sectors for the first piece, or 0.
 */
void dm_split(struct dm_req *r, const struct dm_table *t, uint64_t first);

/* Ends R: it was completed, or all its pieces were. */
void dm_end(struct dm_req *r, int err);

/* The line via[I] of R, if it tracks it (dm_track()), is told that it has ended. */
void dm_track_end(struct dm_req *r, unsigned i);
void dm_track_end_all(struct dm_req *r);

/* A piece of P has ended; P ends as well, if it was the last. */
void dm_piece_done(struct dm_req *p, int err);

/* Sends on what is parked in LANE (its gate is open; or the device is gone, and they fail). */
void dm_unpark(struct dm_lane *lane);

/* The last request has left LANE, and a round waits for that. */
void dm_lane_drained(struct dm_lane *lane);

/* A request has left it. */
static inline void dm_lane_drop(struct dm_lane *lane)
{
	if (--lane->inflight == 0 && lane->draining)
		dm_lane_drained(lane);
}

#endif
