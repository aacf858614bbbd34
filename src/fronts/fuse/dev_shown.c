/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices in the view: their nodes, io files and parts of /sys, which appear and disappear with them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/log.h"
#include "fronts/fuse/dev.h"
#include "fronts/fuse/dev_private.h"

#define SHOWN_SYS "devices/virtual/block/"

struct dev_shown {
	struct hash_link by_device;
	struct dm_device *device;
	uint64_t id;			/* of its io file */
	struct list entries;		/* dev_entry.shown */
	struct dev_entry *mapper;	/* the one that is renamed with the device; or NULL */
	bool disk;			/* a disk in the kernel's sense: it is in /sys and /dev/dm-N */
	bool failed;			/* memory ran out */
};

void dev_kernel_name(const struct dm_device *d, char name[DM_NAME_MAX + 1])
{
	if (d->disk)
		strcpy(name, d->name);
	else
		snprintf(name, DM_NAME_MAX + 1, "dm-%u", d->minor);
}

/* A device takes a name even if others have created something there. */
static bool shown_make_way(struct dev_node *dir, const char *name)
{
	struct dev_entry *e = dev_entry_get(dir, name);

	if (!e)
		return true;
	if (e->of->live)
		return false;
	dev_entry_drop(e);
	fuse_stale_name(dir->view->mount, dir->id, name);
	return true;
}

static struct dev_entry *shown_enter(struct dev_shown *s, struct dev_node *dir, const char *name, struct dev_node *n)
{
	struct dev_entry *e = n ? dev_entry_new(dir, name, n) : NULL;

	if (!e) {
		if (n)
			dev_node_check(n);
		s->failed = true;
		return NULL;
	}
	list_append(&s->entries, &e->shown);
	return e;
}

static struct dev_node *shown_node(struct dev_shown *s, struct dev_node *dir, const char *name, mode_t mode)
{
	uint64_t id = dir == dir->view->io ? s->id : dev_id_below(dir, name, s->id);
	struct dev_node *n = dev_node_new(dir->view, mode, id);

	if (!n)
		return NULL;
	n->live = n->passing = true;
	n->device = s->device;
	return n;
}

static struct dev_entry *shown_block(struct dev_shown *s, struct dev_node *dir, const char *name)
{
	struct dev_node *n;

	if (!shown_make_way(dir, name))
		return NULL;
	n = shown_node(s, dir, name, S_IFBLK | 0660);
	if (n) {
		n->rdev = makedev(s->device->major, s->device->minor);
		n->gid = dir->view->user_ns_made ? 0 : DEV_DISK_GROUP;
	}
	return shown_enter(s, dir, name, n);
}

/* For data.c, the io file is the same file as the one in a directory of devices. */
static void shown_io(struct dev_shown *s, struct dev_view *v, const char *number)
{
	const struct fuse_node *f = fuse_node_of(v->front, s->device);
	struct dev_node *n;

	if (!f || !shown_make_way(v->io, number)) {
		s->failed |= !f;
		return;
	}
	s->id = f->id;
	n = shown_node(s, v->io, number, S_IFREG | 0600);
	if (n)
		n->io = true;
	shown_enter(s, v->io, number, n);
}

static void shown_link(struct dev_shown *s, struct dev_node *dir, const char *name, const char *where, const char *path)
{
	struct dev_node *n;

	if (!shown_make_way(dir, name))
		return;
	n = shown_node(s, dir, name, S_IFLNK | 0777);
	if (n && asprintf(&n->data, "%s%s", where, path) < 0) {
		n->data = NULL;
		dev_node_check(n);
		n = NULL;
	}
	if (n)
		n->len = strlen(n->data);
	shown_enter(s, dir, name, n);
}

/* A partition is in its disk's directory. */
struct dev_node *dev_sys_where(const struct dev_view *v, const struct dm_device *d)
{
	const struct dm_device *disk = d->whole;
	const struct dev_entry *e = disk ? dev_entry_find(v->sys_devices, disk->name) : NULL;

	return !disk ? v->sys_devices : e && e->of->device == disk ? e->of : NULL;
}

static void shown_sys(struct dev_shown *s, struct dev_view *v, const char *number, const char *kernel)
{
	struct dev_node *at = dev_sys_where(v, s->device), *dir;
	char path[DEV_SYS_PATH];

	dev_sys_path(s->device, path);
	shown_link(s, v->sys_numbers, number, "../../" SHOWN_SYS, path);
	if (!s->device->whole)
		shown_link(s, v->sys_block, kernel, "../" SHOWN_SYS, path);
	shown_link(s, v->sys_class, kernel, "../../" SHOWN_SYS, path);
	if (!at || !shown_make_way(at, kernel))
		return;
	dir = shown_node(s, at, kernel, S_IFDIR | 0755);
	if (dir)
		dir->refresh = dev_sys_fill;
	shown_enter(s, at, kernel, dir);
}

