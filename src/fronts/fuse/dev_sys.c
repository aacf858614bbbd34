/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's directory in /sys/devices/virtual/block: what the kernel shows there for a mapped device. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/table/table.h"
#include "fronts/fuse/dev.h"

void dev_sys_path(const struct dm_device *d, char path[DEV_SYS_PATH])
{
	char name[DM_NAME_MAX + 1];

	dev_kernel_name(d, name);
	snprintf(path, DEV_SYS_PATH, "%s%s%s", d->whole ? d->whole->name : "", d->whole ? "/" : "", name);
}

struct fuse_node *dev_device_file(const struct dev_node *n)
{
	return fuse_node_of(n->view->front, n->device);
}

void dev_show_number(const struct dev_node *n, struct text *out)
{
	text_printf(out, "%u:%u\n", n->device->major, n->device->minor);
}

uint64_t dev_size(const struct dev_node *n)
{
	return dm_device_sectors(n->device);
}

uint64_t dev_readonly(const struct dev_node *n)
{
	return dm_device_readonly(n->device) || n->device->locked;
}

/* The number is never reused. */
uint64_t dev_diskseq(const struct dev_node *n)
{
	const struct fuse_node *f = fuse_node_of(n->view->front, n->device->whole ? n->device->whole : n->device);

	return f ? f->id : 0;
}

static void show_uevent(const struct dev_node *n, struct text *out)
{
	char name[DM_NAME_MAX + 1];

	dev_kernel_name(n->device, name);
	text_printf(out, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=disk\nDISKSEQ=%" PRIu64 "\n", n->device->major,
		    n->device->minor, name, dev_diskseq(n));
}

/* Accepted, but nobody would receive the event. */
int dev_store_uevent(struct dev_node *n, const char *value)
{
	(void)n;
	(void)value;
	return 0;
}

void dev_show_stat(const struct dev_node *n, struct text *out)
{
	uint64_t c[DEV_COUNTERS];

	dev_counters(n->device, c);
	for (size_t i = 0; i < DEV_COUNTERS; i++)
		text_printf(out, "%8" PRIu64 "%s", c[i], i + 1 < DEV_COUNTERS ? " " : "\n");
}

static void show_name(const struct dev_node *n, struct text *out)
{
	text_printf(out, "%s\n", n->device->kernel_name);
}

static void show_uuid(const struct dev_node *n, struct text *out)
{
	text_printf(out, "%s\n", n->device->kernel_uuid);
}

static uint64_t number_suspended(const struct dev_node *n)
{
	return n->device->state == DM_SUSPENDED;
}

/* How many minors it may use: a mapped device has no partitions. */
static uint64_t number_ext_range(const struct dev_node *n)
{
	return n->device->disk ? DM_PARTS_MAX + 1 : 1;
}

static uint64_t number_range(const struct dev_node *n)
{
	return n->device->disk ? DM_DISK_STEP : 1;
}

static const struct dev_text sys_texts[] = {
	{ .name = "alignment_offset", .fixed = "0\n" },
	{ .name = "capability", .fixed = "0\n" },
	{ .name = "dev", .show = dev_show_number },
	{ .name = "discard_alignment", .fixed = "0\n" },
	{ .name = "diskseq", .number = dev_diskseq },
	{ .name = "events", .fixed = "" },
	{ .name = "events_async", .fixed = "" },
	{ .name = "events_poll_msecs", .fixed = "-1\n" },
	{ .name = "ext_range", .number = number_ext_range },
	{ .name = "hidden", .fixed = "0\n" },
	{ .name = "inflight", .fixed = "       0        0\n" },
	{ .name = "range", .number = number_range },
	{ .name = "removable", .fixed = "0\n" },
	{ .name = "ro", .number = dev_readonly },
	{ .name = "size", .number = dev_size },
	{ .name = "stat", .show = dev_show_stat },
	{ .name = "uevent", .show = show_uevent, .store = dev_store_uevent },
	{ 0 },
};

static const struct dev_text dm_texts[] = {
	{ .name = "name", .show = show_name },
	{ .name = "rq_based_seq_io_merge_deadline", .fixed = "0\n" },
	{ .name = "suspended", .number = number_suspended },
	{ .name = "use_blk_mq", .fixed = "1\n" },
	{ .name = "uuid", .show = show_uuid },
	{ 0 },
};

