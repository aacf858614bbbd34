/* SPDX-License-Identifier: BSD-2-Clause */
/* See awake.h. */
#include "base/awake.h"

#define AWAKE_TRY UINT64_C(4000000)	/* nanoseconds for which a slower way is tried */
#define AWAKE_KEEP UINT64_C(100000000)	/* and for which the best one is used in between */
#define AWAKE_REST UINT64_C(500000000)	/* without polling, if others want the processor */
#define AWAKE_SPARE UINT64_C(10000000)	/* if preemptions are rarer than that, they do not count */
#define AWAKE_SHORT UINT64_C(200000)	/* a shorter sleep counts as short */
#define AWAKE_SHORT_TOGETHER UINT64_C(1000000)	/* the same, if many requests were done before it */
#define AWAKE_SINGLES 16		/* successive requests that came alone: there is nothing to batch */

static void awake_begin(struct awake *a, enum awake_way way, uint64_t now)
{
	a->way = way;
	a->since = now;
	a->until = now + (way == a->best && !a->unknown ? AWAKE_KEEP : AWAKE_TRY);
	a->heard = 0;
	a->displaced = 0;
	a->singles = 0;
	if (way == a->best)
		a->together = false;
}

void awake_init(struct awake *a, uint64_t most)
{
	*a = (struct awake){ .most = most, .best = most ? AWAKE_ASKING : AWAKE_ASLEEP, .unknown = AWAKE_WAYS - 1 };
}

static bool awake_may(const struct awake *a, enum awake_way way, uint64_t now)
{
	if (way == AWAKE_ASKING)
		return a->most && now >= a->rest;
	return way == AWAKE_ASLEEP || a->together;
}

/* The next way that may be tried, or the best one again. */
static void awake_try(struct awake *a, uint64_t now)
{
	enum awake_way way = a->tried;

	do
		way = (way + 1) % AWAKE_WAYS;
	while (way != a->best && !awake_may(a, way, now));
	a->tried = way;
	awake_begin(a, way, now);
}

/* Batching saves both sides work that the rate does not show: it need not be faster. */
static uint64_t awake_worth(const struct awake *a, enum awake_way way)
{
	return a->rate[way] * (way == AWAKE_HOLDING ? 21 : 20);
}

static void awake_judge(struct awake *a, uint64_t now)
{
	if (awake_worth(a, a->way) > awake_worth(a, a->best))
		a->best = a->way;
	a->unknown -= a->unknown > 0;
	awake_begin(a, a->best, now);
}

/* The client sends one request at a time now. */
static void awake_stop_holding(struct awake *a, uint64_t now)
{
	if (a->best == AWAKE_HOLDING)
		a->best = a->most && now >= a->rest ? AWAKE_ASKING : AWAKE_ASLEEP;
	awake_begin(a, a->best, now);
}

void awake_heard(struct awake *a, unsigned n, uint64_t now)
{
	a->heard += n;
	a->together |= n > 1;
	a->singles = n > 1 ? 0 : a->singles + 1;
	if (a->way == AWAKE_HOLDING && a->singles >= AWAKE_SINGLES) {
		awake_stop_holding(a, now);
		return;
	}
	if (now < a->until)
		return;
	a->rate[a->way] = a->heard * UINT64_C(1000000000) / (now - a->since);
	if (a->way == a->best)
		awake_try(a, now);
	else
		awake_judge(a, now);
}

void awake_displaced(struct awake *a, uint64_t now)
{
	if (++a->displaced * AWAKE_SPARE < now - a->since + 3 * AWAKE_SPARE)
		return;
	a->rest = now + AWAKE_REST;
	a->best = AWAKE_ASLEEP;
	awake_begin(a, AWAKE_ASLEEP, now);
}

/*
 * What came after a long sleep says nothing about a way: the measurement starts again. After a very long one it may be
 * another client, for which any way may be the best.
 */
void awake_slept(struct awake *a, uint64_t began, uint64_t now)
{
	uint64_t slept = now - began;

	a->busy = slept < (a->together ? AWAKE_SHORT_TOGETHER : AWAKE_SHORT);
	if (slept >= AWAKE_KEEP)
		a->unknown = AWAKE_WAYS - 1;
	if (!a->busy)
		awake_begin(a, a->way, now);
}
