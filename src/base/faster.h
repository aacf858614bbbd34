/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of two ways to transfer the same data is faster? That depends on the machine and the client, so both are tried,
 * one after the other, for a few milliseconds each. The other way is taken only if it is clearly faster twice in a row.
 * The longer it keeps losing, the more rarely it is tried. A measurement only counts if the data never pauses:
 * otherwise it is the client that limits the speed.
 *
 * This is pure computation: time is passed in, in nanoseconds.
 */
#ifndef BASE_FASTER_H
#define BASE_FASTER_H

#include <stdbool.h>
#include <stdint.h>

enum faster_way { FASTER_FIRST, FASTER_SECOND };

struct faster {
	enum faster_way best, way;	/* the faster one; the one in use now */
	bool measuring;			/* `way` is being measured */
	unsigned wins;			/* of the other way, in a row */
	uint64_t last;			/* when data was last transferred */
	uint64_t rest, until;		/* between two trials; no trial before */
	uint64_t asked;			/* when `way` was started ... */
	uint64_t since;			/* ... and when the first of its data had been transferred, or 0 */
	uint64_t moves, bytes;		/* since then */
	uint64_t rate[2];		/* bytes per second */
};

static inline void faster_init(struct faster *f)
{
	*f = (struct faster){ .best = FASTER_FIRST };
}

/* How the next data should be transferred. */
static inline enum faster_way faster_now(const struct faster *f)
{
	return f->way;
}

/* BYTES were transferred in this WAY, and arrived at NOW. */
void faster_moved(struct faster *f, enum faster_way way, uint64_t bytes, uint64_t now);

#endif
