/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How should a thread wait for a client's next requests? Asleep: the sender wakes it. Asking: it polls, which is
 * quicker for a client that sends one request at a time, unless that client runs on the same processor. Holding: it
 * pauses for a moment while the client is busy with the answers it has got; then there are many requests, which cost as
 * few calls as one.
 *
 * Which is best cannot be known in advance. So they are tried in turn, and the one with the highest request rate is
 * kept; the others are tried again briefly from time to time. A thread that stays awake while others want the processor
 * is preempted by them later: then polling is not tried for longer. A thread without requests for a while sleeps. This
 * is pure computation: time is passed in, in nanoseconds.
 */
#ifndef BASE_AWAKE_H
#define BASE_AWAKE_H

#include <stdbool.h>
#include <stdint.h>

enum awake_way { AWAKE_ASLEEP, AWAKE_ASKING, AWAKE_HOLDING, AWAKE_WAYS };

struct awake {
	uint64_t most;		/* of polling before each sleep; 0: never */
	bool busy;		/* the last sleep was short */
	bool together;		/* more than one request was there at once, since the best way began */
	enum awake_way way, best, tried;	/* in use now; the fastest; the last one that was tried */
	unsigned unknown;	/* ways to be tried soon, because this client is not known yet */
	uint64_t since, until;	/* of this measurement of one way */
	uint64_t rest;		/* no polling before then */
	uint64_t heard;		/* requests in this measurement */
	uint64_t displaced;	/* how often it was preempted in it */
	unsigned singles;	/* successive requests that came alone, while holding */
	uint64_t rate[AWAKE_WAYS];	/* of each way, when it was last used: requests per second */
};

void awake_init(struct awake *a, uint64_t most);

static inline enum awake_way awake_now(const struct awake *a)
{
	return a->busy ? a->way : AWAKE_ASLEEP;
}

/* N requests arrived together at NOW. */
void awake_heard(struct awake *a, unsigned n, uint64_t now);
/* While it was polling, the thread was preempted, by the client itself or by another program. */
void awake_displaced(struct awake *a, uint64_t now);
/* The thread slept from BEGAN to NOW, when a request or something else arrived. */
void awake_slept(struct awake *a, uint64_t began, uint64_t now);

#endif
