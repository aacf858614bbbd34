/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU work on all cores: a job is started on a loop's thread, runs on some worker, and ends on the loop's thread. Use
 * it for computations that take longer than a trip to another thread (some microseconds): encryption, parity,
 * checksums, compression. Do not use it for anything that waits: a job never sleeps, does no I/O, and takes only locks
 * that are held for a few instructions. I/O belongs to the loop's own thread, and a tree walk that needs many reads to
 * a clerk (core/kit/clerk.h).
 *
 * There are as many workers as processors, and all are started at the beginning, so a job cannot fail for want of a
 * thread. Jobs for which a client waits come before background jobs. What one turn of a loop starts is passed on
 * together at its end, under one lock and with one wake-up.
 */
#ifndef BASE_WORK_H
#define BASE_WORK_H

#include "base/err.h"
#include "base/loop.h"

enum work_class {
	WORK_WAITED,		/* a client waits for it */
	WORK_BACKGROUND,
	WORK_CLASSES
};

/* Must stay valid until done(). */
struct work {
	void (*run)(struct work *w);	/* on a worker */
	void (*done)(struct work *w);	/* on the thread that started it; may free it or start it again */
	struct loop_msg msg;		/* from here on: the workers' */
	struct loop *home;
};

/* Jobs in order of arrival. */
struct work_line {
	struct loop_msg *first, **last;
};

struct workers;

/* N threads. 0, or -errno and a sentence. */
int workers_new(struct workers **out, unsigned n, struct err *e);
void workers_free(struct workers *w);		/* no job may be running; NULL is allowed */

/* How a loop reaches the workers. */
struct work_feed {
	struct workers *workers;
	struct loop *loop;
	struct work_line lines[WORK_CLASSES];	/* of this turn */
	struct loop_work end;
};

void work_feed_init(struct work_feed *f, struct workers *w, struct loop *l);

/* On the thread of F's loop. */
void work_start(struct work_feed *f, struct work *w, enum work_class class);

#endif
