/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Should a thread that waits for the next request of a lone client stay awake?
 * To sleep and be woken takes longer than to look again and again, unless the
 * client runs on the same processor, or others want it. Who can tell? So both
 * ways are tried in turn, and the one that hears more requests is kept; the
 * other gets another short try now and then. Who stays awake where others want
 * the processor loses its turn to them later: then it is not tried for longer.
 * Whoever hears nothing for a while sleeps. Pure: time is handed in.
 */
#ifndef BASE_AWAKE_H
#define BASE_AWAKE_H

#include <stdbool.h>
#include <stdint.h>

struct awake {
	uint64_t most;		/* nanoseconds awake before each sleep; 0: none */
	bool busy;		/* the last sleep was short */
	bool way, best;		/* awake (true) or asleep: what is done now, and what was faster */
	uint64_t since, until;	/* this stretch of one way */
	uint64_t heard;		/* requests in it */
	uint64_t displaced;	/* times in it */
	uint64_t rate[2];	/* of each way, when it was done last: requests a second */
};

void awake_init(struct awake *a, uint64_t most);

static inline bool awake_now(const struct awake *a)
{
	return a->busy && a->way;
}

/* A request was heard at NOW. */
void awake_heard(struct awake *a, uint64_t now);
/* While it was awake, someone else was given its processor: the client itself perhaps, or somebody who computes. */
void awake_displaced(struct awake *a, uint64_t now);
/* The thread slept from BEGAN to NOW, and then heard a request or something else. */
void awake_slept(struct awake *a, uint64_t began, uint64_t now);

#endif
