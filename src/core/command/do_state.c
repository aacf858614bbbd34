/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands suspend and resume for one device; for several: move_group.c. */
#include <errno.h>

#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/command/linux.h"
#include "core/device/move.h"
#include "core/device/step.h"

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

static void resumed(struct dm_cmd *c, struct dm_device *d)
{
	dm_device_set_read_ahead(d, &c->read_ahead);
	dm_finish(c);
}

static void resume_over(struct dm_move *m, struct dm_device *d)
{
	if (m->cmd && !m->failed)
		resumed(m->cmd, d);
	else
		dm_move_finish(m, d);
}

void dm_do_resume(struct dm_cmd *c, struct dm_device *d)
{
	if (d->state == DM_ACTIVE && !d->inactive)
		resumed(c, d);
	else if (!d->active && !d->inactive)
		dm_fail(c, -EINVAL, "device '%s' has no table to resume with; load one first", d->name);
	else if (d->inactive && dm_table_fits(d->inactive, &c->reply.err))
		resume_misfit(c, d);
	else
		dm_move_resume(d, c, d->inactive, resume_over);
}
