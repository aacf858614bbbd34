/* SPDX-License-Identifier: BSD-2-Clause */
/* What a change sets besides the tables, and its undoing: see devices.h. */
#include "core/device/devices.h"

void dm_traits_save(struct dm_device *d)
{
	d->moving.before = (struct dm_traits){
		.geometry = d->geometry, .read_ahead = d->read_ahead, .locked = d->locked, .ever_loaded = d->ever_loaded,
		.ever_active = d->ever_active, .active_since = d->active_since,
	};
}

void dm_traits_undo(struct dm_device *d)
{
	const struct dm_traits *was = &d->moving.before;

	d->geometry = was->geometry;
	d->read_ahead = was->read_ahead;
	d->locked = was->locked;
	d->ever_loaded = was->ever_loaded;
	d->ever_active = was->ever_active;
	d->active_since = was->active_since;
}
