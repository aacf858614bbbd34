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

static void loop_parts(struct dm_cmd *c, struct dm_device *d)
{
	struct err e = ERR_INIT;

	if (d->loopdev->is.flags & DM_LOOP_PARTSCAN && !d->loopdev->is.offset && dm_parts_read(d, &c->reply.warnings, &e))
		text_printf(&c->reply.warnings, "%s\n", e.text);
}

static void loop_moved(struct dm_move *m, struct dm_device *d)
{
	if (m->failed)
		d->loopdev->is = d->loopdev->before;
	else
		dm_loop_autoclear(d, d->loopdev->is.flags & DM_LOOP_AUTOCLEAR);
	if (!m->failed && m->cmd)
		loop_parts(m->cmd, d);
	dm_move_finish(m, d);
}

/* An earlier daemon's: nobody has it open yet. */
static void loop_again(struct dm_cmd *c, struct dm_device *d, struct dm_table *table)
{
	d->loopdev->is = *c->loop;
	dm_device_first_table(d, table);
	dm_loop_autoclear(d, c->loop->flags & DM_LOOP_AUTOCLEAR);
	dm_device_changed(d, DM_SWAPPED);
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
	if (c->has_minor) {
		loop_again(c, d, table);
		dm_finish(c);
		return;
	}
	d->loopdev->before = d->loopdev->is;
	d->loopdev->is = *c->loop;
	c->flags |= DM_WITH_NOFLUSH;
	dm_move_resume(d, c, table, loop_moved);
}
