/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and freeing devices: see device.h; what commands do to them is in do_*.c and move*.c. */
#include "core/device/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/event.h"
#include "core/path/fault.h"
#include "core/command/linux.h"
#include "core/path/regions.h"
#include "core/device/step.h"
#include "core/world.h"

void dm_device_stats(const struct dm_device *d, struct dm_stats *total)
{
	unsigned i;

	for (i = 0; i < d->world->n_io; i++) {
		const struct dm_stats *lane = atomic_load_explicit(&d->lanes[i].stats, memory_order_acquire);

		if (lane)
			dm_stats_add(total, lane, 1);
	}
}

#define READ_AHEAD 256		/* sectors, as on Linux */
#define READ_AHEAD_PAGE 8	/* sectors */

/*
 * As much as Linux reads ahead: of what likes large transfers, two; but never less than before, which somebody
 * may have set. A device has it from its first table on, in either slot.
 */
void dm_device_read_ahead(struct dm_device *d)
{
	const struct dm_table *t = d->active ? d->active : d->inactive;
	uint32_t two = t ? t->limits.io_opt / DM_SECTOR * 2 : 0;

	if (d->read_ahead < READ_AHEAD)
		d->read_ahead = READ_AHEAD;
	if (d->read_ahead < two)
		d->read_ahead = two;
}

/* dmsetup asks Linux for whole KiB, rounded up, and Linux makes that whole pages, rounded down. */
void dm_device_set_read_ahead(struct dm_device *d, const struct dm_read_ahead *to)
{
	uint32_t up = to->sectors < UINT32_MAX ? to->sectors + 1 : to->sectors;

	if (to->how == DM_AHEAD_IS || (to->how == DM_AHEAD_LEAST && to->sectors > d->read_ahead))
		d->read_ahead = up - up % READ_AHEAD_PAGE;
}

static void device_init_lanes(struct dm_device *d)
{
	unsigned i;

	for (i = 0; i < d->world->n_io; i++) {
		struct dm_lane *lane = &d->lanes[i];

		lane->device = d;
		lane->io = &d->world->io[i];
		lane->parked_tail = &lane->parked;
	}
}

/* The lowest free number of a mapped device: from 1, because 0 means "none" in NetBSD's dictionaries, unless C says so. */
static uint32_t device_free_minor(struct dm_world *w, const struct dm_cmd *c)
{
	uint32_t minor = w->next_minor ? w->next_minor : 1;

	if (dm_linux_counts_from_zero(c) && !dm_find_minor(w, 0))
		return 0;
	while (dm_find_minor(w, minor))
		minor++;
	w->next_minor = minor + 1;
	return minor;
}

static void device_register(struct dm_device *d)
{
	struct dm_world *w = d->world;

	list_append(&w->devices, &d->node);
	hash_add(&w->by_name, &d->by_name, d->kernel_name, strlen(d->kernel_name));
	hash_add(&w->by_minor, &d->by_minor, &d->minor, sizeof(d->minor));
	if (*d->uuid)
		hash_add(&w->by_uuid, &d->by_uuid, d->kernel_uuid, strlen(d->kernel_uuid));
	w->n_devices++;
}

/* Without a name; or NULL. */
static struct dm_device *device_alloc(struct dm_world *w, const struct dm_cmd *c)
{
	size_t size = sizeof(struct dm_device) + w->n_io * sizeof(struct dm_lane);
	struct dm_device *d = aligned_alloc(alignof(struct dm_device), size);

	if (!d)
		return NULL;
	memset(d, 0, size);
	d->world = w;
	d->uuid = d->kernel_uuid = "";
	d->readonly = c->flags & DM_WITH_READONLY;
	list_init(&d->uses);
	list_init(&d->waiting);
	list_init(&d->queue);
	list_init(&d->moving.node);
	list_init(&d->moving.in_order);
	list_init(&d->closed);
	list_init(&d->recorded.put);
	list_init(&d->recorded.touched);
	device_init_lanes(d);
	dm_device_read_ahead(d);
	return d;
}

static struct dm_device *device_no_memory(struct dm_device *d, const struct dm_cmd *c, struct err *e)
{
	if (d)
		dm_device_discard(d);
	err_set(e, -ENOMEM, "no memory for device '%s'", c->name);
	return NULL;
}

struct dm_device *dm_device_alloc(struct dm_world *w, const struct dm_cmd *c, struct err *e)
{
	struct dm_device *d = device_alloc(w, c);

