/* SPDX-License-Identifier: BSD-2-Clause */
/* See faster.h. */
#include "base/faster.h"

#define FASTER_TRY UINT64_C(4000000)	/* nanoseconds for which a way is measured at least ... */
#define FASTER_MOVES 16			/* ... and transfers */
#define FASTER_LOST UINT64_C(64000000)	/* a way that could not be measured for so long is not taken now */
#define FASTER_PAUSE UINT64_C(2000000)	/* a longer pause is the client's */
#define FASTER_GONE UINT64_C(500000000)	/* after that it may be another client */
#define FASTER_REST UINT64_C(100000000)	/* between two trials at first ... */
#define FASTER_REST_MOST UINT64_C(3200000000)	/* ... and at most */
#define FASTER_WINS 2

static enum faster_way faster_other(enum faster_way way)
{
	return way == FASTER_FIRST ? FASTER_SECOND : FASTER_FIRST;
}

static void faster_measure(struct faster *f, enum faster_way way, uint64_t now)
{
	f->measuring = true;
	f->way = way;
	f->asked = now;
	f->since = f->moves = f->bytes = 0;
}

static void faster_rest(struct faster *f, uint64_t rest, uint64_t now)
{
	f->measuring = false;
	f->way = f->best;
	f->wins = 0;
	f->rest = rest < FASTER_REST ? FASTER_REST : rest > FASTER_REST_MOST ? FASTER_REST_MOST : rest;
	f->until = now + f->rest;
}

/* A difference of a twentieth may be chance. */
static void faster_judge(struct faster *f, uint64_t now)
{
	enum faster_way other = f->way;

	if (f->rate[other] * 20 <= f->rate[f->best] * 21) {
		faster_rest(f, 2 * f->rest, now);
	} else if (++f->wins < FASTER_WINS) {
		faster_measure(f, f->best, now);
	} else {
		f->best = other;
		faster_rest(f, FASTER_REST, now);
	}
}

static void faster_measured(struct faster *f, uint64_t now)
{
	f->rate[f->way] = f->bytes * UINT64_C(1000000000) / (now - f->since);
	if (f->way == f->best)
		faster_measure(f, faster_other(f->best), now);
	else
		faster_judge(f, now);
}

/* What was transferred before the first one was transferred in the previous way. */
static void faster_count(struct faster *f, uint64_t bytes, uint64_t now)
{
	if (!f->since) {
		f->since = now;
		return;
	}
	f->bytes += bytes;
	if (++f->moves >= FASTER_MOVES && now - f->since >= FASTER_TRY)
		faster_measured(f, now);
}

void faster_moved(struct faster *f, enum faster_way way, uint64_t bytes, uint64_t now)
{
	uint64_t pause = now - f->last;

	f->last = now;
	if (pause > FASTER_GONE) {
		f->rest = 0;
		f->until = now;
	}
	if (f->measuring && pause > FASTER_PAUSE)
		faster_rest(f, f->rest, now);
	else if (f->measuring && now - f->asked > FASTER_LOST)
		faster_rest(f, 2 * f->rest, now);
	if (!f->measuring && now >= f->until)
		faster_measure(f, f->best, now);
	else if (f->measuring && way == f->way)
		faster_count(f, bytes, now);
}
