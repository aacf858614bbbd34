/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request that map() has answered with DM_HELD: the line has it until it says how to continue. Use it when the answer
 * takes time (a timer, a computation, another thread's decision), not if it is known at once. The decision may be made
 * on any thread; the request itself is moved, counted and ended only on its own io thread, so that lanes need no lock.
 *
 * While it is held, r->next, r->home and r->own belong to the line. A device with a held request does not become
 * suspended: a type that holds requests for long must let them go in presuspend.
 */
#ifndef CORE_HELD_H
#define CORE_HELD_H

#include "core/path/req.h"

/*
 * R continues as if map() had returned VERDICT only now: DM_REMAPPED after dm_remap(), DM_DONE, DM_PUT_BACK or -errno.
 * On any thread; the caller must not touch R afterwards.
 */
void dm_go_on(struct dm_req *r, int verdict);

/* The same on R's own io thread, immediately. */
void dm_go_on_here(struct dm_req *r, int verdict);

/* The line that holds R. */
static inline const struct dm_target *dm_holder(const struct dm_req *r)
{
	return r->via[r->depth];
}

#endif
