/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Marks of regions (sync_regions.h) on a disk: which regions may differ after a crash. Use them where a region has to be marked
 * durably before it is written to, and its mark may go when it has been at rest: the log of a mirror, the bitmap of a raid.
 *
 * A clerk does the writing, and the format is the owner's. Whoever needs a region marked waits, and all who wait share one write
 * and one flush. Regions are unmarked when nobody has written to them for a while: all legs are flushed (by the first io thread, so
 * that no mark waits for it), then those that are still at rest are unmarked, and nobody waits for that.
 */
#ifndef CORE_MARKS_H
#define CORE_MARKS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/timers.h"
#include "core/kit/clerk.h"
#include "core/kit/sync_regions.h"

struct dm_step;
struct marks;

#define MARKS_PLACES 16u

struct marks_kind {
	/*
	 * The clerk's: changes the mark of REGION in memory; WRITE()s what has changed, and makes it durable if asked to. Marks that go
	 * (UNMARKS) may be lost: a place that cannot take them must not keep a suspend waiting (DM_LAX). 0; or an error that is no failure
	 * of the place (the world ends, it was interrupted): it was not written, and is still changed. Of a place that fails whoever waits finds that out.
	 */
	void (*set)(void *owner, uint64_t region, bool marked);
	int (*write)(void *owner, bool durable, bool unmarks);
	/* May marks go? Not if they could not be written, or if a leg has lost what it had reported as written. */
	bool (*may_unmark)(void *owner);
	/* The legs, at most MARKS_PLACES, and what becomes of one that fails; on the first io thread. */
	unsigned (*legs)(void *owner, const struct dm_at *at[]);
	void (*flush_failed)(void *owner, const struct dm_at *at, int err);
	/* What news of the regions brings about. */
	void (*news)(void *owner, uint64_t region, const struct region_news *news);
};

struct marks {
	const struct marks_kind *kind;
	void *owner;
	struct dm_world *world;
	struct clerk *clerk;
	struct regions *regions;
	uint64_t rest;			/* ns: regions that were not written to for so long, at least, are unmarked */

	pthread_mutex_t lock;		/* guards what follows */
	struct loop_msg *wanted, **last;	/* writes that wait for a mark, by dm_req.home */
	bool posted;			/* the job is under way, and will see them */

	/* The clerk's. */
	struct clerk_job mark, age, unmark, settle;
	bool aging;			/* from regions_age() to regions_unmark() */
	bool age_again;
	struct dm_step *step;		/* waits until all that can be is unmarked */
	struct dm_step *asked;		/* the control thread's: of the job that it has posted */
	struct dm_req flushes[MARKS_PLACES];	/* of the legs ... */
	const struct dm_at *flushed[MARKS_PLACES];
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

/* All in the owner's memory; CLERK is the owner's, too. REST is TIMERS_SECOND, or what the owner changes it to. */
void marks_init(struct marks *m, const struct marks_kind *kind, void *owner, struct dm_world *w, struct clerk *c, struct regions *g);
void marks_free(struct marks *m);	/* the clerk has gone */

/* The line is resumed. Control thread. */
void marks_resume(struct marks *m);
/* No write is under way: unmarks all that can be. Ends S. Control thread. */
void marks_settle(struct marks *m, struct dm_step *s);

/* R waits until its region is marked (region_news.mark). Any thread. */
void marks_mark(struct marks *m, struct dm_req *r);
/* Some regions are marked that need not be for long. Any thread, before the requests or copies that it is about have ended. */
void marks_are_used(struct marks *m);

#endif
