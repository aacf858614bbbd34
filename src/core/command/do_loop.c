/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that is a loop device is attached to a file, or changed: the command `disk` with a loop. The file was opened by then.
 * See core/device/loopdev.h.
 */
#include <errno.h>
#include <string.h>

#include "core/command/do.h"
#include "core/device/devices.h"
#include "core/device/loopdev.h"
#include "core/device/move.h"
#include "core/device/parts.h"
#include "core/state/lost.h"
#include "core/state/record_lost.h"
#include "core/state/restore.h"

static bool loop_is_scanned(const struct dm_device *d)
{
	return d->loopdev->is.flags & DM_LOOP_PARTSCAN && !d->loopdev->is.offset;
}

static void loop_parts(struct dm_cmd *c, struct dm_device *d)
{
	struct err e = ERR_INIT;

	if (dm_parts_read(d, &c->reply.warnings, &e))
		text_printf(&c->reply.warnings, "%s\n", e.text);
}

/* Have D's partitions waited with it? */
static bool loop_parts_wait(const struct dm_device *d)
{
	const struct dm_device *p = dm_part_first(d);

	return p && p->active && p->active->lost;
}

/* Partitions that have waited, and are in use, go on as they were. C may have been given up. */
static void loop_parts_again(struct dm_cmd *c, struct dm_device *d)
{
	bool waited = loop_parts_wait(d);

	if (!(waited && dm_restore_parts(d)) && c && (waited || loop_is_scanned(d)))
		loop_parts(c, d);
}

static void loop_moved(struct dm_move *m, struct dm_device *d)
{
	if (m->failed)
		d->loopdev->is = d->loopdev->before;
	else
		dm_loop_autoclear(d, d->loopdev->is.flags & DM_LOOP_AUTOCLEAR);
	if (!m->failed)
		loop_parts_again(m->cmd, d);
	dm_move_finish(m, d);
}

/* It waits for its file, since the daemon was started: no other takes its place. */
static int loop_waited(struct dm_cmd *c, struct dm_device *d, struct dm_table *table)
{
	if (dm_restore_check(table, d->active->lost->value, DM_RESTORE_DETACH, &c->reply.err))
		return err_prefix(&c->reply.err, "loop device '%s' waits for its file: ", d->name);
	dm_stores_lost_again(table);
	return 0;
}

static bool loop_waits(const struct dm_device *d)
{
	return d->active && d->active->lost;
}

/* An earlier daemon's: nobody has it open yet. */
static void loop_again(struct dm_cmd *c, struct dm_device *d, struct dm_table *table)
{
	d->loopdev->is = *c->loop;
	dm_device_first_table(d, table);
	dm_loop_autoclear(d, c->loop->flags & DM_LOOP_AUTOCLEAR);
	dm_device_changed(d, DM_SWAPPED);
	if (loop_is_scanned(d))
		loop_parts(c, d);
	c->device = d;
}

static struct dm_device *loop_device(struct dm_cmd *c)
{
	struct dm_device *d = dm_find_disk(c->world, c->name);

	if (!d && c->has_minor && dm_loop_add(c->world, c->minor, &d, &c->reply.err))
		return NULL;
	if (!d || !d->loopdev)
		err_set(&c->reply.err, -ENXIO, "there is no loop device '%s'", c->name);
	else if (d->loopdev->detached)
		err_set(&c->reply.err, -ENXIO, "'%s' was detached", d->name);
	return c->reply.err.code ? NULL : d;
}

void dm_do_loop(struct dm_cmd *c, struct dm_store *s)
{
	struct dm_device *d = loop_device(c);
	struct dm_table *table;

	if (dm_wait_until_moved(c, d))
		return;
	if (!d || dm_loop_table(d, c->loop, s, &table, &c->reply.err)) {
		dm_finish(c);
		return;
	}
	if (loop_waits(d) && loop_waited(c, d, table)) {
		dm_table_free(table);
		dm_finish(c);
		return;
	}
	if (c->has_minor) {
		loop_again(c, d, table);
		dm_finish(c);
		return;
	}
	d->loopdev->before = d->loopdev->is;
	if (!(c->flags & DM_WITH_RECORDED))	/* its file is back; meanwhile somebody may have set its flags */
		d->loopdev->is = *c->loop;
	c->flags |= DM_WITH_NOFLUSH;
	dm_move_resume(d, c, table, loop_moved);
}
