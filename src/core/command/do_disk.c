/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about disks: disk, undisk, disks. See device.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/table/build.h"
#include "core/device/above.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/move.h"
#include "core/device/parts.h"
#include "core/state/lost.h"
#include "core/state/record_lost.h"
#include "core/state/restore.h"

/* A table of whole blocks, from the first to the last. */
static int disk_table(struct dm_cmd *c, struct dm_store *s, struct dm_table **out)
{
	struct dm_build_opts o = { .readonly = c->flags & DM_WITH_READONLY };
	uint64_t block = s->limits.logical / DM_SECTOR, sectors = s->sectors - s->sectors % block;
	struct dm_build *b;
	int r;

	if (!sectors)
		return err_set(&c->reply.err, -EINVAL, "disk '%s': '%.800s' is empty; `truncate -s 64M FILE` makes it larger",
			       c->name, c->text);
	r = dm_build_begin(&b, c->world, &o, &c->reply.err);
	if (r)
		return r;
	if (!dm_build_know(b, "disk", s))
		dm_build_line(b, 0, sectors, "linear", "disk 0");
	return dm_build_end(b, out);
}

/* If the partition table cannot be read, the disk is shown without partitions. */
static void disk_parts(struct dm_cmd *c, struct dm_device *d, const struct dm_found *found)
{
	struct err e = ERR_INIT;

	if (found->parts && dm_parts_set(d, found->parts, found->parts_err, &c->reply.warnings, &e))
		text_printf(&c->reply.warnings, "%s\n", e.text);
}

static struct dm_device *disk_new(struct dm_cmd *c, struct dm_store *s, const struct dm_found *found)
{
	struct dm_table *table;
	struct dm_device *d;

	if (disk_table(c, s, &table))
		return NULL;
	if (dm_device_new_disk(&d, c->world, c, &c->reply.err)) {
		dm_table_free(table);
		return NULL;
	}
	dm_device_first_table(d, table);
	dm_device_changed(d, DM_ADDED);
	disk_parts(c, d, found);
	return d;
}

static int disk_is_a_partition(struct dm_cmd *c, const struct dm_device *d)
{
	return err_set(&c->reply.err, -EEXIST, "a disk cannot be named '%s': disk '%s' has a partition with that name", c->name,
		       d->whole->name);
}

/* The disk of that name, if it already shows S. */
static struct dm_device *disk_again(struct dm_cmd *c, struct dm_device *d, const struct dm_store *s)
{
	if (d->whole) {
		disk_is_a_partition(c, d);
		return NULL;
	}
	if (d->loopdev) {
		err_set(&c->reply.err, -EEXIST, "a disk cannot be named '%s': that is a loop device", c->name);
		return NULL;
	}
	if (d->active->stores[0] == s)
		return d;
	err_set(&c->reply.err, -EEXIST, "disk '%s' already exists, for '%s'%s; choose another name", c->name,
		d->active->stores[0]->name, d->active->readonly ? ", read-only" : "");
	return NULL;
}

/* Refuses names that /dev uses itself. */
static int disk_check_name(const char *name, struct err *e)
{
	int r = dm_check_name(name, e);

	if (!r && (!strcmp(name, "mapper") || !strncmp(name, "dm-", 3) || *name == '.'))
		r = err_set(e, -EINVAL, "a disk cannot be named '%s': /dev/%s is something else", name, name);
	return r;
}

static void disk_show(struct dm_cmd *c, struct dm_store *s, const struct dm_found *found)
{
	struct dm_device *d = dm_find_disk(c->world, c->name);

	bool made = !d;

	d = d ? disk_again(c, d, s) : disk_new(c, s, found);
	c->device = d;
	if (!d)
		return;
	d->refs++;
	if (!dm_record_device(d, c))
		return;
	d->refs--;
	c->device = NULL;
	if (made)
		dm_device_remove(d);
}

/* One that waits for its file, since the daemon was started. */
static struct dm_device *disk_lost(const struct dm_cmd *c)
{
	struct dm_device *d = dm_find_disk(c->world, c->name);

	return d && !d->whole && !d->loopdev == !c->loop && d->active && d->active->lost ? d : NULL;
}

