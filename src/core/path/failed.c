/* SPDX-License-Identifier: BSD-2-Clause */
/* Failed requests and the lines through which they went: see failed.h. */
#include "core/path/failed.h"

#include "core/device/event.h"

static void failed_ask(const struct dm_req *r, unsigned i)
{
	const struct dm_target *t = r->via[i];

	if (!t || !t->type->failed)
		return;
	if (t->type->failed(t, i < r->depth ? r->path[i]->device : dm_store_end(r->store)))
		dm_event_raise(t->table);
}

/*
 * Only a failure of what lies below counts: not that of an extent request, not an unsupported operation, not a request
 * that we ended ourselves. Linux does not tell its lines about flushes, nor about read-ahead.
 */
static bool failed_counts(const struct dm_req *r, int err)
{
	return err != -EOPNOTSUPP && !dm_is_interrupted(err) && r->asked != DM_EXTENT && r->asked != DM_FLUSH && !(r->flags & DM_AHEAD);
}

void dm_failed(struct dm_req *r, int err)
{
	unsigned i;

	if (failed_counts(r, err))
		for (i = r->parent ? 0 : 1; i <= r->depth; i++)
			failed_ask(r, i);
}
