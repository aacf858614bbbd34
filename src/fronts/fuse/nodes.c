/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which device is which file. Names are looked up each time, so the kernel need not be told about them; it may cache
 * sizes and pages until a table is swapped (stale.c). Control thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fronts/fuse/dev.h"

/* A device without a table has size 0. */
void fuse_node_measure(struct fuse_node *n)
{
	const struct dm_table *t = n->device->active;

	atomic_store(&n->block, t ? t->limits.logical : DM_SECTOR);
	atomic_store(&n->readonly, n->device->locked || dm_device_readonly(n->device));
	atomic_store(&n->discards, t && t->limits.discard);
	atomic_store(&n->size, dm_device_sectors(n->device) << DM_SECTOR_SHIFT);
}

void fuse_state_device(const struct fuse_node *n)
{
	const struct dm_device *d = n->device;
	char value[DM_NAME_MAX + 100];

	snprintf(value, sizeof(value), "%" PRIu64 " %lld.%09ld %u %s", n->id, (long long)n->since.tv_sec, n->since.tv_nsec, n->soft_block,
		 d->name);
	fuse_state_put(n->front, value, strlen(value), "device/%u:%u", d->major, d->minor);
}

static struct fuse_node *node_new(struct fuse_front *f, struct dm_device *d, uint64_t id)
{
	struct fuse_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->id = id ? id : fuse_serial(f);
	n->front = f;
	n->device = d;
	list_init(&n->loops);
	clock_gettime(CLOCK_REALTIME, &n->since);
	partial_disk_init(&n->disk, f->io, d);
	fuse_node_measure(n);
	hash_add(&f->by_id, &n->by_id, &n->id, sizeof(n->id));
	hash_add(&f->by_device, &n->by_device, &n->device, sizeof(n->device));
	if (!id)
		fuse_state_device(n);
	return n;
}

struct fuse_node *fuse_node_known(const struct fuse_front *f, const struct dm_device *d)
{
	return hash_owner(hash_find(&f->by_device, &d, sizeof(d)), struct fuse_node, by_device);
}

struct fuse_node *fuse_node_of(struct fuse_front *f, struct dm_device *d)
{
	struct fuse_node *n = fuse_node_known(f, d);

	return n ? n : node_new(f, d, 0);
}

struct fuse_node *fuse_node_find(struct fuse_front *f, uint64_t id)
{
	return hash_owner(hash_find(&f->by_id, &id, sizeof(id)), struct fuse_node, by_id);
}

static void node_changed(struct fuse_front *f, struct fuse_node *n, enum dm_change what)
{
	if (what == DM_SWAPPED) {
		fuse_node_measure(n);	/* the kernel is told in fuse_follow() */
	} else if (what == DM_RENAMED) {
		fuse_state_device(n);
	} else if (what == DM_REMOVED) {
		fuse_state_drop(f, "device/%u:%u", n->device->major, n->device->minor);
		hash_remove(&f->by_id, &n->by_id);
		hash_remove(&f->by_device, &n->by_device);
		while (list_take(&n->loops))
			;
		free(n);
	}
}

void fuse_node_changed(struct dm_front *front, struct dm_device *d, enum dm_change what)
{
	struct fuse_front *f = container(front, struct fuse_front, front);
	struct list *pos, *next;
	struct fuse_node *n;

	if (what != DM_SWAPPED && what != DM_LOADED && what != DM_ALTERED && !d->disk)
		dev_poll_event(f);

	list_each(pos, next, &f->mounts) {
		struct dev_view *v = container(pos, struct fuse_mount, node)->view;

		if (v)
			dev_shown_changed(v, d, what);
	}
	n = fuse_node_known(f, d);
	if (n)
		node_changed(f, n, what);
	fuse_state_commit(f);
}

/* One that has the number of another device is not the same. */
static void devices_see(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	unsigned major, minor, soft;
	struct dm_device *d = NULL;
	struct timespec since;
	struct fuse_node *n;
	uint64_t id;
	int at = 0;

	(void)len;
	if (sscanf(tail, "%u:%u", &major, &minor) == 2 &&
	    sscanf(value, "%" SCNu64 " %ld.%ld %u %n", &id, &since.tv_sec, &since.tv_nsec, &soft, &at) == 4 && at)
		d = dm_find_number(f->world, major, minor);
	n = d && !strcmp(d->name, value + at) ? node_new(f, d, id) : NULL;
	if (!n) {
		fuse_state_drop(f, "device/%s", tail);
		return;
	}
	n->since = since;
	n->soft_block = soft;
}

void fuse_devices_restore(struct fuse_front *f)
{
	fuse_state_each(f, "device/", devices_see);
}
