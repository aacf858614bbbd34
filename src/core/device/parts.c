/* SPDX-License-Identifier: BSD-2-Clause */
/* See parts.h. */
#include "core/device/parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/table/build.h"
#include "core/device/devices.h"
#include "core/device/loopdev.h"
#include "core/command/do.h"
#include "core/device/move.h"

static bool part_overlaps(const struct dm_device *p, uint64_t start, uint64_t sectors)
{
	return start < p->part_start + dm_device_sectors(p) && p->part_start < start + sectors;
}

/* Another one that P would lie on, or NULL. */
static const struct dm_device *part_in_the_way(const struct dm_device *disk, const struct dm_part *p)
{
	const struct dm_device *other;

	for (other = dm_part_first(disk); other; other = dm_part_next(other))
		if (other->part != p->number && part_overlaps(other, p->start, p->sectors))
			return other;
	return NULL;
}

static int part_check(const struct dm_device *disk, const struct dm_part *p, struct err *e)
{
	uint64_t end;

	if (!p->number || p->number > DM_PARTS_MAX)
		return err_set(e, -EINVAL, "a partition's number is 1 to %u, not %u", DM_PARTS_MAX, p->number);
	if (!p->sectors || __builtin_add_overflow(p->start, p->sectors, &end) || end > dm_device_sectors(disk))
		return err_set(e, -EINVAL, "disk '%s' ends at sector %llu: partition %u (%llu sectors from %llu) is not in it",
			       disk->name, (unsigned long long)dm_device_sectors(disk), p->number,
			       (unsigned long long)p->sectors, (unsigned long long)p->start);
	return 0;
}

int dm_parts_wait(const struct dm_device *disk, struct err *e)
{
	return err_set(e, -ENXIO, "disk '%s' waits for its file", disk->name);
}

/* A run of the disk's own store, whatever has become of the file's name. */
int dm_part_table(const struct dm_device *disk, const struct dm_part *p, struct err *e, struct dm_table **out)
{
	const struct dm_build_opts o = { .readonly = disk->active->readonly };
	struct dm_build *b;
	char words[40];
	int r = disk->active->lost ? dm_parts_wait(disk, e) : dm_build_begin(&b, disk->world, &o, e);

	if (r)
		return r;
	snprintf(words, sizeof(words), "disk %llu", (unsigned long long)(dm_loop_start(disk) + p->start));
	if (!dm_build_know(b, "disk", disk->active->stores[0]))
		dm_build_line(b, 0, p->sectors, "linear", words);
	return dm_build_end(b, out);
}

/* Labels may have partitions that lie on each other, and the kernel shows them. */
static int part_new(struct dm_device *disk, const struct dm_part *p, struct err *e)
{
	char name[DM_NAME_MAX + 1];
	struct dm_table *table;
	struct dm_device *d;
	int r;

	if (dm_part_name(disk->name, p->number, name, sizeof(name)))
		return err_set(e, -ENAMETOOLONG, "the name of partition %u of disk '%s' would be too long", p->number, disk->name);
	if (dm_find_disk(disk->world, name))
		return err_set(e, -EBUSY, "partition %u would be named '%s', but another disk has that name", p->number, name);
	r = dm_part_table(disk, p, e, &table);
	if (r)
		return r;
	r = dm_device_new_part(&d, disk, p, name, e);
	if (r) {
		dm_table_free(table);
		return r;
	}
	dm_device_first_table(d, table);
	dm_device_changed(d, DM_ADDED);
	return 0;
}

int dm_part_add(struct dm_device *disk, const struct dm_part *p, struct err *e)
{
	const struct dm_device *other;

	if (part_check(disk, p, e))
		return e->code;
	if (dm_part_find(disk, p->number))
		return err_set(e, -EBUSY, "disk '%s' already has a partition %u", disk->name, p->number);
	other = part_in_the_way(disk, p);
	if (other)
		return err_set(e, -EBUSY, "partition %u would overlap partition %u", p->number, other->part);
	if (!part_new(disk, p, e))
		dm_record_parts(disk);
	return e->code;
}

int dm_part_remove(struct dm_device *disk, uint32_t number, struct err *e)
{
	struct dm_device *p = dm_part_find(disk, number);

	if (!p)
		return err_set(e, -ENXIO, "disk '%s' has no partition %u", disk->name, number);
	if (dm_part_busy(p))
		return err_set(e, -EBUSY, "'%s' is in use", p->name);
	dm_device_remove(p);
	dm_record_parts(disk);
	return 0;
}

static void part_resized(struct dm_move *m, struct dm_device *d)
{
	dm_record_parts(d->whole);
	dm_move_finish(m, d);
}

void dm_part_resize(struct dm_device *disk, const struct dm_part *p, struct dm_cmd *c)
{
	struct dm_device *d = dm_part_find(disk, p->number);
	struct err *e = &c->reply.err;
	struct dm_table *table;

	if (!d)
		err_set(e, -ENXIO, "disk '%s' has no partition %u", disk->name, p->number);
	else if (dm_device_moving(d))
		err_set(e, -EBUSY, "'%s' is being changed", d->name);
	else if (p->start != d->part_start)
		err_set(e, -EINVAL, "'%s' begins at sector %llu, which cannot be changed", d->name, (unsigned long long)d->part_start);
	else if (!part_check(disk, p, e) && part_in_the_way(disk, p))
		err_set(e, -EBUSY, "partition %u would overlap another one", p->number);
	else if (!e->code && !dm_part_table(disk, p, e, &table)) {
		dm_move_resume(d, c, table, part_resized);
		return;
	}
	dm_finish(c);
}

/* As the kernel: what the disk is too small for is cut, or left out; so is what cannot be shown. */
static void parts_add(struct dm_device *disk, struct dm_part *p, struct text *warnings)
{
	uint64_t sectors = dm_device_sectors(disk);
	struct err e = ERR_INIT;

	if (p->start < sectors && p->sectors > sectors - p->start)
		p->sectors = sectors - p->start;
	if ((part_check(disk, p, &e) || part_new(disk, p, &e)) && warnings)
		text_printf(warnings, "%s\n", e.text);
}

int dm_parts_set(struct dm_device *disk, struct dm_parts *found, int r, struct text *warnings, struct err *e)
{
	const struct dm_device *user = dm_part_in_use(disk);

	if (user)
		return err_set(e, -EBUSY, "'%s' is in use", user->name);
	if (r)
		return err_set(e, r, "the partitions of '%s' cannot be read: %s", disk->active->stores[0]->name, strerror(-r));
	dm_parts_drop(disk);
	for (size_t i = 0; i < found->n; i++)
		parts_add(disk, &found->at[i], warnings);
	dm_record_parts(disk);
	return 0;
}
