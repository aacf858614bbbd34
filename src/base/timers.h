/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of one loop, on the clock that it was given. Use one for what happens once at a known time: a deadline, a
 * pause, the next commit. Starting one costs the same however many are on and whatever their delays are; stopping or
 * running one costs the logarithm of their number. Do not use one for each of many requests that wait equally long:
 * keep these in a list in order of arrival, with one timer for the first of them (targets/delay.c does).
 *
 * They are a pairing heap whose links are members of the timers, so nothing here allocates or fails.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define TIMERS_SECOND UINT64_C(1000000000)

/* Initialized with timer_init(); run() is called once for each start, on the loop's thread, and may free the timer. */
struct timer {
	uint64_t at;			/* nanoseconds of the clock */
	uint64_t number;		/* of its start: timers of the same time run in this order */
	struct timer **link;		/* the pointer to this timer, or NULL: it is off */
	struct timer *next, *child;	/* siblings; those that run after it */
	void (*run)(struct timer *t);
};

struct timers {
	struct clock *clock;
	struct timer *first;		/* the next one to run, or NULL */
	uint64_t started;		/* how many so far */
};

static inline void timer_init(struct timer *t, void (*run)(struct timer *t))
{
	*t = (struct timer){ .run = run };
}

static inline bool timer_is_on(const struct timer *t)
{
	return t->link;
}

void timer_stop(struct timer *t);		/* harmless if it is off */

void timers_init(struct timers *all, struct clock *clock);
void timers_start(struct timers *all, struct timer *t, uint64_t ns);	/* from now on; again, if it is on */
/* Runs the timers whose time has come. */
void timers_run(struct timers *all);
/* Milliseconds until the next one; MOST (-1: forever) if that is sooner. */
int timers_wait(const struct timers *all, int most);

#endif
