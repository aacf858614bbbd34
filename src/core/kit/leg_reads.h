/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads under way at each leg of a mirror or an array, so that the next one goes where there are the fewest. */
#ifndef CORE_LEG_READS_H
#define CORE_LEG_READS_H

#include <stdint.h>

struct dm_world;

#define LEG_READS_MOST 16u	/* legs: one cache line */

/* On one io thread, which alone touches it. */
struct leg_reads {
	_Alignas(64) uint32_t of[LEG_READS_MOST];
};

/* One for each io thread of W, by its index, to be freed; NULL: no memory. */
struct leg_reads *leg_reads_new(const struct dm_world *w);

#endif