static void sys_dir(struct dev_node *dir, const char *name, const struct dev_text *t)
{
	struct dev_node *n = dev_add(dir, name, S_IFDIR | 0755);

	if (n)
		dev_texts(n, t);
}

static void sys_want_device(struct dev_node *dir, const struct dm_device *d)
{
	char name[DM_NAME_MAX + 1], path[DEV_SYS_PATH], target[DEV_SYS_PATH + 12];

	dev_kernel_name(d, name);
	dev_sys_path(d, path);
	snprintf(target, sizeof(target), "../../%s%s", dir->device->whole ? "../" : "", path);
	dev_links_want(dir, name, target);
}

/* The devices that use this one, in either table. */
static void sys_holders(struct dev_node *dir)
{
	struct list *pos, *next;

	if (!dir->device)
		return;
	dev_links_begin(dir);
	list_each(pos, next, &dir->device->uses) {
		const struct dm_use *u = container(pos, struct dm_use, node);

		if (u->table->device)
			sys_want_device(dir, u->table->device);
	}
	dev_links_end(dir);
}

/* A link to a block device of the machine, as it is in /sys. */
static void sys_want_real(struct dev_node *dir, const struct dm_store *s)
{
	char number[48], path[PATH_MAX], target[PATH_MAX + 16];

	snprintf(number, sizeof(number), "/sys/dev/block/%u:%u", s->major, s->minor);
	if (!realpath(number, path) || strncmp(path, "/sys/devices/", 13))
		return;
	snprintf(target, sizeof(target), "../../../../%s", path + 13);
	dev_links_want(dir, strrchr(path, '/') + 1, target);
}

static void sys_want_stores(struct dev_node *dir, const struct dm_table *t)
{
	size_t i;

	for (i = 0; t && i < t->n_stores; i++)
		if (t->stores[i]->device)
			sys_want_device(dir, t->stores[i]->device);
		else if (t->stores[i]->major)
			sys_want_real(dir, t->stores[i]);
}

static void sys_slaves(struct dev_node *dir)
{
	if (!dir->device)
		return;
	dev_links_begin(dir);
	sys_want_stores(dir, dir->device->active);
	sys_want_stores(dir, dir->device->inactive);
	dev_links_end(dir);
}

static void sys_dir_of_links(struct dev_node *dir, const char *name, void (*refresh)(struct dev_node *dir))
{
	struct dev_node *n = dev_add(dir, name, S_IFDIR | 0755);

	if (n)
		n->refresh = refresh;
}

struct dev_node *dev_sys_dir(struct dev_view *v, const struct dm_device *d)
{
	const struct dev_node *at = dev_sys_where(v, d);
	char name[DM_NAME_MAX + 1];
	const struct dev_entry *e;

	dev_kernel_name(d, name);
	e = at ? dev_entry_find(at, name) : NULL;
	if (e && e->of->refresh)
		e->of->refresh(e->of);
	return e ? e->of : NULL;
}

static bool sys_attached(const struct dm_device *d)
{
	return d->loopdev && d->active;
}

/* The directory may have been looked at before. */
void dev_sys_loop(const struct dev_view *v, const struct dm_device *d)
{
	const struct dev_node *at = sys_attached(d) ? dev_sys_where(v, d) : NULL;
	const struct dev_entry *e = at ? dev_entry_find(at, d->name) : NULL;

	if (e && !e->of->refresh && !dev_entry_find(e->of, "loop"))
		sys_dir(e->of, "loop", dev_loop_texts);
}

/* Most devices are never looked at, so the directory is filled at the first look. */
void dev_sys_fill(struct dev_node *dir)
{
	dir->refresh = NULL;
	if (dir->device->whole) {
		dev_texts(dir, dev_part_texts);
		sys_dir_of_links(dir, "holders", sys_holders);
		dev_add_link(dir, "subsystem", "../../../../../class/block");
		return;
	}
	dev_texts(dir, sys_texts);
	if (!dir->device->disk)
		sys_dir(dir, "dm", dm_texts);
	if (sys_attached(dir->device))
		sys_dir(dir, "loop", dev_loop_texts);
	sys_dir(dir, "queue", dev_queue_texts);
	sys_dir(dir, "bdi", dev_bdi_texts);
	sys_dir_of_links(dir, "holders", sys_holders);
	sys_dir_of_links(dir, "slaves", sys_slaves);
	dev_entry_new(dir, "subsystem", dir->view->subsystem);
}