/* Whoever is no longer there to be told has not shown it once more. */
static void disk_is_back(struct dm_move *m, struct dm_device *d)
{
	struct dm_cmd *c = m->cmd;
	struct err e = ERR_INIT;

	if (!m->failed && !dm_restore_parts(d) && dm_parts_read(d, c ? &c->reply.warnings : NULL, &e))
		log_warn("disk '%s': %s", d->name, e.text);
	if (!c)
		return;
	c->partly = false;
	if (!m->failed && !(c->flags & DM_WITH_RECORDED)) {
		d->refs++;
		if (dm_record_device(d, c))
			d->refs--;
	}
	dm_finish(c);
}

/* S is what C has opened for D, which is lost: it is that file, and D goes on with it. */
static int disk_is_the_same(struct dm_cmd *c, struct dm_device *d, const struct dm_table *table)
{
	if (table->readonly != d->active->readonly)
		return err_set(&c->reply.err, -EEXIST, "it was %s; %s", d->active->readonly ? "read-only" : "not read-only", DM_RESTORE_UNDISK);
	return dm_restore_check(table, d->active->lost->value, DM_RESTORE_UNDISK, &c->reply.err);
}

/* Nobody has D open, whose file is gone: those who have shown it ended with their daemon. Another file may have its name. */
static bool disk_forgotten(struct dm_cmd *c, struct dm_device *d)
{
	if (c->flags & DM_WITH_RECORDED || d->open_count || dm_part_in_use(d) || dm_device_moving(d))
		return false;
	c->reply.err = (struct err)ERR_INIT;
	dm_record_drop(d);
	dm_device_remove(d);
	return true;
}

/* False: D is forgotten, and S is to be shown anew. */
static bool disk_back(struct dm_cmd *c, struct dm_device *d, struct dm_store *s)
{
	struct dm_table *table;

	if (dm_wait_until_moved(c, d))
		return true;
	if (!disk_table(c, s, &table) && disk_is_the_same(c, d, table))
		dm_table_free(table);
	if (c->reply.err.code == -ESTALE && disk_forgotten(c, d))
		return false;
	if (c->reply.err.code) {
		err_prefix(&c->reply.err, "disk '%s' waits for its file: ", c->name);
		dm_finish(c);
		return true;
	}
	dm_stores_lost_again(table);
	c->partly = true;
	c->device = d;
	dm_move_resume(d, c, table, disk_is_back);
	return true;
}

/* Gets the store, if its type opens at once. */
static int disk_open(struct dm_opening *o)
{
	struct dm_store_spec spec = o->spec;
	struct dm_cmd *c = o->owner;
	struct dm_store *s;
	int r;

	spec.err = &c->reply.err;
	if (o->err.code)
		return err_set(&c->reply.err, o->err.code, "%s", o->err.text);
	if (o->store)
		return 0;
	r = o->type->open(&spec, &s);
	if (!r)
		o->store = s;
	return r;
}

static void disk_opened(struct dm_opening *o)
{
	struct dm_cmd *c = o->owner;
	struct dm_device *lost;
	int r;

	dm_pending_done(c);
	r = disk_open(o);
	lost = r ? NULL : disk_lost(c);
	if (lost && !c->loop && disk_back(c, lost, o->store)) {
		dm_opening_drop(o);
		return;
	}
	if (r)
		err_prefix(&c->reply.err, "disk '%s': ", c->name);
	else if (c->flags & DM_WITH_RECORDED && !c->world->records.mute && !lost)
		err_set(&c->reply.err, -ENXIO, "disk '%s' does not wait for its file any more", c->name);
	else if (!c->loop)
		disk_show(c, o->store, &o->found);
	if (c->loop && !c->reply.err.code)
		dm_do_loop(c, o->store);
	else
		dm_finish(c);
	dm_opening_drop(o);
}

static void disk_give_up(struct dm_cmd *c)
{
	dm_opening_drop(c->pending);
	dm_pending_done(c);
	dm_finish(c);
}

