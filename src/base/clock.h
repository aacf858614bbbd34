/* SPDX-License-Identifier: BSD-2-Clause */
/* A clock as an object, so that a test can set the time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	uint64_t (*now)(struct clock *c);	/* nanoseconds since some fixed time; any thread */
};

extern struct clock clock_monotonic;

static inline uint64_t clock_now(struct clock *c)
{
	return c->now(c);
}

#endif
