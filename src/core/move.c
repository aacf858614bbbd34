/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transitions of a device: see move.h.
 *
 *   suspend        shut round (drain) -> flush -> SUSPENDED
 *   resume, swap   [shut round -> flush ->] exchange tables -> open round -> ACTIVE
 *
 * A flush that fails, or a client that gives up, turns the way back: the lanes
 * are opened again with the table they had.
 */
#include "core/move.h"

#include <errno.h>

#include "core/devices.h"
#include "core/do.h"
#include "core/fault.h"
#include "core/flush.h"
#include "core/linux.h"
#include "core/round.h"

static void release(struct dm_device *d);

/* Commands that waited for the transition; one of them may remove the device, or move it again. */
static void run_queue(struct dm_device *d)
{
	struct dm_world *w = d->world;
	uint32_t minor = d->minor;
	struct list *n;

	while (dm_find_minor(w, minor) == d && !dm_device_moving(d) && (n = list_take(&d->queue)))
		dm_start(container(n, struct dm_cmd, node));
}

/* The transition is over: its command ends, and what waited for it begins. */
static void settle(struct dm_device *d, enum dm_state state)
{
	struct dm_cmd *c = d->mover;

	d->state = state;
	d->mover = NULL;
	d->hurried = false;
	if (d->over && !d->over(d, c))
		return;
	d->incoming = NULL;
	if (d->world->releasing && d->state == DM_SUSPENDED)
		release(d);
	else if (d->deferred && d->open_count == 0)
		dm_device_free(d);
	else
		run_queue(d);
}

/* One front after the other: each may take its time. */
static void follow(struct dm_device *d)
{
	struct list *n, *next;
	unsigned i = 0;

	list_each(n, next, &d->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (i++ < d->n_followed)
			continue;
		d->n_followed = i;
		if (f->follow && f->follow(f, d, &d->followed))
			return;
	}
	settle(d, DM_ACTIVE);
}

static void followed(struct loop_msg *msg)
{
	follow(container(msg, struct dm_device, followed));
}

static void opened(struct dm_device *d)
{
	struct dm_table *old = d->leaving;
	bool swapped = d->incoming && d->active == d->incoming;

	d->leaving = NULL;
	if (old && old->sectors != dm_device_sectors(d))
		d->geometry = (struct dm_geometry){ 0 };	/* it was of another size */
	dm_table_free(old);
	if (!swapped) {
		settle(d, DM_ACTIVE);
		return;
	}
	d->locked = false;
	d->lived = true;
	dm_device_read_ahead(d);
	dm_faults_forget(d);
	dm_device_changed(d, DM_SWAPPED);
	d->n_followed = 0;
	d->followed.run = followed;
	follow(d);
}

/* Drained, and flushed if that was asked for: on to the new table, or stay shut. */
static void drained_and_flushed(struct dm_device *d)
{
	if (!d->reopening) {
		settle(d, DM_SUSPENDED);
		return;
	}
	if (d->incoming) {
		d->leaving = d->active;
		if (d->leaving)
			d->leaving->device = NULL;
		d->active = d->incoming;
	}
	d->state = DM_RESUMING;
	dm_round(d, DM_GATE_OPEN, d->active, opened);
}

static void turn_back(struct dm_device *d)
{
	d->state = DM_RESUMING;
	dm_round(d, DM_GATE_OPEN, d->active, opened);
}

static void flushed(void *arg, const struct err *e)
{
	struct dm_device *d = arg;
	struct err *mine = &d->mover->reply.err;

	if (d->hurried) {
		err_set(mine, -EINTR, "cancelled");
		turn_back(d);
	} else if (e->code) {
		err_set(mine, e->code, "%s; '%s' goes on as it was (--noflush leaves the flush out)", e->text, d->name);
		turn_back(d);
	} else {
		drained_and_flushed(d);
	}
}

static void drained(struct dm_device *d)
{
	struct err gone = { .code = -EINTR };

	if (d->hurried)
		flushed(d, &gone);
	else if (d->active && !d->active->readonly && !(d->mover->flags & DM_WITH_NOFLUSH))
		dm_flush_device(d, flushed, d);
	else
		drained_and_flushed(d);
}

static void begin(struct dm_device *d, struct dm_cmd *c, bool (*over)(struct dm_device *d, struct dm_cmd *c))
{
	d->mover = c;
	d->over = over;
	if (d->state == DM_SUSPENDED) {
		drained_and_flushed(d);
	} else {
		d->state = DM_SUSPENDING;
		dm_round(d, DM_GATE_SHUT, NULL, drained);
	}
}

static bool just_finish(struct dm_device *d, struct dm_cmd *c)
{
	(void)d;
	dm_finish(c);
	return true;
}

void dm_do_suspend(struct dm_cmd *c, struct dm_device *d)
{
	if (d->state == DM_SUSPENDED) {
		dm_finish(c);
		return;
	}
	d->reopening = false;
	begin(d, c, just_finish);
}

void dm_move_resume(struct dm_device *d, struct dm_cmd *c, struct dm_table *table,
		    bool (*over)(struct dm_device *d, struct dm_cmd *c))
{
	d->reopening = true;
	d->incoming = table;
	begin(d, c, over);
}

static void resumed(struct dm_cmd *c, struct dm_device *d)
{
	if (!c->reply.err.code)
		dm_device_set_read_ahead(d, &c->read_ahead);
	dm_finish(c);
}

/* The table has left the inactive slot only if the swap went through. */
static bool resume_over(struct dm_device *d, struct dm_cmd *c)
{
	if (!c->reply.err.code && d->active == d->inactive)
		d->inactive = NULL;
	resumed(c, d);
	return true;
}

static void resume_misfit(struct dm_cmd *c, struct dm_device *d)
{
	if (!dm_linux_loses_what_does_not_fit(c)) {
		dm_finish(c);
		return;
	}
	dm_table_free(d->inactive);
	d->inactive = NULL;
	dm_do_suspend(c, d);
}

void dm_do_resume(struct dm_cmd *c, struct dm_device *d)
{
	if (d->state == DM_ACTIVE && !d->inactive)
		resumed(c, d);
	else if (!d->active && !d->inactive)
		dm_fail(c, -EINVAL, "device '%s' has no table to go on with; load one first", d->name);
	else if (d->inactive && dm_table_fits(d->inactive, &c->reply.err))
		resume_misfit(c, d);
	else
		dm_move_resume(d, c, d->inactive, resume_over);
}

void dm_move_cancel(struct dm_device *d)
{
	if (d->state != DM_SUSPENDING || d->hurried)
		return;
	d->hurried = true;
	if (d->acks)
		dm_round_hurry(d);
}

static void released(struct dm_device *d)
{
	d->over = NULL;
	settle(d, DM_ACTIVE);
}

static void release(struct dm_device *d)
{
	d->state = DM_RESUMING;
	dm_round(d, DM_GATE_GONE, d->active, released);
}

void dm_move_release(struct dm_world *w)
{
	struct list *n, *next;

	w->releasing = true;
	list_each(n, next, &w->devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		if (d->state == DM_SUSPENDED)
			release(d);
	}
}
