/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * May a thread that serves others do something itself that is usually quick? A copy to the page cache is, but now and
 * then the kernel makes the writer wait for the disk. After that, the thread leaves such work to other threads for a
 * hundred times as long, so that it loses no more than a hundredth of its time to waiting, however slow the disk.
 */
#ifndef BASE_SPOT_H
#define BASE_SPOT_H

#include <stdbool.h>
#include <stdint.h>

#define SPOT_SLOW_NS 1000000u	/* longer than any copy takes */
#define SPOT_REST 100u		/* times the duration */

struct spot {
	uint64_t closed_until;	/* nanoseconds of some clock */
};

static inline bool spot_is_open(const struct spot *s, uint64_t now)
{
	return now >= s->closed_until;
}

/* Something was done by this thread, from BEGAN to ENDED. */
static inline void spot_took(struct spot *s, uint64_t began, uint64_t ended)
{
	if (ended - began > SPOT_SLOW_NS)
		s->closed_until = ended + SPOT_REST * (ended - began);
}

#endif
