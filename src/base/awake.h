/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How should a thread wait for the next request of a lone client? Asleep; awake,
 * because to sleep and be woken takes longer than to look again and again; or
 * asleep on the client's own processor, where one hands over to the other and no
 * processor has to be woken. Which is best, who can tell? So the ways are tried
 * in turn, and the one that hears more requests is kept; each other gets another
 * short try now and then. Who stays awake where others want the processor loses
 * its turn to them later: then it is not tried for longer. Whoever hears nothing
 * for a while sleeps. Pure: time is handed in.
 */
#ifndef BASE_AWAKE_H
#define BASE_AWAKE_H

#include <stdbool.h>
#include <stdint.h>

enum awake_way {
	AWAKE_ASLEEP,
	AWAKE_AWAKE,
	AWAKE_BESIDE,	/* asleep on the client's processor */
	AWAKE_WAYS
};

struct awake {
	uint64_t most;		/* nanoseconds awake before each sleep; 0: none */
	bool busy;		/* the last sleep was short */
	bool alone;		/* where the client runs is not known: there is no beside */
	enum awake_way way, best, tried;	/* what is done now, what was fastest, what else was tried last */
	uint64_t since, until;	/* this stretch of one way */
	uint64_t heard;		/* requests in it */
	uint64_t displaced;	/* times in it */
	uint64_t rate[AWAKE_WAYS];	/* of each way, when it was done last: requests a second */
};

void awake_init(struct awake *a, uint64_t most);

static inline bool awake_now(const struct awake *a)
{
	return a->busy && a->way == AWAKE_AWAKE;
}

static inline bool awake_beside(const struct awake *a)
{
	return a->busy && a->way == AWAKE_BESIDE;
}

/* The client's processor is not known at NOW. */
void awake_no_beside(struct awake *a, uint64_t now);

/* A request was heard at NOW. */
void awake_heard(struct awake *a, uint64_t now);
/* While it was awake, someone else was given its processor: the client itself perhaps, or somebody who computes. */
void awake_displaced(struct awake *a, uint64_t now);
/* The thread slept from BEGAN to NOW, and then heard a request or something else. */
void awake_slept(struct awake *a, uint64_t began, uint64_t now);

#endif
