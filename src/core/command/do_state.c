/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands suspend and resume for one device; for several: move_group.c. */
#include <errno.h>

#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/command/linux.h"
#include "core/device/move.h"
#include "core/device/step.h"
#include "core/state/restore.h"

void dm_do_suspend(struct dm_cmd *c, struct dm_device *d)
{
	if (d->state == DM_SUSPENDED)
		dm_finish(c);
	else
		dm_move_suspend(d, c, dm_move_finish);
}

static void resume_misfit(struct dm_cmd *c, struct dm_device *d)
{
	if (!dm_linux_loses_what_does_not_fit(c)) {
		dm_finish(c);
		return;
	}
	dm_table_retire(c->world, d->inactive, NULL, NULL);
	d->inactive = NULL;
	dm_do_suspend(c, d);
}

/* It goes on as it did. */
static void resumed(struct dm_cmd *c, struct dm_device *d)
{
	uint32_t was = d->read_ahead;

	dm_device_set_read_ahead(d, &c->read_ahead);
	if (d->read_ahead != was && dm_record_device(d, c))
		d->read_ahead = was;
	dm_finish(c);
}

/* A table that was lost has been built again: it takes its place. */
static void resume_found(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_table *found = c->table, *lost = d->inactive;

	c->table = NULL;
	if (!lost) {
		dm_move_resume(d, c, found, dm_move_finish);
		return;
	}
	found->device = d;
	d->inactive = found;
	dm_table_retire(c->world, lost, NULL, NULL);
	dm_move_resume(d, c, found, dm_move_finish);
}

static bool is_lost(const struct dm_device *d)
{
	const struct dm_table *next = d->inactive ? d->inactive : d->active;

	return next && next->lost;
}

void dm_do_resume(struct dm_cmd *c, struct dm_device *d)
{
	if (c->table && is_lost(d))
		resume_found(c, d);
	else if (dm_restore_again(c, d))
		return;
	else if (d->state == DM_ACTIVE && !d->inactive)
		resumed(c, d);
	else if (!d->active && !d->inactive)
		dm_fail(c, -EINVAL, "device '%s' has no table to resume with; load one first", d->name);
	else if (d->inactive && dm_table_fits(d->inactive, &c->reply.err))
		resume_misfit(c, d);
	else
		dm_move_resume(d, c, d->inactive, dm_move_finish);
}