static void shown_drop_entries(struct dev_shown *s)
{
	while (!list_empty(&s->entries))
		dev_entry_drop(container(s->entries.next, struct dev_entry, shown));
}

static void shown_free(struct dev_view *v, struct dev_shown *s)
{
	shown_drop_entries(s);
	hash_remove(&v->shown, &s->by_device);
	free(s);
}

/*
 * As on Linux, where a mapped device is not a disk until it was given a table, and tools create its name in /dev/mapper
 * when it is first resumed.
 */
static void shown_grow(struct dev_view *v, struct dev_shown *s)
{
	const struct dm_device *d = s->device;
	char kernel[DM_NAME_MAX + 1], number[24];

	dev_kernel_name(d, kernel);
	snprintf(number, sizeof(number), "%u:%u", d->major, d->minor);
	if (!s->disk && (d->disk || d->ever_loaded)) {
		s->disk = true;
		shown_sys(s, v, number, kernel);
		shown_block(s, v->root, kernel);
		shown_link(s, v->numbers, number, "../", kernel);
	}
	if (!s->mapper && d->ever_active && !d->disk)
		s->mapper = shown_block(s, v->mapper, d->kernel_name);
}

static void shown_add(struct dev_view *v, struct dm_device *d)
{
	struct dev_shown *s = calloc(1, sizeof(*s));
	char number[24];

	if (!s) {
		log_warn("no memory to show device '%s' in sessions", d->name);
		return;
	}
	s->device = d;
	list_init(&s->entries);
	hash_add(&v->shown, &s->by_device, &s->device, sizeof(s->device));
	snprintf(number, sizeof(number), "%u:%u", d->major, d->minor);
	shown_io(s, v, number);
	shown_grow(v, s);
	if (s->failed) {
		log_warn("no memory to show device '%s' in sessions", d->name);
		shown_free(v, s);
	}
}

static void shown_rename(struct dev_shown *s)
{
	struct dev_node *dir = s->mapper->dir;

	dev_entry_drop(s->mapper);
	s->mapper = shown_block(s, dir, s->device->kernel_name);
	if (!s->mapper)
		log_warn("no memory to show device '%s' in sessions", s->device->name);
}

/* A new table means new content: whoever caches what was in a node must look again. */
static void shown_swapped(struct dev_shown *s)
{
	struct list *pos, *next;

	list_each(pos, next, &s->entries) {
		struct dev_node *n = container(pos, struct dev_entry, shown)->of;

		if (S_ISBLK(n->mode))
			dev_touch(n);
	}
}

void dev_shown_changed(struct dev_view *v, struct dm_device *d, enum dm_change what)
{
	struct dev_shown *s = hash_owner(hash_find(&v->shown, &d, sizeof(d)), struct dev_shown, by_device);

	if (what == DM_ADDED && !s)
		shown_add(v, d);
	else if (what == DM_REMOVED && s)
		shown_free(v, s);
	else if (what == DM_RENAMED && s && s->mapper)
		shown_rename(s);
	else if ((what == DM_LOADED || what == DM_SWAPPED) && s)
		shown_grow(v, s);
	if (what == DM_SWAPPED && s)
		shown_swapped(s);
	if (what == DM_SWAPPED && s)
		dev_sys_loop(v, d);
}

void dev_shown_all(struct dev_view *v)
{
	struct list *pos, *next;

	list_each(pos, next, &v->front->world->devices)
		shown_add(v, container(pos, struct dm_device, node));
	list_each(pos, next, &v->front->world->disks)
		shown_add(v, container(pos, struct dm_device, node));
}

void dev_shown_free(struct dev_view *v)
{
	struct hash_link *l, *next;

	hash_each(l, next, &v->shown)
		shown_free(v, container(l, struct dev_shown, by_device));
}

struct dev_view *dev_view_of(const struct fuse_front *f)
{
	struct list *pos;

	for (pos = f->mounts.prev; pos != &f->mounts; pos = pos->prev) {
		struct fuse_mount *m = container(pos, struct fuse_mount, node);

		if (m->view && !m->gone && !m->ending)
			return m->view;
	}
	return NULL;
}
