/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits at the gate of a device: requests that arrived while it was not open, and those that were put back. On the
 * lane's io thread.
 */
#include <errno.h>

#include "core/path/child.h"
#include "core/path/fault.h"
#include "core/path/submit.h"

static void lane_park(struct dm_lane *lane, struct dm_req *r)
{
	r->next = NULL;
	*lane->parked_tail = r;
	lane->parked_tail = &r->next;
}

void dm_unpark(struct dm_lane *lane)
{
	struct dm_req *r = lane->parked, *next;

	lane->parked = NULL;
	lane->parked_tail = &lane->parked;
	for (; r; r = next) {
		next = r->next;
		dm_enter(lane, r);
	}
}

/* Does the gate of LANE, which is not open, hold R? */
static bool gate_holds(const struct dm_lane *lane, const struct dm_req *r)
{
	return lane->gate == DM_GATE_SHUT || (lane->gate == DM_GATE_INNER && !dm_comes_from_above(r));
}

#define RETRY_NS 1000000	/* so long a request waits whose type puts it back although its gate is open */

static void put_back_retry(struct timer *t)
{
	struct dm_io *io = container(t, struct dm_io, retry_timer);
	struct dm_req *r = io->retry, *next;

	io->retry = NULL;
	io->retry_tail = &io->retry;
	dm_io_tick(io);
	for (; r; r = next) {
		next = r->next;
		dm_enter(r->path[r->depth], r);
	}
}

/* Not at once: its type may put it back each time, and the thread would do nothing else. */
static void put_back_later(struct dm_req *r)
{
	struct dm_io *io = r->io;

	if (!io->retry) {
		timer_init(&io->retry_timer, put_back_retry);
		loop_timer(io->loop, &io->retry_timer, RETRY_NS);
	}
	r->next = NULL;
	*io->retry_tail = r;
	io->retry_tail = &r->next;
}

/*
 * A piece takes the whole request with it. A flush starts from the beginning: otherwise it would skip what it has passed so
 * far.
 */
void dm_put_back(struct dm_req *r)
{
	struct dm_lane *lane;

	if (r->flags & DM_PART_FAILED)
		dm_fault_drop(r);
	dm_track_end(r, r->depth);
	if (r->op == DM_FLUSH)
		r->walk = 0;
	if (!r->depth) {
		struct dm_req *parent = r->parent;

		dm_io_give(r->io, r);
		dm_piece_done(parent, DM_PUT_BACK);
		return;
	}
	lane = r->path[--r->depth];
	if (gate_holds(lane, r) && !(r->flags & DM_OWN))
		lane_park(lane, r);
	else
		put_back_later(r);
	dm_lane_drop(lane);
}

bool dm_gate_stops(struct dm_lane *lane, struct dm_req *r)
{
	if (lane->gate == DM_GATE_GONE)
		dm_done(r, -ESHUTDOWN);
	else if (gate_holds(lane, r))
		lane_park(lane, r);
	else
		return false;	/* it comes from above */
	return true;
}
