/* SPDX-License-Identifier: BSD-2-Clause */
/* The command stats: the counters of a device. */
#include <errno.h>
#include <stdlib.h>

#include "core/command/do.h"
#include "core/path/fault.h"

/* The lanes' counters only grow; a reset records their values, so that no race loses anything. */
static bool stats_reset(struct dm_device *d, const struct dm_stats *total)
{
	if (!d->stats_base)
		d->stats_base = calloc(1, sizeof(*d->stats_base));
	if (d->stats_base)
		dm_stats_add(d->stats_base, total, 1);
	return d->stats_base;
}

void dm_do_stats(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_stats *total = arena_alloc(&c->reply.arena, sizeof(*total));

	if (!total) {
		dm_fail(c, -ENOMEM, "no memory for the answer");
		return;
	}
	dm_device_stats(d, total);
	if (d->stats_base)
		dm_stats_add(total, d->stats_base, (uint64_t)-1);
	c->reply.stats = total;
	c->reply.n = 1;
	dm_do_faults(c, d);
	if (c->flags & DM_WITH_RESET)
		dm_faults_forget(d);
	if ((c->flags & DM_WITH_RESET) && !stats_reset(d, total))
		dm_fail(c, -ENOMEM, "no memory for the answer");
	else
		dm_finish(c);
}
