/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a device open: see device.h. */
#include "core/device/device.h"

#include "core/world.h"

void dm_open(struct dm_device *d)
{
	d->open_count++;
}

/*
 * Removing a device closes those below it, which may be removed in turn: one after another, or a tall stack would take as
 * many calls inside each other.
 */
static void close_last(struct dm_world *w)
{
	struct list *n;

	w->closing = true;
	while ((n = list_take(&w->closed))) {
		struct dm_device *d = container(n, struct dm_device, closed);

		if (d->deferred && !d->open_count && !dm_device_moving(d))
			d->last_close(d);
	}
	w->closing = false;
}

void dm_close(struct dm_device *d)
{
	struct dm_world *w = d->world;

	if (--d->open_count)
		return;
	if (d->whole && !d->whole->open_count)
		d = d->whole;		/* a loop device goes when its last partition is closed, too */
	if (!d->deferred || dm_device_moving(d))
		return;
	list_remove(&d->closed);
	list_append(&w->closed, &d->closed);
	if (!w->closing)
		close_last(w);
}

static bool is_lost(const struct dm_table *t)
{
	return t && t->lost;
}

/* One whose table is not there yet may stand on any other. */
static bool one_waits(const struct list *all)
{
	struct list *n, *next;

	list_each(n, next, all) {
		const struct dm_device *d = container(n, struct dm_device, node);

		if (is_lost(d->active) || is_lost(d->inactive))
			return true;
	}
	return false;
}

static void closed_all(struct dm_world *w, const struct list *all)
{
	struct list *n, *next;

	list_each(n, next, all)
		list_append(&w->closed, &container(n, struct dm_device, node)->closed);
}

void dm_close_unused(struct dm_world *w)
{
	if (one_waits(&w->devices) || one_waits(&w->disks))
		return;
	closed_all(w, &w->devices);
	closed_all(w, &w->disks);
	close_last(w);
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
