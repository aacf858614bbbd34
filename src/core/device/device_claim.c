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

const struct dm_device *dm_claimed(const struct dm_device *d)
{
	const struct dm_device *p;

	if (d->claimed)
		return d;
	if (d->whole)
		return d->whole->claimed ? d->whole : NULL;
	for (p = d->disk ? dm_part_first(d) : NULL; p && !p->claimed; p = dm_part_next(p))
		;
	return p;
}

void dm_unclaim(struct dm_device *d)
{
	d->claimed = false;
}