void dm_do_disk(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_store_spec spec = { .world = c->world, .word = c->text, .cwd = c->cwd, .caller = c->caller,
				      .readonly = c->flags & DM_WITH_READONLY, .cmd = c };
	struct dm_opening *o = NULL;

	(void)d;
	c->device = NULL;	/* it may have waited for one (dm_wait_until_moved()) */
	if (!disk_check_name(c->name, &c->reply.err) && !(c->text && *c->text))
		err_set(&c->reply.err, -EINVAL, "disk '%s' needs a file to show", c->name);
	else if (!c->reply.err.code && !(o = dm_opening_new(&spec)))
		err_set(&c->reply.err, -ENOMEM, "no memory for disk '%s'", c->name);
	if (!o) {
		dm_finish(c);
		return;
	}
	o->owner = c;
	o->done = disk_opened;
	o->wanted = c->loop ? 0 : DM_FIND_PARTS;
	dm_pending(c, o, disk_give_up);
	dm_opening_start(o);
}

static void disk_less(struct dm_cmd *c, struct dm_device *d)
{
	d->refs--;
	if (dm_record_device(d, c))
		d->refs++;
	c->device = d;
	dm_finish(c);
}

/* It stays while it is in use; whoever shows it again and takes that back removes it. */
static void disk_unwanted(struct dm_cmd *c, struct dm_device *d)
{
	unsigned refs = d->refs;

	d->refs = 0;
	if (refs && dm_record_now(d, &c->reply.err))
		d->refs = refs;
}

static struct dm_device *disk_moving(struct dm_device *disk)
{
	struct dm_device *d = disk;

	if (!dm_device_moving(disk))
		for (d = dm_part_first(disk); d && !dm_device_moving(d); d = dm_part_next(d))
			;
	return d;
}

void dm_do_undisk(struct dm_cmd *c, struct dm_device *d)
{
	const struct dm_device *user, *busy;

	c->device = NULL;	/* as above */
	d = dm_find_disk(c->world, c->name ? c->name : "");
	if (!d || d->whole) {
		dm_fail(c, -ENXIO, "no disk is named '%.128s'", c->name ? c->name : "");
		return;
	}
	if (d->loopdev) {
		dm_fail(c, -EINVAL, "'%s' is a loop device, which a program in a session has attached: 'losetup -d /dev/%s' in a session detaches it",
			d->name, d->name);
		return;
	}
	busy = d->open_count ? d : dm_part_in_use(d);
	if (dm_wait_until_moved(c, disk_moving(d)))
		return;
	if (d->refs > 1 && !(c->flags & DM_WITH_FORCE)) {
		disk_less(c, d);
	} else if (busy && dm_settle(c, busy)) {
		return;
	} else if (busy) {
		disk_unwanted(c, d);
		user = dm_device_user(busy);
		dm_fail(c, -EBUSY, "%s '%s' is in use (open count %u%s%s%s)", busy->whole ? "partition" : "disk", busy->name,
			busy->open_count, user ? ", device '" : "", user ? user->name : "", user ? "' is mapped onto it" : "");
	} else {
		dm_record_drop(d);
		if (!dm_record_commit(c->world, c, &c->reply.err))
			dm_device_remove(d);
		dm_finish(c);
	}
}

static size_t disks_count(const struct dm_world *w)
{
	struct list *n, *next;
	size_t count = 0;

	list_each(n, next, &w->disks)
		count++;
	return count;
}

/* False: no memory. */
static bool disk_add(struct dm_reply *r, struct dm_device *d)
{
	const struct dm_store *s = d->active->lost ? NULL : d->active->stores[0];
	char *file = dm_disk_file(d->active);
	struct dm_dep dep = { .name = file ? arena_strdup(&r->arena, file) : NULL };

	free(file);
	if (s) {
		dep.major = s->major;
		dep.minor = s->minor;
	}
	dm_info_fill(&r->names[r->n], d, 0);
	r->deps[r->n++] = dep;
	dm_lost_tell(d, &r->warnings);
	return dep.name;
}

void dm_do_disks(struct dm_cmd *c, struct dm_device *d)
{
	size_t count = disks_count(c->world);
	struct dm_reply *r = &c->reply;
	struct list *n, *next;
	bool memory;

	r->names = arena_alloc(&r->arena, count * sizeof(*r->names) + 1);
	r->deps = arena_alloc(&r->arena, count * sizeof(*r->deps) + 1);
	memory = r->names && r->deps;
	list_each(n, next, &c->world->disks) {
		d = container(n, struct dm_device, node);
		if (memory && !d->whole && d->active)
			memory = disk_add(r, d);
	}
	if (memory)
		dm_finish(c);
	else
		dm_fail(c, -ENOMEM, "no memory for the answer");
}
