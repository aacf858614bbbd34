/* SPDX-License-Identifier: BSD-2-Clause */
/* Time as something that is handed in, so that a test can be the one who turns it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	uint64_t (*now)(struct clock *c);	/* nanoseconds since some fixed moment; any thread */
};

extern struct clock clock_monotonic;

static inline uint64_t clock_now(struct clock *c)
{
	return c->now(c);
}

#endif
