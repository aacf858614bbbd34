/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a mirror on a disk (format.h): what is marked and unmarked there, and when. A clerk does it; whoever needs a
 * region marked waits, and all who wait share one write and one flush. Regions are unmarked when nobody has written to them for
 * a while: all legs are flushed, then the bits are set, and nobody waits for that.
 *
 * When the log fails, it stays so until the line is resumed again; the bits on the disk then say less than is true, so nothing
 * may be written to regions that are not marked (request.c decides what becomes of such writes).
 */
#ifndef TARGETS_MIRROR_DISK_LOG_H
#define TARGETS_MIRROR_DISK_LOG_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/timers.h"
#include "core/kit/clerk.h"
#include "core/path/req.h"
#include "core/table/args.h"
#include "targets/mirror/legs.h"

struct dm_step;
struct mirror;

#define MLOG_REST TIMERS_SECOND		/* regions that were not written to for so long, at least, are unmarked */

struct disk_log {
	struct dm_at at;		/* the device; the log begins at its first sector */
	struct mirror *mirror;
	struct clerk *clerk;
	atomic_bool failed;		/* it cannot be read or written */
	atomic_bool flush_failed;	/* ... or not made durable */

	pthread_mutex_t lock;		/* guards what follows */
	struct loop_msg *wanted, **last;	/* writes that wait for a mark, by dm_req.home */
	bool posted;			/* the job is under way, and will see them */

	/* The clerk's. */
	struct clerk_job mark, age, unmark, begin, settle;
	uint32_t block;			/* bytes: it is written in multiples of them */
	size_t bytes;
	uint8_t *log;			/* what is on the device ... */
	uint8_t *changed;		/* ... but for these blocks */
	bool beginning;			/* its failure is an event when the line is resumed */
	bool aging;			/* from regions_age() to regions_unmark() */
	bool age_again;
	struct dm_step *step;		/* waits until all that can be is unmarked */
	struct dm_step *asked;		/* the control thread's: of the job that it has posted */
	struct dm_req flushes[MIRROR_LEGS];	/* of the legs */
	struct loop_msg flush_msg;
	unsigned flushing;		/* io thread */
	int flush_err;

	/* When the next time is. */
	atomic_bool armed;		/* the message is on its way, the timer is on, or the job was posted */
	atomic_bool runs;		/* not suspended */
	struct loop_msg arm;
	struct timer timer;
	struct loop_msg settled;	/* control thread: the step may end */
};

/* Of LOG on AT for M, with BLOCK bytes at a time. 0 or -errno and a sentence. Control thread. */
int disk_log_new(struct disk_log *log, struct mirror *m, const struct dm_at *at, struct err *e);
void disk_log_free(struct disk_log *log);

/* Reads it, tells the regions of M what it says, and writes it; ends S. What fails is only told (failed). Control thread. */
void disk_log_begin(struct disk_log *log, struct dm_step *s);
void disk_log_resume(struct disk_log *log);
/* No write is under way: unmarks all that can be. Ends S. */
void disk_log_settle(struct disk_log *log, struct dm_step *s);

/* R waits until its region is marked. Any thread. */
void disk_log_mark(struct disk_log *log, struct dm_req *r);
/* Some regions are marked that need not be for long. Any thread, before the requests or copies that it is about have ended. */
void disk_log_is_used(struct disk_log *log);

#endif
