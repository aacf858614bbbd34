/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the partitions of a disk, and asking who uses them: see parts.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/device/parts.h"

int dm_part_name(const char *disk, uint32_t number, char *out, size_t size)
{
	bool digit = isdigit((unsigned char)disk[strlen(disk) - 1]);

	return (size_t)snprintf(out, size, "%s%s%u", disk, digit ? "p" : "", number) < size ? 0 : -ENAMETOOLONG;
}

static struct dm_device *part_behind(const struct dm_device *d, const struct dm_device *disk)
{
	struct list *n = d->node.next;
	struct dm_device *next = container(n, struct dm_device, node);

	return n != &d->world->disks && next->whole == disk ? next : NULL;
}

struct dm_device *dm_part_first(const struct dm_device *disk)
{
	return part_behind(disk, disk);
}

struct dm_device *dm_part_next(const struct dm_device *part)
{
	return part_behind(part, part->whole);
}

struct dm_device *dm_part_find(const struct dm_device *disk, uint32_t number)
{
	struct dm_device *p;

	for (p = dm_part_first(disk); p; p = dm_part_next(p))
		if (p->part == number)
			return p;
	return NULL;
}

bool dm_part_is(const struct dm_device *disk, const struct dm_part *p)
{
	const struct dm_device *d = dm_part_find(disk, p->number);

	return d && d->part_start == p->start && dm_device_sectors(d) == p->sectors;
}

bool dm_part_busy(const struct dm_device *p)
{
	return p->open_count || dm_device_moving(p);
}

const struct dm_device *dm_part_in_use(const struct dm_device *disk)
{
	const struct dm_device *p;

	for (p = dm_part_first(disk); p; p = dm_part_next(p))
		if (dm_part_busy(p))
			return p;
	return NULL;
}

static bool part_taken(const struct dm_device *d)
{
	return d->users || d->claimed;
}

bool dm_part_rival(const struct dm_device *d)
{
	const struct dm_device *p;

	if (!d->disk)
		return false;
	if (d->whole)
		return part_taken(d->whole);
	for (p = dm_part_first(d); p; p = dm_part_next(p))
		if (part_taken(p))
			return true;
	return false;
}
