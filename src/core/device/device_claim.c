/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a device for himself: see device.h. */
#include <errno.h>

#include "core/device/device.h"
#include "core/device/parts.h"

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
