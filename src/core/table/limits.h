/* SPDX-License-Identifier: BSD-2-Clause */
/* What a store can do, and which request sizes it prefers; a device's limits are those of its stores, stacked. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct dm_limits {
	uint32_t logical;	/* bytes: every request is aligned to this; at least 512, a power of two */
	uint32_t physical;	/* bytes: a smaller write is a read-modify-write below */
	uint32_t io_min;	/* bytes: preferred size of small transfers; at least `physical`, or 0, which means that */
	uint32_t io_opt;	/* bytes: preferred size of large transfers, 0: unknown */
	uint32_t chunk;		/* sectors: requests are cut at multiples of this, 0: never */
	uint32_t tags;		/* bytes that go with each logical block (DM_TAGS, req.h); 0: none */
	bool discard;		/* DISCARD frees space */
	bool fast_zeroes;	/* ZEROES is cheaper than writing zeros */
	bool fua;		/* WRITE supports FUA; else the core sends a flush after it */
	bool rotational;
};

extern const struct dm_limits dm_limits_default;	/* 512/512 and everything supported */

static inline uint32_t dm_limits_io_min(const struct dm_limits *l)
{
	return l->io_min > l->physical ? l->io_min : l->physical;
}

/* Adapts TOP to something that also sends requests to BELOW. */
void dm_limits_stack(struct dm_limits *top, const struct dm_limits *below);

#endif
