/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sweep goes over the regions of legs that are to be equal (sync_regions.h) in the order of their sectors, and has something done
 * for those that its owner wants, several at a time, each on an io thread: a copy, a comparison. Use one for what is done in the
 * background to a whole line. Do not use one for what a request waits for (that takes a cell or a turn).
 *
 * A hand looks for neighbours that are wanted, at most `kind.most`, and goes over them in runs: it closes the first region to writes,
 * waits until those under way there have ended, closes those after it up to the first one in which somebody writes, has the work
 * done for all of them at once. Then come the others it has found, then it looks again. Not all regions are looked at in one go, so that
 * the thread's requests do not wait. When all were looked at, or the sweep is stopped, the hands rest, and the last one says so.
 */
#ifndef CORE_SWEEP_H
#define CORE_SWEEP_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/kit/sync_regions.h"

struct dm_step;
struct dm_world;
struct sweep;

#define SWEEP_HANDS 4u
#define SWEEP_NONE UINT64_MAX

/* Regions. */
struct sweep_run {
	uint64_t first, n;
};

/* In its owner's memory. */
struct sweep_hand {
	struct sweep *sweep;
	struct dm_io *io;		/* on whose thread all is done */
	struct loop_msg msg;
	_Atomic uint64_t region;	/* the first that it has, or SWEEP_NONE; set before that is told to the regions */
	uint64_t end;			/* sweep.lock: those that it has end there */
	bool busy;			/* sweep.lock */
	uint64_t closed;		/* of these, from the first one on. On its thread, as the next one */
	bool alone;			/* one after the other: sweep_alone() */
};

struct sweep_kind {
	/* Shall REGION be done? Under the sweep's lock, so it calls nothing. */
	bool (*wants)(const struct sweep *s, uint64_t region);
	/* region_copy() or region_take(): the region is closed, or is not wanted after all. */
	bool (*close)(struct regions *g, uint64_t region, bool if_quiet, struct region_news *news);
	/*
	 * H has these regions to itself: later sweep_put(), then region_copied() or region_untouched() for each, then sweep_next(). On H's
	 * thread.
	 */
	void (*work)(struct sweep_hand *h, struct sweep_run run);
	/* The last hand that was busy is not any more. On its thread; it may be again by the time this is heard of. May be NULL. */
	void (*rests)(struct sweep *s);
	uint64_t most;			/* a run has at most so many regions */
};

struct sweep {
	struct sweep_kind kind;		/* may change while no hand is busy, but for rests() */
	void (*rests)(struct sweep *s);
	struct regions *regions;
	void *owner;
	struct sweep_hand *hands[SWEEP_HANDS];
	pthread_mutex_t lock;		/* guards what follows, and sweep_hand.busy */
	uint64_t next;			/* the regions before it have been looked at */
	unsigned busy;
	unsigned resting;		/* so many are in rests() */
	bool stopped;
	struct dm_step *step;		/* waits until none is busy */
};

/* It is stopped. HANDS are SWEEP_HANDS ones, in the memory of OWNER. */
void sweep_init(struct sweep *s, struct dm_world *w, struct regions *g, const struct sweep_kind *kind, void *owner,
		struct sweep_hand *const hands[]);
void sweep_free(struct sweep *s);	/* nothing is done any more */

/* From the first region on. Any thread. */
void sweep_start(struct sweep *s);
/* Unless it is stopped: from REGION on, where something has to be done once more. Any thread. */
void sweep_from(struct sweep *s, uint64_t region);
bool sweep_is_busy(struct sweep *s);
/* STEP (which may be NULL) ends when nothing is done any more. True: that is so already; else rests() is called first. Any thread. */
bool sweep_stop(struct sweep *s, struct dm_step *step);

/* What H is working on. */
struct sweep_run sweep_run(const struct sweep_hand *h);
/*
 * It is done for these regions one by one: which of them failed cannot be told. H keeps the first one; those that are returned are to be
 * opened again, and have their turn later. On its thread.
 */
struct sweep_run sweep_alone(struct sweep_hand *h);
/* The work of H is over: it has these regions no more, and they are to be opened again. On its thread. */
struct sweep_run sweep_put(struct sweep_hand *h);
void sweep_next(struct sweep_hand *h);		/* after that */
/* REGION has no writes any more (region_news.quiet): whoever waits for that does its work. Any thread. */
void sweep_is_quiet(struct sweep *s, uint64_t region);
/* All regions before this one were looked at, and their work is over. */
uint64_t sweep_done(struct sweep *s);

#endif
