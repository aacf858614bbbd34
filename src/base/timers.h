/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of one loop, on the clock that it was given: a list by the time at which they run out. Most are started with
 * the same time to go, and then starting and stopping one costs nothing that grows.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

#define TIMERS_SECOND UINT64_C(1000000000)

/* Set up with timer_init(); run() comes once for each start, on the loop's thread, and may free the timer. */
struct timer {
	struct list node;
	uint64_t at;		/* nanoseconds of the clock */
	void (*run)(struct timer *t);
};

struct timers {
	struct clock *clock;
	struct list list;	/* timer.node, the next one first */
};

static inline void timer_init(struct timer *t, void (*run)(struct timer *t))
{
	list_init(&t->node);
	t->run = run;
}

static inline bool timer_is_on(const struct timer *t)
{
	return !list_empty(&t->node);
}

static inline void timer_stop(struct timer *t)
{
	list_remove(&t->node);
}

void timers_init(struct timers *all, struct clock *clock);
void timers_start(struct timers *all, struct timer *t, uint64_t ns);	/* from now on; anew, if it is on */
/* Runs what has run out. */
void timers_run(struct timers *all);
/* Milliseconds until the next one runs out, MOST (-1: for ever) if that is sooner. */
int timers_wait(const struct timers *all, int most);

#endif
