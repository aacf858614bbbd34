/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An io thread: its loop, its file engine, its free requests. A connection
 * belongs to one io thread, and its requests are born and die there.
 */
#ifndef CORE_IO_H
#define CORE_IO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/aio.h"
#include "base/loop.h"
#include "base/work.h"
#include "core/path/req.h"

struct dm_world;
struct dm_world_opts;
struct dm_device;

struct dm_io {
	struct dm_world *world;
	unsigned index;
	struct loop *loop;
	struct aio *aio;
	uint64_t now;		/* clock, refreshed with dm_io_tick(): once a batch, not once a request */
	uint64_t ticked;	/* the turn of the loop in which dm_io_turn() did that */
	struct dm_req *free;	/* pieces */
	struct dm_req_slab *slabs;	/* where they came from */
	uint64_t walks;			/* flushes that had more than one way to go, so far */
	char why[160];		/* what was wrong with the request that is about to end (fault.h) */
	struct work_feed feed;		/* to the world's workers, if there are any (compute.h) */
	pthread_t thread;
	bool started;
};

int dm_io_start(struct dm_io *io, struct dm_world *w, unsigned index, const struct dm_world_opts *o,
		struct err *e);
void dm_io_stop(struct dm_io *io);

/* Call it when a batch arrives and after work that took time: latencies are measured with it. */
void dm_io_tick(struct dm_io *io);
void dm_io_turn(struct dm_io *io);	/* once a turn of its loop is enough here */

/* A request from the thread's free list, or NULL when memory ran out; its fields are not cleared. */
struct dm_req *dm_io_take(struct dm_io *io);
void dm_io_give(struct dm_io *io, struct dm_req *r);

/*
 * Sends R to DEVICE, which the caller holds open; on IO's own thread. R->done comes on the same thread, perhaps
 * before dm_submit() returns. While the device is suspended the request waits.
 */
void dm_submit(struct dm_io *io, struct dm_device *d, struct dm_req *r);

/*
 * A front that holds a batch says which sector it will submit next, so that its line in a large table is in the cache
 * by then. Any sector is fine; only a hint.
 */
void dm_expect(struct dm_io *io, struct dm_device *d, uint64_t sector);

/* For stores: R is over, 0 or -errno. On the thread it was submitted on. */
void dm_done(struct dm_req *r, int err);

#endif
