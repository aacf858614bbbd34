/* SPDX-License-Identifier: BSD-2-Clause */
/* The request path inside the core: what submit.c, split.c and round.c share. On the request's io thread. */
#ifndef CORE_SUBMIT_H
#define CORE_SUBMIT_H

#include "core/device/device.h"

/* Through LANE and whatever lies below it. */
void dm_enter(struct dm_lane *lane, struct dm_req *r);

/* Asks line T where R goes, whose sector counts from T's start: the lane below, or NULL if it went to a store or is over. */
struct dm_lane *dm_map(struct dm_req *r, const struct dm_target *t);

/* Sends R, whose store is set: the lane of a mapped device, or NULL. */
struct dm_lane *dm_dispatch(struct dm_req *r);

/* The same for a flush, of a type that has flush(). */
struct dm_lane *dm_map_flush(struct dm_req *r, const struct dm_target *t);
struct dm_lane *dm_flush_way(struct dm_req *r, const struct dm_table *table, size_t at);

/* How many ways flush R of TABLE goes. */
static inline size_t dm_flush_ways(const struct dm_req *r, const struct dm_table *table)
{
	return r->flags & DM_PAST ? table->n_stores : table->n_flushers + table->n_flushed;
}

/* Carries out what the line via[depth] has said of R. */
struct dm_lane *dm_obey(struct dm_req *r, int verdict);

/* The gate of LANE is not open. True: R stays there, or is over. */
bool dm_gate_stops(struct dm_lane *lane, struct dm_req *r);

/* R, whose sector is the device's, leaves it uncounted and waits at its gate. */
void dm_put_back(struct dm_req *r);

/*
 * Cuts R, which covers more than one line, chunk, part or store of T, into pieces and starts them. FIRST: sectors of the
 * first piece at most, or 0.
 */
void dm_split(struct dm_req *r, const struct dm_table *t, uint64_t first);

/* R is over: because it has ended, or because all its pieces have. */
void dm_over(struct dm_req *r, int err);

/* A piece of P is over; P too, if it was the last. */
void dm_piece_done(struct dm_req *p, int err);

/* Sends what is parked in LANE on its way again (its gate is open, or gone: then they fail). */
void dm_unpark(struct dm_lane *lane);

/* The last request has left LANE, for which a round waits. */
void dm_lane_drained(struct dm_lane *lane);

/* One has left it. */
static inline void dm_lane_drop(struct dm_lane *lane)
{
	if (--lane->inflight == 0 && lane->draining)
		dm_lane_drained(lane);
}

#endif
