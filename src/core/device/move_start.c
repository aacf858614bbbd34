/* SPDX-License-Identifier: BSD-2-Clause */
/* The phases that have a device go on, with the table it had or with another one: see move_own.h. */
#include "core/device/move_own.h"

#include <errno.h>
#include <time.h>

#include "core/device/devices.h"
#include "core/device/event.h"
#include "core/path/fault.h"
#include "core/path/round.h"
#include "core/device/step.h"

static struct dm_table *next_table(const struct dm_device *d)
{
	return d->moving.incoming ? d->moving.incoming : d->active;
}

static void preresume_run(struct dm_move *m, struct dm_device *d)
{
	dm_walk_up(m->world, next_table(d), DM_READY, 0, dm_phase_walked, d);
}

static void preresume_undo(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	if (dm_walk_is_running(next_table(d)))
		dm_phase_done(d, NULL);
	else
		dm_walk_down(next_table(d), DM_IDLE, 0, dm_phase_walked_back, d);
}

static void preresume_give_up(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_walk_give_up(next_table(d), DM_IDLE);
}

const struct dm_phase dm_phase_preresume = {
	.name = "preresume", .run = preresume_run, .undo = preresume_undo, .give_up = preresume_give_up,
};

static bool has_next(const struct dm_move *m, const struct dm_device *d)
{
	(void)m;
	return d->moving.incoming;
}

/* The table leaves the inactive slot, if it was there. */
static void exchange_run(struct dm_move *m, struct dm_device *d)
{
	struct dm_moving *g = &d->moving;

	dm_events_count(m->world);
	dm_event_active(d->active, false);
	g->leaving = d->active;
	d->active = g->incoming;
	dm_event_active(d->active, true);
	d->active_since = (uint64_t)time(NULL);
	g->from_slot = d->inactive == g->incoming;
	if (g->from_slot)
		d->inactive = NULL;
	g->swapped = true;
	g->incoming->device = d;
	dm_phase_done(d, NULL);
}

static void exchange_undo(struct dm_move *m, struct dm_device *d)
{
	struct dm_moving *g = &d->moving;

	if (g->swapped) {
		dm_events_count(m->world);
		dm_event_active(g->incoming, false);
		d->active = g->leaving;
		dm_event_active(d->active, true);
		g->leaving = NULL;
		if (g->from_slot)
			d->inactive = g->incoming;
		g->swapped = false;
	}
	dm_phase_done(d, NULL);
}

const struct dm_phase dm_phase_exchange = {
	.name = "exchange", .concerns = has_next, .run = exchange_run, .undo = exchange_undo,
};

/* Several devices: what stands on this one may read from it by now, and nobody else. */
static void started(void *arg, const struct err *e)
{
	struct dm_device *d = arg;

	if (e->code)
		dm_phase_walked(d, e);
	else if (d->moving.below)
		dm_round(d, DM_GATE_INNER, false, d->active, dm_phase_round_done);
	else
		dm_phase_done(d, NULL);
}

static void start_run(struct dm_move *m, struct dm_device *d)
{
	d->state = DM_RESUMING;
	dm_walk_up(m->world, d->active, DM_RUNNING, 0, started, d);
}

static void stopped(void *arg, const struct err *e)
{
	struct dm_device *d = arg;

	if (e->code)
		dm_phase_walked_back(d, e);
	else if (d->gate == DM_GATE_INNER)
		dm_round(d, DM_GATE_SHUT, true, NULL, dm_phase_round_done);
	else
		dm_phase_done(d, NULL);
}

static void start_undo(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_walk_down(d->active, DM_READY, 0, stopped, d);
}

const struct dm_phase dm_phase_start = {
	.name = "resume", .run = start_run, .undo = start_undo, .on_cancel = DM_ENDS_FIRST,
};

static void open_run(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_round(d, DM_GATE_OPEN, false, d->active, dm_phase_round_done);
}

const struct dm_phase dm_phase_open = { .name = "gate", .run = open_run, .on_cancel = DM_GOES_ON };

static bool was_swapped(const struct dm_move *m, const struct dm_device *d)
{
	(void)m;
	return d->moving.swapped;
}

/* No thread knows the old table any more. */
static void old_is_gone(void *arg)
{
	struct dm_device *d = arg;

	dm_faults_forget(d);
	dm_device_changed(d, DM_SWAPPED);
	d->moving.n_followed = 0;
	dm_phase_done(d, NULL);
}

static void retire_old_run(struct dm_move *m, struct dm_device *d)
{
	struct dm_table *old = d->moving.leaving;

	d->moving.leaving = NULL;
	dm_table_retire(m->world, old, old_is_gone, d);
}

const struct dm_phase dm_phase_retire_old = {
	.name = "old table's end", .concerns = was_swapped, .run = retire_old_run, .on_cancel = DM_GOES_ON,
};

/* One front after the other: each may take its time. */
static void follow_run(struct dm_move *m, struct dm_device *d)
{
	struct dm_front *f;

	while ((f = dm_front_next(m->world, &d->moving.n_followed)))
		if (f->follow && f->follow(f, d, &d->followed))
			return;
	dm_phase_done(d, NULL);
}

static void followed(struct loop_msg *msg)
{
	struct dm_device *d = container(msg, struct dm_device, followed);

	follow_run(d->moving.move, d);
}

static void follow_begin(struct dm_move *m, struct dm_device *d)
{
	d->followed.run = followed;
	follow_run(m, d);
}

const struct dm_phase dm_phase_follow = {
	.name = "files and loop devices", .concerns = was_swapped, .run = follow_begin, .on_cancel = DM_GOES_ON,
};
