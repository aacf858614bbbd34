/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command status: targets that have to prepare their status are asked to, one after the other; then all are printed
 * at once. One that fails is printed all the same, as on Linux.
 */
#include <errno.h>

#include "base/log.h"
#include "core/command/ask.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/command/linux.h"

/* May change while a target prepares its status. */
static bool status_prepares(const struct dm_cmd *c, const struct dm_device *d, const struct dm_table *t)
{
	return t && t == d->active && t->prepares && !(c->flags & (DM_WITH_INACTIVE | DM_WITH_NOFLUSH)) && !dm_device_suspended(d);
}

static void status_note(struct dm_ask *a)
{
	if (a->result && dm_linux_has_no_warnings(a->cmd))
		log_warn("%s", dm_ask_why(a));
	else if (a->result)
		text_printf(&a->cmd->reply.warnings, "%s\n", dm_ask_why(a));
	a->err.code = a->result = 0;
}

static void status_on(struct dm_ask *a);

static void status_prepared(struct dm_ask *a)
{
	status_note(a);
	status_on(a);
}

static void status_on(struct dm_ask *a)
{
	struct dm_cmd *c = a->cmd;
	struct dm_table *t = a->table;

	while (status_prepares(c, c->device, t) && a->line < t->n) {
		struct dm_target *target = &t->targets[a->line++];

		if (!target->type->prepare_status)
			continue;
		if (!dm_ask(a, target, target->type->prepare_status, status_prepared))
			return;
		status_note(a);
	}
	dm_ask_free(a);
	dm_do_rows(c, c->device);
}

void dm_do_status(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_ask *a;

	if (!status_prepares(c, d, d->active)) {
		dm_do_rows(c, d);
		return;
	}
	a = dm_ask_new(c, "status");
	if (a)
		status_on(a);
	else
		dm_fail(c, -ENOMEM, "no memory for the status");
}
