/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partitions of a disk that waits for its file, which wait with it: its record has them. Once it is back they go on if one is in
 * use; else they are read from the label, as ever. See restore.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/words.h"
#include "core/command/do.h"
#include "core/device/devices.h"
#include "core/device/move.h"
#include "core/device/parts.h"
#include "core/state/lost.h"
#include "core/state/record_text.h"
#include "core/state/restore_item.h"

static void part_waits(struct dm_device *disk, const struct dm_part *p, const char *why)
{
	char name[DM_NAME_MAX + 1];
	struct text like = TEXT_INIT;
	struct err e = ERR_INIT;
	struct dm_table *lost;
	struct dm_device *d;

	if (dm_part_name(disk->name, p->number, name, sizeof(name)) || dm_find_disk(disk->world, name) ||
	    dm_device_new_part(&d, disk, p, name, &e))
		return;
	text_printf(&like, "%s" DM_RECORD_LINES "0 %" PRIu64 " linear disk %" PRIu64 "\n", disk->readonly ? "readonly\n" : "", p->sectors,
		    p->start);
	if (like.failed || dm_lost_new(&lost, d, like.s, like.len, why)) {
		dm_device_leave(d);
		dm_device_free(d);
	} else {
		lost->lost->was_active = true;
		restore_suspended(d, lost);
		dm_device_changed(d, DM_ADDED);
	}
	text_free(&like);
}

void restore_parts(struct dm_device *disk, const char *value, const char *why)
{
	struct dm_part p;
	const char *at;

	for (at = value; *at; at = words_line(at), at += *at == '\n')
		if (sscanf(at, "part %" SCNu32 " %" SCNu64 " %" SCNu64, &p.number, &p.start, &p.sectors) == 3 && p.sectors)
			part_waits(disk, &p, why);
}

static void part_over(struct dm_cmd *c)
{
	if (c->reply.err.code)
		log_error("%s", c->reply.err.text);
	dm_reply_free(&c->reply);
	free(c);
}

static void part_back(struct dm_device *disk, struct dm_device *d)
{
	const struct dm_part p = { d->part, d->part_start, dm_device_sectors(d) };
	struct dm_cmd *c = calloc(1, sizeof(*c));
	struct dm_table *table;

	if (!c) {
		log_error("'%s' stays suspended: no memory to resume it", d->name);
		return;
	}
	*c = (struct dm_cmd){ .verb = DM_DO_RESUME, .world = disk->world, .device = d, .done = part_over };
	list_init(&c->node);
	if (!dm_part_table(disk, &p, &c->reply.err, &table)) {
		dm_move_resume(d, c, table, dm_move_finish);
		return;
	}
	err_prefix(&c->reply.err, "'%s' stays suspended: ", d->name);
	part_over(c);
}

bool dm_restore_parts(struct dm_device *disk)
{
	struct dm_device *p;

	if (!dm_part_in_use(disk))
		return false;
	for (p = dm_part_first(disk); p; p = dm_part_next(p))
		if (p->active && p->active->lost && !dm_device_moving(p))
			part_back(disk, p);
	return true;
}
