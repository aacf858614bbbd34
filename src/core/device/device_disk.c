/* SPDX-License-Identifier: BSD-2-Clause */
/* Making disks, their partitions and loop devices, which have numbers of their own: see device.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/device/devices.h"
#include "core/device/loopdev.h"
#include "core/device/parts.h"

/* A disk's: in steps, for the first partitions have the numbers behind it. The list is sorted. */
static uint32_t disk_free_minor(struct dm_world *w, struct list **behind)
{
	struct dm_device *last = NULL, *d;
	uint32_t minor = w->next_disk;

	if (minor)
		last = dm_find_number(w, DM_DISK_MAJOR, minor - DM_DISK_STEP);
	for (; (d = dm_find_number(w, DM_DISK_MAJOR, minor)); minor += DM_DISK_STEP)
		last = d;
	w->next_disk = minor;
	*behind = last ? &last->node : &w->disks;
	for (d = last ? dm_part_first(last) : NULL; d; d = dm_part_next(d))
		*behind = &d->node;
	return minor;
}

/* The same for one that has its number. Loop devices come behind all others. */
static uint32_t disk_place(struct dm_world *w, uint32_t major, uint32_t minor, struct list **behind)
{
	struct list *n, *next;

	*behind = &w->disks;
	list_each(n, next, &w->disks) {
		const struct dm_device *d = container(n, struct dm_device, node), *whole = d->whole ? d->whole : d;

		if (whole->major == major ? whole->minor < minor : major == DM_LOOP_MAJOR)
			*behind = n;
	}
	return minor;
}

static void disk_register(struct dm_device *d, struct list *behind)
{
	struct dm_world *w = d->world;

	list_append(behind->next, &d->node);
	hash_add(&w->disk_names, &d->by_name, d->name, strlen(d->name));
	hash_add(&w->disk_numbers, &d->by_minor, &d->major, sizeof(d->major) + sizeof(d->minor));
}

void dm_disk_unregister(struct dm_device *d)
{
	struct dm_world *w = d->world;
	uint32_t *next = d->major == DM_PART_MAJOR ? &w->next_part : d->major == DM_DISK_MAJOR && !d->whole ? &w->next_disk : NULL;

	hash_remove(&w->disk_names, &d->by_name);
	hash_remove(&w->disk_numbers, &d->by_minor);
	if (next && d->minor < *next)
		*next = d->minor;
}

int dm_device_new_disk(struct dm_device **out, struct dm_world *w, const struct dm_cmd *c, struct err *e)
{
	struct dm_device *d = dm_device_alloc(w, c, e);
	struct list *behind;

	if (!d)
		return e->code;
	d->disk = true;
	d->major = DM_DISK_MAJOR;
	d->minor = c->has_minor ? disk_place(w, DM_DISK_MAJOR, c->minor, &behind) : disk_free_minor(w, &behind);
	disk_register(d, behind);
	*out = d;
	return 0;
}

int dm_device_new_loop(struct dm_device **out, struct dm_world *w, const struct dm_cmd *c, struct err *e)
{
	struct dm_device *d = dm_device_alloc(w, c, e);
	struct list *behind;

	if (!d)
		return e->code;
	d->loopdev = calloc(1, sizeof(*d->loopdev));
	if (!d->loopdev) {
		dm_device_discard(d);
		return err_set(e, -ENOMEM, "no memory for loop device '%s'", c->name);
	}
	d->disk = d->ever_loaded = true;	/* as on Linux, it can be opened before it has a file */
	d->major = DM_LOOP_MAJOR;
	d->minor = disk_place(w, DM_LOOP_MAJOR, c->minor, &behind);
	disk_register(d, behind);
	*out = d;
	return 0;
}

/* The lowest free number of those partitions that come behind the steps. */
static uint32_t disk_free_part(struct dm_world *w)
{
	while (dm_find_number(w, DM_PART_MAJOR, w->next_part))
		w->next_part++;
	return w->next_part;
}

/* Behind the disk, by their numbers. */
static void disk_register_part(struct dm_device *d)
{
	struct list *behind = &d->whole->node;
	const struct dm_device *p;

	for (p = dm_part_first(d->whole); p && p->part < d->part; p = dm_part_next(p))
		behind = behind->next;
	disk_register(d, behind);
}

int dm_device_new_part(struct dm_device **out, struct dm_device *disk, const struct dm_part *p, const char *name, struct err *e)
{
	const struct dm_cmd c = { .name = name, .flags = disk->readonly ? DM_WITH_READONLY : 0 };
	struct dm_device *d = dm_device_alloc(disk->world, &c, e);
	bool in_steps = p->number < DM_DISK_STEP && disk->major == DM_DISK_MAJOR;

	if (!d)
		return e->code;
	d->disk = true;
	d->whole = disk;
	d->part = p->number;
	d->part_start = p->start;
	d->major = in_steps ? DM_DISK_MAJOR : DM_PART_MAJOR;
	d->minor = in_steps ? disk->minor + p->number : disk_free_part(disk->world);
	disk_register_part(d);
	*out = d;
	return 0;
}
