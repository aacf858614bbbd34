/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zero: reads return zeros; writes succeed, are dropped, and never change the writer's buffer. For the empty part of a
 * sparse disk and for tests.
 */
#include "core/table/target.h"

static int zero_ctr(struct dm_target *t, struct dm_args *a)
{
	(void)t;
	return dm_args_end(a);
}

static int zero_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	if (r->op == DM_READ)
		vec_zero(r->data, r->count << DM_SECTOR_SHIFT);
	else if (r->op == DM_EXTENT)
		r->flags |= DM_HOLE | DM_ZERO;
	return DM_DONE;
}

const struct dm_type dm_zero = {
	.name = "zero",
	.usage = "",
	.about = "reads as zeros and discards writes",
	.version = { 1, 2, 0 },
	.ctr = zero_ctr,
	.map = zero_map,
};
