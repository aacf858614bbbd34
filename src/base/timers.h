/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of one loop, on the clock that it was given. Use one for what happens once at a time that is known: a deadline, a
 * pause, the next commit. Starting one costs the same however many are on and whatever their delays are; stopping one and
 * running one, the logarithm of their number. Do not use one for each of many requests that wait equally long: keep these in
 * a list in the order in which they came, with one timer for the first of them (targets/delay.c does).
 *
 * Inside they are a pairing heap whose links are in the timers, so nothing here allocates or fails.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define TIMERS_SECOND UINT64_C(1000000000)

/* Set up with timer_init(); run() comes once for each start, on the loop's thread, and may free the timer. */
struct timer {
	uint64_t at;			/* nanoseconds of the clock */
	uint64_t number;		/* of its start: those of one time run in that order */
	struct timer **link;		/* the pointer that leads here, or NULL: it is off */
	struct timer *next, *child;	/* siblings; those that run after it */
	void (*run)(struct timer *t);
};

struct timers {
	struct clock *clock;
	struct timer *first;		/* the next to run out, or NULL */
	uint64_t started;		/* so far */
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
/* Runs what has run out. */
void timers_run(struct timers *all);
/* Milliseconds until the next one runs out, MOST (-1: forever) if that is sooner. */
int timers_wait(const struct timers *all, int most);

#endif
