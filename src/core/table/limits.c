/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacking of limits: the larger block, and only what everything below supports. See limits.h. */
#include "core/table/limits.h"

const struct dm_limits dm_limits_default = {
	.logical = 512, .physical = 512, .discard = true, .fast_zeroes = true, .fua = true,
};

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t divisor_u32(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* A size that is good for both. */
static uint32_t multiple_u32(uint32_t a, uint32_t b)
{
	uint64_t both;

	if (!a || !b)
		return a | b;
	both = (uint64_t)a / divisor_u32(a, b) * b;
	return both <= UINT32_MAX ? (uint32_t)both : max_u32(a, b);
}

void dm_limits_stack(struct dm_limits *top, const struct dm_limits *below)
{
	top->logical = max_u32(top->logical, below->logical);
	top->physical = max_u32(top->physical, below->physical);
	top->io_min = max_u32(top->io_min, below->io_min);
	top->io_opt = multiple_u32(top->io_opt, below->io_opt);
	top->chunk = divisor_u32(top->chunk, below->chunk);
	top->discard &= below->discard;
	top->fast_zeroes &= below->fast_zeroes;
	top->fua &= below->fua;
	top->rotational |= below->rotational;
}
