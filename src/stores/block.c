/* SPDX-License-Identifier: BSD-2-Clause */
/* Block sizes as options: see block.h. */
#include "stores/block.h"

#include <errno.h>

#include "base/words.h"

#define BLOCK_MIN 512u
#define BLOCK_MAX 65536u

int block_parse(const char *name, const char *value, uint32_t *out, struct err *e)
{
	uint64_t n;

	if (words_bytes(value, &n) || n < BLOCK_MIN || n > BLOCK_MAX || (n & (n - 1)))
		return err_set(e, -EINVAL, "%s='%s': must be a power of two from %u to %u bytes", name, value, BLOCK_MIN,
			       BLOCK_MAX);
	*out = (uint32_t)n;
	return 0;
}

int block_play(struct dm_limits *l, uint32_t logical, uint32_t physical, struct err *e)
{
	if (logical && logical < l->logical)
		return err_set(e, -EINVAL, "logical=%u: must be at least the device's block size of %u bytes",
			       logical, l->logical);
	if (logical)
		l->logical = logical;
	if (physical && physical < l->logical)
		return err_set(e, -EINVAL, "physical=%u is less than the logical block of %u bytes", physical, l->logical);
	if (physical)
		l->physical = physical;
	else if (l->physical < l->logical)
		l->physical = l->logical;
	return 0;
}
