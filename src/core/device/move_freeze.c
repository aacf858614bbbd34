/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File systems on a device are frozen before it is suspended, so that the disk below has a clean one, and thawed when it
 * goes on. A front does that (dm_front.freeze), and it may hang: then the move is given up without it, and what is frozen
 * in the end is thawed at once.
 */
#include "core/device/move_own.h"

#include "base/log.h"
#include "core/device/devices.h"

/* The front that froze what is on D, or begins to: it answers with dm_freeze_done(). False: there is nothing to wait for. */
static bool ask_fronts(struct dm_device *d, bool thaw)
{
	struct list *n, *next;

	list_each(n, next, &d->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (f->freeze && (thaw ? f->thaw(f, d) : f->freeze(f, d)))
			return true;
	}
	return false;
}

static void freeze_change(struct dm_device *d, bool thaw)
{
	if (ask_fronts(d, thaw)) {
		d->moving.freeze_state = thaw ? DM_THAWING : DM_FREEZING;
		return;
	}
	d->moving.freeze_state = DM_THAWED;
	if (d->moving.freeze_awaited) {
		d->moving.freeze_awaited = false;
		dm_phase_done(d, NULL);
	}
}

static void freeze_run(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	d->moving.freeze_awaited = true;
	if (d->moving.freeze_state == DM_THAWED)
		freeze_change(d, false);		/* else it comes to an end that was not waited for */
}

static void thaw_run(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	if (d->moving.freeze_state != DM_FROZEN) {
		dm_phase_done(d, NULL);
		return;
	}
	d->moving.freeze_awaited = true;
	freeze_change(d, true);
}

static void freeze_give_up(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	d->moving.freeze_awaited = false;
	dm_phase_done(d, NULL);
}

static bool freezes(const struct dm_move *m, const struct dm_device *d)
{
	return !d->moving.was_suspended && !m->noflush && !m->nolockfs && d->active && d->open_count > d->users;
}

const struct dm_phase dm_phase_freeze = {
	.name = "file systems to be frozen", .concerns = freezes, .run = freeze_run, .undo = thaw_run, .give_up = freeze_give_up,
};

const struct dm_phase dm_phase_thaw = { .name = "file systems to be thawed", .run = thaw_run, .on_cancel = DM_GOES_ON };

/* Nobody waits: what was frozen for a move that was given up is not to stay so. */
static void freeze_unawaited(struct dm_device *d, const struct err *e)
{
	if (e->code)
		log_warn_of(d->name, "'%s': %s", d->name, e->text);
	if (d->moving.freeze_state == DM_FROZEN)
		freeze_change(d, true);
}

static bool is_freezing(const struct dm_move *m)
{
	return m->plan->legs[m->leg].phases[m->phase] == &dm_phase_freeze && !m->back;
}

void dm_freeze_done(struct dm_device *d, const struct err *e)
{
	struct dm_moving *g = &d->moving;
	bool waits = g->freeze_awaited, froze = g->freeze_state == DM_FREEZING;

	g->freeze_state = froze && !e->code ? DM_FROZEN : DM_THAWED;
	if (waits && !froze && is_freezing(g->move)) {
		freeze_change(d, false);
		return;
	}
	g->freeze_awaited = false;
	if (waits)
		dm_phase_done(d, e);
	else
		freeze_unawaited(d, e);
}
