/* SPDX-License-Identifier: BSD-2-Clause */
/* Removing disks and partitions at once: see devices.h. A disk takes its partitions with it. */
#include "core/device/devices.h"
#include "core/device/parts.h"
#include "core/device/step.h"

/* Tables last: freeing them closes devices below, which may remove those in turn. */
static void remove_one(struct dm_device *d)
{
	struct dm_world *w = d->world;
	struct dm_table *active = d->active, *inactive = d->inactive;

	dm_device_leave(d);
	dm_device_free(d);
	dm_table_retire(w, active, NULL, NULL);
	dm_table_retire(w, inactive, NULL, NULL);
}

void dm_parts_drop(struct dm_device *disk)
{
	struct dm_device *p;

	while ((p = dm_part_first(disk)))
		remove_one(p);
}

void dm_device_remove(struct dm_device *d)
{
	if (d->disk && !d->whole)
		dm_parts_drop(d);
	remove_one(d);
}
