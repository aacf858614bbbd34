/* SPDX-License-Identifier: BSD-2-Clause */
/* What a store can do and how it likes to be asked; a device's limits are those of its stores, stacked. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct dm_limits {
	uint32_t logical;	/* bytes: every request is aligned to this; 512 at least, a power of two */
	uint32_t physical;	/* bytes: a write of less is a read-modify-write below */
	uint32_t io_min;	/* bytes: the size that small transfers like: physical at least, or 0, which means that */
	uint32_t io_opt;	/* bytes: the size that large transfers like, 0 unknown */
	uint32_t chunk;		/* sectors: what lies in two of these is cut, 0 never */
	bool discard;		/* DISCARD frees space */
	bool fast_zeroes;	/* ZEROES is cheaper than writing zeros */
	bool fua;		/* WRITE knows FUA; else the core flushes behind it */
	bool rotational;
};

extern const struct dm_limits dm_limits_default;	/* 512/512 and everything possible */

static inline uint32_t dm_limits_io_min(const struct dm_limits *l)
{
	return l->io_min > l->physical ? l->io_min : l->physical;
}

/* Makes TOP fit for something that also goes to BELOW. */
void dm_limits_stack(struct dm_limits *top, const struct dm_limits *below);

#endif
