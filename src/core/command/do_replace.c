/* SPDX-License-Identifier: BSD-2-Clause */
/* The command replace: another program takes the devices over (device/move_hand_over.c). */
#include <errno.h>

#include "core/command/do.h"

void dm_do_replace(struct dm_cmd *c, struct dm_device *none)
{
	(void)none;
	c->flags |= DM_WITH_NOFLUSH | DM_WITH_NOLOCKFS;
	if (!c->world->replace)
		dm_fail(c, -ENOTSUP, "no daemon is running that can be replaced");
	else
		c->world->replace(c->world, c);
}
