/* SPDX-License-Identifier: BSD-2-Clause */
/* See awake.h. */
#include "base/awake.h"

#define AWAKE_TRY UINT64_C(4000000)	/* nanoseconds of the way that was slower */
#define AWAKE_KEEP UINT64_C(100000000)	/* and of the faster one in between */
#define AWAKE_REST UINT64_C(500000000)	/* without a try, where others want the processor */
#define AWAKE_SPARE UINT64_C(10000000)	/* being displaced once in so many nanoseconds is no reason */
#define AWAKE_SHORT 4			/* sleeps of so many times `most` are short */

static void awake_begin(struct awake *a, bool way, uint64_t now)
{
	a->way = way;
	a->since = now;
	a->until = now + (way == a->best ? AWAKE_KEEP : AWAKE_TRY);
	a->heard = 0;
	a->displaced = 0;
}

void awake_init(struct awake *a, uint64_t most)
{
	*a = (struct awake){ .most = most, .best = true };
}

void awake_heard(struct awake *a, uint64_t now)
{
	a->heard++;
	if (now < a->until)
		return;
	a->rate[a->way] = a->heard * UINT64_C(1000000000) / (now - a->since);
	if (a->way == a->best) {
		awake_begin(a, !a->best, now);
	} else {
		a->best = a->rate[true] > a->rate[false];
		awake_begin(a, a->best, now);
	}
}

void awake_displaced(struct awake *a, uint64_t now)
{
	if (++a->displaced * AWAKE_SPARE < now - a->since + 3 * AWAKE_SPARE)
		return;
	a->best = false;
	awake_begin(a, false, now);
	a->until = now + AWAKE_REST;
}

/* What came after a long sleep says nothing about a way: the stretch begins anew. */
void awake_slept(struct awake *a, uint64_t began, uint64_t now)
{
	a->busy = now - began < AWAKE_SHORT * a->most;
	if (!a->busy)
		awake_begin(a, a->way, now);
}
