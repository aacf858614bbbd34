/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clerk does the jobs of one shared object one after the other, on a thread of its own that may wait. Use one for what
 * reads like a book only if reads and writes look synchronous: a walk down a B-tree, a commit, a recovery. Do not use one for
 * what every request needs (a mapping that is known never goes to the clerk) nor for computing (base/work.h).
 *
 * A job waits for nothing but the I/O to its own object's metadata, by the functions below. Copies and requests of clients are
 * never waited for: the job ends, and the end of the copy posts the next one. Otherwise an object that stands on another
 * one of the same clerk would wait for itself, and chunks would be handled one at a time.
 *
 * The thread is made with the object: if it cannot be had, the table is refused, and no job fails for want of one later. A
 * job is in its sender's memory; what it has found goes back as a message (loop_post()) or with dm_go_on().
 */
#ifndef CORE_CLERK_H
#define CORE_CLERK_H

#include "core/table/args.h"
#include "core/path/io.h"

struct clerk;

struct clerk_job {
	void (*run)(struct clerk *c, struct clerk_job *j);	/* on the clerk's thread; may free J or post it anew */
	struct clerk_job *next;					/* the clerk's */
};

/* 0 or -errno and a sentence. OWNER is the object, for its jobs. Control thread. */
int clerk_new(struct clerk **out, struct dm_world *w, void *owner, struct err *e);
/* When its last job is over: those that are posted are run before. NULL is harmless. Control thread. */
void clerk_free(struct clerk *c);

static inline void *clerk_owner(const struct clerk *c)
{
	return *(void *const *)c;
}

/* Any thread: J runs after all that was posted before. */
void clerk_post(struct clerk *c, struct clerk_job *j);

/*
 * What requests often wait for may be too slow by way of another thread: it may be done on an io thread instead, with requests of
 * its own, by whoever has the clerk's place. No job runs from then on until clerk_return(), which any thread may call.
 */
bool clerk_borrow(struct clerk *c);		/* any thread: has it the place now? Not if a job runs or waits: then post one, ... */
void clerk_lend(struct clerk *c);		/* ... which passes the place on: its last word */
void clerk_return(struct clerk *c);

/* In a job: COUNT sectors from SECTOR of AT. 0 or -errno. The io threads do it meanwhile. */
int clerk_read(struct clerk *c, const struct dm_at *at, uint64_t sector, uint64_t count, void *data);
/* FLAGS: DM_FUA, DM_LAX, or 0. */
int clerk_write(struct clerk *c, const struct dm_at *at, uint64_t sector, uint64_t count, const void *data, uint32_t flags);
int clerk_flush(struct clerk *c, const struct dm_at *at);

#endif
