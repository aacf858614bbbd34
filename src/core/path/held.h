/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request that map() has answered with DM_HELD: the line has it until it says how it goes on. Use it when the answer needs
 * time (a timer, a computation, another thread's decision), not for what can be said at once. Whoever decides may be on any
 * thread; the request itself is moved, counted and ended on its own io thread only, so that lanes need no lock.
 *
 * While it is held, r->next, r->home and r->own are the line's. A device with a held request does not become suspended: a
 * type that holds for long lets go in presuspend.
 */
#ifndef CORE_HELD_H
#define CORE_HELD_H

#include "core/path/req.h"

/*
 * R goes on as if map() had said VERDICT only now: DM_REMAPPED after dm_remap(), DM_DONE, DM_PUT_BACK or -errno. Any thread;
 * on a thread of the caller's R is gone when this returns.
 */
void dm_go_on(struct dm_req *r, int verdict);

/* The same on R's own io thread, at once. */
void dm_go_on_here(struct dm_req *r, int verdict);

/* The line that holds R. */
static inline const struct dm_target *dm_holder(const struct dm_req *r)
{
	return r->via[r->depth];
}

#endif
