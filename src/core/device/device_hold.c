/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a device open: see device.h. */
#include "core/device/device.h"

void dm_open(struct dm_device *d)
{
	d->open_count++;
}

void dm_close(struct dm_device *d)
{
	if (--d->open_count == 0 && d->deferred && !dm_device_moving(d))
		d->last_close(d);
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
