/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of two ways to move the same data is faster? That depends on the machine and on the client, so both are tried: a
 * few milliseconds each, one after the other. Another way is taken only if it is clearly faster twice in a row. The
 * longer it keeps losing, the more seldom it is tried. Only a stretch in which the data never pauses counts: otherwise it
 * is the client that sets the pace.
 *
 * Pure: time is handed in, in nanoseconds.
 */
#ifndef BASE_FASTER_H
#define BASE_FASTER_H

#include <stdbool.h>
#include <stdint.h>

enum faster_way { FASTER_FIRST, FASTER_SECOND };

struct faster {
	enum faster_way best, way;	/* what was faster; what is done now */
	bool measuring;			/* way */
	unsigned wins;			/* that the other way has had in a row */
	uint64_t last;			/* when data was last moved */
	uint64_t rest, until;		/* between two trials; the next one is not before */
	uint64_t asked;			/* when `way` was begun ... */
	uint64_t since;			/* ... and when the first of its data had been moved, or 0 */
	uint64_t moves, bytes;		/* since then */
	uint64_t rate[2];		/* bytes a second */
};

static inline void faster_init(struct faster *f)
{
	*f = (struct faster){ .best = FASTER_FIRST };
}

/* How the next data should be moved. */
static inline enum faster_way faster_now(const struct faster *f)
{
	return f->way;
}

/* BYTES have been moved in this WAY, and arrived at NOW. */
void faster_moved(struct faster *f, enum faster_way way, uint64_t bytes, uint64_t now);

#endif
