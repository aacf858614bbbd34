/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that a type makes itself: children of a request that it holds (a write that goes to two legs, a read into a
 * buffer that is decrypted then), and requests of its own that belong to nobody's (a superblock, a copy).
 *
 * A held request with children ends when all of them have, with the first error that child() lets stand. Take all the
 * children that are known before the first is sent, because the last one under way ends the parent; child() of one that
 * ends may take more, or send it again: it is as it was sent, but for its sector, which is to be set anew.
 */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include "core/path/io.h"
#include "core/table/target.h"

/*
 * N more children of R, which its line holds: each like R (operation, flags, sector from the line's start, count, data), to
 * be changed and sent. 0, or -ENOMEM and nothing has changed: map() may return that. On R's io thread.
 */
int dm_children(struct dm_req *r, struct dm_req *c[], unsigned n);

/*
 * Sends R, a child or a request of the type's own, to r->sector of AT, a store or a mapped device. On IO's thread; a child
 * goes where its parent is. A request of one's own is zeroed but for op, flags, sector, count, data, own and done(), which
 * is called on the same thread, perhaps before this returns; it must not be there any more when postsuspend ends.
 */
void dm_send(struct dm_io *io, const struct dm_at *at, struct dm_req *r);

/* A child that child() has kept (it returned DM_HELD), or that was never sent, is over. On its io thread. */
void dm_child_over(struct dm_req *c, int err);

/* R, which is at its gate, is not a client's own: another device, or a type, has sent it there. */
bool dm_comes_from_above(const struct dm_req *r);

/* For submit.c: C has come back with ERR. */
void dm_child_ended(struct dm_req *c, int err);

#endif
