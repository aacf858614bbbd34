/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that remove devices: remove, remove_all. Forced removal does what dmsetup does: the table is replaced by an error
 * table, so that programs that have the device open no longer reach the disks below; if that makes the last user close it, the
 * device is removed.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/device/above.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/move.h"

static void fail_busy(struct dm_cmd *c, const struct dm_device *d)
{
	const struct dm_device *user = dm_device_user(d);

	dm_fail(c, -EBUSY, "device '%s' is in use (open count %u%s%s%s)%s; --deferred removes it at the last close",
		d->name, d->open_count, user ? ", device '" : "", user ? user->name : "",
		user ? "' is mapped onto it" : "",
		(c->flags & DM_WITH_FORCE) && d->active ? " and stays, now with an error table" : "");
}

static void remove_at_last_close(struct dm_device *d)
{
	dm_move_remove(d, NULL, NULL);
}

void dm_device_defer(struct dm_device *d)
{
	d->deferred = true;
	d->last_close = remove_at_last_close;
}

/* Removes D, or defers that until its last close, or fails C. */
static void remove_now(struct dm_cmd *c, struct dm_device *d)
{
	if (d->open_count == 0) {
		dm_move_remove(d, c, dm_move_finish);
	} else if (c->flags & DM_WITH_DEFERRED) {
		dm_device_defer(d);
		if (dm_record_device(d, c))
			d->deferred = false;
		dm_finish(c);
	} else if (!dm_settle(c, d)) {
		fail_busy(c, d);
	}
}

static void remove_forced(struct dm_move *m, struct dm_device *d)
{
	if (!m->cmd)
		return;
	m->cmd->partly = false;
	if (m->failed)
		dm_finish(m->cmd);
	else
		remove_now(m->cmd, d);
}

static int error_table(struct dm_cmd *c, struct dm_device *d, struct dm_table **out)
{
	struct dm_build_opts o = { .device = d };
	struct dm_build *b;
	int r = dm_build_begin(&b, d->world, &o, &c->reply.err);

	if (r)
		return r;
	dm_build_line(b, 0, dm_device_sectors(d), "error", "");
	return dm_build_end(b, out);
}

void dm_do_remove(struct dm_cmd *c, struct dm_device *d)
{
	struct dm_table *errors = NULL;

	if (!(c->flags & DM_WITH_FORCE) || d->open_count == 0 || !d->active) {
		remove_now(c, d);
		return;
	}
	if (error_table(c, d, &errors)) {
		dm_finish(c);
		return;
	}
	c->partly = true;
	c->flags |= DM_WITH_NOFLUSH;	/* the disk below may be the reason for the force */
	dm_move_resume(d, c, errors, remove_forced);
}

/* Runs `remove` for each device once, one after another: a device before those that it uses, and the newest first. */
struct remove_each {
	struct dm_cmd sub;
	struct dm_cmd *c;	/* NULL: it was given up */
	struct err why;		/* of the first that was not in use, and stays */
	size_t n, at;
	uint32_t minors[];
};

static void remove_all_over(struct dm_cmd *c, const struct err *why)
{
	struct dm_world *w = c->world;
	struct list *n, *next;
	size_t left = 0;
	const char *name = NULL;

	dm_pending_done(c);
	list_each(n, next, &w->devices) {
		const struct dm_device *d = container(n, struct dm_device, node);

		if (!d->deferred) {
			left++;
			name = d->name;
		}
	}
	if (left && why->code)
		dm_fail(c, why->code, "'%s' stays: %s", name, why->text);
	else if (left)
		dm_fail(c, -EBUSY, "%zu device%s in use and stay%s, '%s' among them", left, left == 1 ? " is" : "s are",
			left == 1 ? "s" : "", name);
	else
		dm_finish(c);
}

static void remove_each_next(struct dm_cmd *sub)
{
	struct remove_each *e = container(sub, struct remove_each, sub);

	if (!e->why.code && sub->reply.err.code != -EBUSY && sub->reply.err.code != -ENXIO)
		e->why = sub->reply.err;
	dm_reply_free(&sub->reply);
	if (!e->c || e->at == e->n) {
		if (e->c)
			remove_all_over(e->c, &e->why);
		free(e);
		return;
	}
	e->sub = (struct dm_cmd){ .verb = DM_DO_REMOVE, .flags = e->c->flags, .has_minor = true, .in_order = true,
				  .minor = e->minors[e->at++], .done = remove_each_next };
	dm_do(e->c->world, &e->sub);
}

static void remove_each_gather(struct remove_each *e, struct dm_world *w)
{
	struct list order, *n;

	list_init(&order);
	dm_move_order(w, &order);
	while ((n = list_take(&order))) {
		const struct dm_device *d = container(n, struct dm_device, moving.in_order);

		if (!dm_device_moving(d) || (e->c->flags & (DM_WITH_FORCE | DM_WITH_DEFERRED)))
			e->minors[e->n++] = d->minor;
	}
}

/* The one that is being removed may hang; nobody waits for it any more. */
static void remove_each_given_up(struct dm_cmd *c)
{
	struct remove_each *e = c->pending;

	e->c = NULL;
	dm_pending_done(c);
	dm_finish(c);
	dm_cancel(&e->sub);
}

void dm_do_remove_all(struct dm_cmd *c, struct dm_device *d)
{
	struct remove_each *e = calloc(1, sizeof(*e) + c->world->n_devices * sizeof(e->minors[0]));

	(void)d;
	if (!e) {
		dm_fail(c, -ENOMEM, "no memory to remove %zu devices", c->world->n_devices);
		return;
	}
	e->c = c;
	remove_each_gather(e, c->world);
	dm_pending(c, e, remove_each_given_up);
	remove_each_next(&e->sub);
}
