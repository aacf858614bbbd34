/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reserve: objects of one size that are allocated when a shared object or a line is built, one for each request that may be
 * held at a time (a cell, a copy, a buffer). Use one so that a request never fails for want of memory, nor allocates any. Do
 * not use one where the request itself has the room (dm_req.own), or where copier and clerk have reserved what they need.
 *
 * A request for which no object is left waits in line, in its order, until one is given back. So whoever holds an object must
 * not wait for a request that is in the line.
 */
#ifndef CORE_RESERVE_H
#define CORE_RESERVE_H

#include <stddef.h>

#include "base/err.h"
#include "core/path/req.h"

struct reserve;

/* On R's io thread: it was in line, and has an OBJECT now, or NULL (reserve_turn_away()). ARG: reserve_new()'s. */
typedef void reserve_got(void *arg, struct dm_req *r, void *object);

/* N objects of SIZE bytes, aligned for anything: 0 or -errno and a sentence. Control thread. */
int reserve_new(struct reserve **out, unsigned n, size_t size, reserve_got *got, void *arg, struct err *e);
void reserve_free(struct reserve *all);		/* all objects are back; NULL is harmless. Control thread */

/*
 * An object for R, which is or will be held, with nothing set; NULL: R is in line, and got() comes later on its io thread.
 * R->own[0] is left alone. Any thread.
 */
void *reserve_take(struct reserve *all, struct dm_req *r);

/*
 * From now on nobody waits: got() comes with NULL for whoever is in line, and for whoever would have to be. For presuspend, as
 * cells_turn_away(). Any thread.
 */
void reserve_turn_away(struct reserve *all);
void reserve_let_wait(struct reserve *all);	/* as before, from now on */

/* Any thread. */
void reserve_give(struct reserve *all, void *object);

#endif
