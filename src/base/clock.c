/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's own clock: see clock.h. */
#include "base/clock.h"

#include <time.h>

static uint64_t monotonic_now(struct clock *c)
{
	struct timespec ts;

	(void)c;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct clock clock_monotonic = { .now = monotonic_now };
