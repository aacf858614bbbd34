/* SPDX-License-Identifier: BSD-2-Clause */
/* The command wait: for the next event of a device, whoever raises it (device/event_raise.c). */
#include "core/command/do.h"

void dm_do_wait(struct dm_cmd *c, struct dm_device *d)
{
	if (d->event_nr != c->event_nr)
		dm_finish(c);
	else
		list_append(&d->waiting, &c->node);
}
