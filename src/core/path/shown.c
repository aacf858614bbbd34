/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads whose bytes the front takes from the store's file (DM_SHOWN), which it does in done(). A request leaves its lanes before
 * that; if nothing else were in flight, a suspend could be answered, and somebody else write there, while they are being taken.
 */
#include <string.h>

#include "core/path/submit.h"

void dm_done_shown(struct dm_req *r)
{
	struct dm_lane *path[DM_DEPTH];
	unsigned n = r->depth, i;

	memcpy(path, r->path, sizeof(path));
	for (i = 0; i < n; i++)
		path[i]->inflight++;
	r->flags |= DM_SHOWN;
	dm_done(r, 0);
	while (n)
		dm_lane_drop(path[--n]);
}
