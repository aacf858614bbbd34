/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a device open, and who has it for himself: see device.h. */
#include <errno.h>

#include "core/devices.h"
#include "core/move.h"
#include "core/parts.h"

void dm_open(struct dm_device *d)
{
	d->open_count++;
}

void dm_close(struct dm_device *d)
{
	if (--d->open_count == 0 && d->deferred && !dm_device_moving(d))
		dm_move_remove(d, NULL, NULL);
}

void dm_use(struct dm_device *d)
{
	d->users++;
	dm_open(d);
}

void dm_unuse(struct dm_device *d)
{
	d->users--;
	dm_close(d);
}

int dm_claim(struct dm_device *d)
{
	if (d->users || d->claimed || dm_part_rival(d))
		return -EBUSY;
	d->claimed = true;
	return 0;
}

void dm_unclaim(struct dm_device *d)
{
	d->claimed = false;
}
