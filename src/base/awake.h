/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How should a thread wait for the next requests of a client? Asleep: whoever
 * sends wakes it. Asking: it looks again and again, which is quicker for a client
 * that sends one request at a time, unless that client runs on the same
 * processor. Holding: it looks away for a moment while the client is busy with
 * the answers it has; then many requests are there, and they cost as few calls as
 * one. Who can tell which is best? So the ways are tried in turn, and the one that
 * hears more requests is kept; the others get another short try now and then. Who
 * stays awake where others want the processor loses its turn to them later: then
 * asking is not tried for longer. Whoever hears nothing for a while sleeps.
 * Pure: time is handed in, in nanoseconds.
 */
#ifndef BASE_AWAKE_H
#define BASE_AWAKE_H

#include <stdbool.h>
#include <stdint.h>

enum awake_way { AWAKE_ASLEEP, AWAKE_ASKING, AWAKE_HOLDING, AWAKE_WAYS };

struct awake {
	uint64_t most;		/* of asking before each sleep; 0: never */
	bool busy;		/* the last sleep was short */
	bool together;		/* more than one request was there at once, since the best way began */
	enum awake_way way, best, tried;	/* what is done now; what was fastest; what was tried last */
	unsigned unknown;	/* ways to be tried soon, because nothing is known of this client */
	uint64_t since, until;	/* this stretch of one way */
	uint64_t rest;		/* no asking before then */
	uint64_t heard;		/* requests in this stretch */
	uint64_t displaced;	/* times in it */
	unsigned singles;	/* requests in a row that came alone, while holding */
	uint64_t rate[AWAKE_WAYS];	/* of each way, when it was done last: requests a second */
};

void awake_init(struct awake *a, uint64_t most);

static inline enum awake_way awake_now(const struct awake *a)
{
	return a->busy ? a->way : AWAKE_ASLEEP;
}

/* N requests were there at once at NOW. */
void awake_heard(struct awake *a, unsigned n, uint64_t now);
/* While it was asking, someone else was given its processor: the client itself perhaps, or somebody who computes. */
void awake_displaced(struct awake *a, uint64_t now);
/* The thread slept from BEGAN to NOW, and then heard a request or something else. */
void awake_slept(struct awake *a, uint64_t began, uint64_t now);

#endif