	if (d)
		d->name = d->kernel_name = strdup(c->name);
	return d && d->name ? d : device_no_memory(d, c, e);
}

static bool device_names(struct dm_device *d, const char *kernel_name, const char *kernel_uuid)
{
	struct dm_forms name, uuid;

	if (!dm_forms_make(&name, kernel_name))
		return false;
	d->name = name.people;
	d->kernel_name = name.kernel;
	if (!dm_forms_make(&uuid, kernel_uuid))
		return false;
	d->uuid = uuid.people;
	d->kernel_uuid = uuid.kernel;
	return true;
}

int dm_device_new(struct dm_device **out, const struct dm_cmd *c, const char *name, const char *uuid, struct err *e)
{
	struct dm_world *w = c->world;
	struct dm_device *d = device_alloc(w, c);

	if (!d || !device_names(d, name, uuid)) {
		device_no_memory(d, c, e);
		return e->code;
	}
	d->major = w->major;
	d->minor = c->has_minor ? c->minor : device_free_minor(w, c);
	device_register(d);
	*out = d;
	return 0;
}

/* At once: for what has no hooks, or before anybody has the device open. */
void dm_device_first_table(struct dm_device *d, struct dm_table *table)
{
	unsigned i;

	d->active = table;
	if (table)
		table->device = d;
	dm_event_active(table, true);
	d->ever_loaded = d->ever_active = table;
	dm_device_read_ahead(d);
	for (i = 0; i < d->world->n_io; i++)
		d->lanes[i].table = table;
}

void dm_device_changed(struct dm_device *d, enum dm_change what)
{
	struct list *n, *next;

	list_each(n, next, &d->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (f->changed)
			f->changed(f, d, what);
	}
}

static void device_unregister(struct dm_device *d)
{
	struct dm_world *w = d->world;

	list_remove(&d->node);
	if (d->disk) {
		dm_disk_unregister(d);
		return;
	}
	hash_remove(&w->by_name, &d->by_name);
	hash_remove(&w->by_minor, &d->by_minor);
	if (*d->uuid)
		hash_remove(&w->by_uuid, &d->by_uuid);
	w->n_devices--;
	if (d->minor && d->minor < w->next_minor)
		w->next_minor = d->minor;
}

void dm_device_event(struct dm_device *d)
{
	d->event_nr++;
	d->last_event = (uint64_t)time(NULL);
	if (!d->moving.gone)
		dm_record_touch(d);
	dm_device_tell_event(d);
}

void dm_device_tell_event(struct dm_device *d)
{
	struct list waiting, *n;

	dm_device_changed(d, DM_HAPPENED);
	list_init(&waiting);
	while ((n = list_take(&d->waiting)))
		list_append(&waiting, n);
	while ((n = list_take(&waiting)))
		dm_finish(container(n, struct dm_cmd, node));
}

static void device_fail_queue(struct dm_device *d)
{
	struct list *n;

	while ((n = list_take(&d->queue))) {
		struct dm_cmd *c = container(n, struct dm_cmd, node);

		err_set(&c->reply.err, -ENXIO, "device '%s' was removed meanwhile", d->name);
		c->device = NULL;
		dm_finish(c);
	}
}

void dm_device_unregister(struct dm_device *d)
{
	device_unregister(d);
	device_fail_queue(d);
}

void dm_device_leave(struct dm_device *d)
{
	if (d->active)
		d->active->device = NULL;
	dm_event_active(d->active, false);
	if (d->inactive)
		d->inactive->device = NULL;
	device_unregister(d);	/* first, so that nobody who is woken finds it any more */
	dm_device_event(d);
	dm_device_changed(d, DM_REMOVED);
	device_fail_queue(d);
	dm_pending_device_gone(d);
}

void dm_device_discard(struct dm_device *d)
{
	dm_forms_free(&(struct dm_forms){ d->name, d->kernel_name });
	dm_forms_free(&(struct dm_forms){ d->uuid, d->kernel_uuid });
	free(d->loopdev);
	free(d);
}

void dm_device_free(struct dm_device *d)
{
	unsigned i;

	list_remove(&d->moving.node);
	list_remove(&d->closed);
	dm_record_forget(d);
	for (i = 0; i < d->world->n_io; i++)
		free(d->lanes[i].stats);
	free(d->stats_base);
	dm_regions_drop(d);
	dm_faults_free(d);
	dm_device_discard(d);
}
