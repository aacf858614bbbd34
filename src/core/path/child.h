/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that a type creates itself: children of a request that it holds (a write to two legs, a read into a buffer
 * that is then decrypted), and requests that belong to no other (for a superblock, a copy).
 *
 * A held request with children ends when all of them have ended, with the first error that child() lets stand. Take all
 * children that are known before the first is sent, because the last one in flight ends the parent. When one ends,
 * child() may take more, or send it again: it is as it was sent, except for its sector, which must be set again.
 */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include "core/path/io.h"
#include "core/table/target.h"

/*
 * Takes N more children of R, which its line holds: each is like R (operation, flags, sector from the line's start,
 * count, data), to be changed and sent. 0, or -ENOMEM with no effect, which map() may return. On R's io thread.
 */
int dm_children(struct dm_req *r, struct dm_req *c[], unsigned n);

/*
 * Sends R, a child or a request of the type's own, to r->sector of AT, a store or a mapped device. On IO's thread; a
 * child must be sent on its parent's thread. A request of the type's own is zeroed except for op, flags, sector, count,
 * data and done(), which is called on the same thread, perhaps before this returns; it must have ended when postsuspend
 * ends. R->own is not kept: a line below that holds R uses it. What belongs to R stands beside it, or in its parent's own.
 */
void dm_send(struct dm_io *io, const struct dm_at *at, struct dm_req *r);

/*
 * Ends a child that child() has kept (it returned DM_HELD), or that was never sent. On its io thread. With the last child its
 * parent ends, and then the line may be freed at any moment: the caller touches nothing of it any more.
 */
void dm_child_end(struct dm_req *c, int err);

/* Was R, which is at its gate, sent there by another device or a type, and not by a client? */
bool dm_comes_from_above(const struct dm_req *r);

/* For submit.c: C has come back with ERR. */
void dm_child_ended(struct dm_req *c, int err);

#endif
