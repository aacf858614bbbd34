/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error: every request fails with EIO. With the words <device> <offset> it keeps that device open and has its limits,
 * as Linux does since 6.12, so that it can replace a linear line; `table` does not show them. Any other words, which
 * old tables have, are accepted and ignored, as on Linux and NetBSD.
 */
#include <errno.h>

#include "core/path/fault.h"
#include "core/table/target.h"

static int error_ctr(struct dm_target *t, struct dm_args *a)
{
	if (dm_args_left(a) == 2)
		dm_arg_at(a, t->len);
	return dm_args_rest_ignored(a);
}

/* An extent request moves no data: the answer is "data", and the read that follows gets the error. */
static int error_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	if (r->op == DM_EXTENT)
		return DM_DONE;
	dm_why(r->io, "the table line has type error");
	return -EIO;
}

const struct dm_type dm_error = {
	.name = "error",
	.usage = "[<device> <offset>]",
	.about = "fails every request with an I/O error",
	.version = { 1, 7, 0 },
	.flags = DM_TARGET_WILDCARD,
	.ctr = error_ctr,
	.map = error_map,
};
