/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An io thread: its loop, its file engine, its free requests. A connection belongs to one io thread, and its requests
 * stay on it from beginning to end.
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
struct dm_fault_deferred;

struct dm_io {
	struct dm_world *world;
	unsigned index;
	struct loop *loop;
	struct aio *aio;
	uint64_t now;		/* clock, refreshed with dm_io_tick(): once per batch, not once per request */
	uint64_t ticked;	/* the turn of the loop in which dm_io_turn() last did that */
	struct dm_req *free;	/* for pieces */
	unsigned n_free, n_promised;	/* of these; and how many of them are for children to come (spare.h) */
	struct dm_req_slab *slabs;	/* the memory of these */
	struct dm_req *retry, **retry_tail;	/* by dm_req.next: put back to gates that are open (gate.c), and ... */
	struct timer retry_timer;	/* ... sent again then */
	struct dm_fault_deferred *deferred_faults;	/* of requests that have not ended yet (fault.h) */
	uint64_t walks;			/* flushes so far that had more than one way to go */
	char why[160];		/* the reason for the failure of the request that is about to end (fault.h) */
	struct work_feed feed;		/* to the world's workers, if there are any (compute.h) */
	pthread_t thread;
	bool started;
};

int dm_io_start(struct dm_io *io, struct dm_world *w, unsigned index, const struct dm_world_opts *o,
		struct err *e);
void dm_io_stop(struct dm_io *io);

/* To be called when a batch arrives, and after anything that takes time: latencies are measured with it. */
void dm_io_tick(struct dm_io *io);
void dm_io_turn(struct dm_io *io);	/* the same at most once per turn of its loop */

/* A request from the thread's free list, or NULL if there is no memory; it is not zeroed. */
struct dm_req *dm_io_take(struct dm_io *io);
void dm_io_give(struct dm_io *io, struct dm_req *r);
/* Are there N, or can there be, that are promised to nobody? */
bool dm_io_stock(struct dm_io *io, unsigned n);

/*
 * Sends R to DEVICE, which the caller keeps open; on IO's own thread. R->done() is called on the same thread, perhaps
 * before dm_submit() returns. While the device is suspended, the request waits.
 */
void dm_submit(struct dm_io *io, struct dm_device *d, struct dm_req *r);

/*
 * A front that has a batch tells which sector it will submit next, so that the line is in the CPU's cache by then. Only
 * a hint; any sector is allowed.
 */
void dm_expect(struct dm_io *io, struct dm_device *d, uint64_t sector);

/* For stores: ends R with 0 or -errno. On the thread on which it was submitted. */
void dm_done(struct dm_req *r, int err);
/* The same for a read with DM_MAY_SHOW whose bytes are where R->aio says: DM_SHOWN. It is in flight until done() returns. */
void dm_done_shown(struct dm_req *r);

#endif
