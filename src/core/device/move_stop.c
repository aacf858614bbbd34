/* SPDX-License-Identifier: BSD-2-Clause */
/* The phases that stop a device: see move_own.h; move_plans.c has their order. */
#include "core/device/move_own.h"

#include <errno.h>
#include <stdlib.h>

#include "core/path/flush.h"
#include "core/path/round.h"
#include "core/device/step.h"

static bool was_active(const struct dm_move *m, const struct dm_device *d)
{
	(void)m;
	return !d->moving.was_suspended;
}

/*
 * What is put back waits at the gate until the device is resumed. A device of the same move, from which it has come, would wait
 * for it: below others nothing is put back, but goes on.
 */
static unsigned walk_how(const struct dm_move *m, const struct dm_device *d)
{
	return (m->noflush && !d->moving.below ? DM_WALK_NOFLUSH : 0) | (m->plan->removes ? DM_WALK_ALL : 0) |
	       (m->plan == &dm_plan_hand_over ? DM_WALK_HAND_OVER : 0);
}

/* No other table has been started meanwhile, and no other program has taken over. */
static unsigned back_how(const struct dm_move *m)
{
	return m->plan->removes || m->plan == &dm_plan_suspend ? DM_WALK_BACK : 0;
}

/* The device stays suspended: nothing passes, not even from devices above. */
static void opened_not(struct dm_device *d, const struct err *e)
{
	if (d->gate != DM_GATE_INNER) {
		dm_phase_done(d, e);
		return;
	}
	dm_phase_failed(d, e);
	dm_round(d, DM_GATE_SHUT, false, NULL, dm_phase_round_done);
}

/* Back to the requests: the targets work again, then the gates open. */
static void opened_again(void *arg, const struct err *e)
{
	struct dm_device *d = arg;

	if (e->code)
		opened_not(d, e);
	else
		dm_round(d, DM_GATE_OPEN, false, d->active, dm_phase_round_done);
}

static void turn_back(struct dm_move *m, struct dm_device *d)
{
	d->state = DM_RESUMING;
	if (d->gate == DM_GATE_OPEN)
		dm_phase_done(d, NULL);
	else if (dm_walk_is_running(d->active))
		dm_round(d, DM_GATE_OPEN, false, d->active, dm_phase_round_done);	/* presuspend was given up: nobody waits for it */
	else
		dm_walk_up(m->world, d->active, DM_RUNNING, back_how(m), opened_again, d);
}

/* Several devices: all of them hold what comes from outside, and those below others still take what comes from there. */
static void shut_run(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_round(d, d->moving.below ? DM_GATE_INNER : DM_GATE_SHUT, false, d->active, dm_phase_round_done);
}

/* What presuspend puts back is to stay where it is put. */
static bool shuts_first(const struct dm_move *m, const struct dm_device *d)
{
	return was_active(m, d) && m->noflush && d->active && d->active->hooked;
}

const struct dm_phase dm_phase_shut_first = {
	.name = "gate", .concerns = shuts_first, .run = shut_run, .undo = turn_back,
};

static void presuspend_run(struct dm_move *m, struct dm_device *d)
{
	dm_walk_down(d->active, DM_READY, walk_how(m, d), dm_phase_walked, d);
}

static void presuspend_undo(struct dm_move *m, struct dm_device *d)
{
	if (dm_walk_is_running(d->active))
		dm_phase_done(d, NULL);
	else
		dm_walk_up(m->world, d->active, DM_RUNNING, back_how(m), dm_phase_walked_back, d);
}

static void presuspend_give_up(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_walk_give_up(d->active, DM_RUNNING);
}

const struct dm_phase dm_phase_presuspend = {
	.name = "presuspend", .concerns = was_active, .run = presuspend_run, .undo = presuspend_undo,
	.give_up = presuspend_give_up,
};

/* One device is shut and drained in one round. */
static bool shuts(const struct dm_move *m, const struct dm_device *d)
{
	return was_active(m, d) && m->several && !shuts_first(m, d);
}

const struct dm_phase dm_phase_shut = {
	.name = "gate", .concerns = shuts, .run = shut_run, .undo = turn_back,
};

static void drain_run(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	dm_round(d, DM_GATE_SHUT, true, NULL, dm_phase_round_done);
}

static void drain_give_up(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	if (d->acks)
		dm_round_cancel_drain(d);
}

const struct dm_phase dm_phase_drain = {
	.name = "requests under way", .concerns = was_active, .run = drain_run, .undo = turn_back, .give_up = drain_give_up,
};

/* A flush on its way. Whoever gives it up leaves it alone. */
struct dm_flushing {
	struct dm_device *device;	/* NULL: it was given up */
	struct dm_table *table;
};

static void flush_failed(struct dm_device *d, const struct err *e)
{
	struct err said = ERR_INIT;

	err_set(&said, e->code, "%s; '%s' continues as before (--noflush omits the flush)", e->text, d->name);
	dm_phase_done(d, &said);
}

static void flushed(void *arg, const struct err *e)
{
	struct dm_flushing *f = arg;
	struct dm_device *d = f->device;
	struct dm_table *t = f->table;

	free(f);
	if (d) {
		d->moving.flushing = NULL;
		dm_table_drop(t);
		if (e->code)
			flush_failed(d, e);
		else
			dm_phase_done(d, NULL);
	} else {
		dm_table_drop(t);
	}
}

static void flush_run(struct dm_move *m, struct dm_device *d)
{
	struct dm_flushing *f = malloc(sizeof(*f));
	struct err e = ERR_INIT;

	(void)m;
	if (!f) {
		err_set(&e, -ENOMEM, "no memory to flush '%s'", d->name);
		dm_phase_done(d, &e);
		return;
	}
	*f = (struct dm_flushing){ d, d->active };
	d->moving.flushing = f;
	dm_table_hold(f->table);
	dm_flush_device(d, flushed, f);
}

static void flush_give_up(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	d->moving.flushing->device = NULL;
	d->moving.flushing = NULL;
	dm_phase_done(d, NULL);
}

/* At the world's end all stores are flushed together, later. */
static bool flushes(const struct dm_move *m, const struct dm_device *d)
{
	return was_active(m, d) && !m->noflush && d->active && !d->active->readonly && (!m->plan->end || d->active->hooked || d->active->n_flushers);
}

const struct dm_phase dm_phase_flush = { .name = "flush", .concerns = flushes, .run = flush_run, .give_up = flush_give_up };

static void postsuspend_run(struct dm_move *m, struct dm_device *d)
{
	dm_walk_down(d->active, DM_IDLE, walk_how(m, d), dm_phase_walked, d);
}

/* What it has committed it does not take back; but its targets work again before the gates open (turn_back()). */
const struct dm_phase dm_phase_postsuspend = {
	.name = "postsuspend", .concerns = was_active, .run = postsuspend_run, .on_cancel = DM_ENDS_FIRST,
};

static void retire_lines_run(struct dm_move *m, struct dm_device *d)
{
	dm_walk_down(d->active, DM_GONE, walk_how(m, d), dm_phase_walked, d);
}

/* At the world's end, while what is below still works. A removal comes to it when it frees the table. */
const struct dm_phase dm_phase_retire_lines = { .name = "retire", .run = retire_lines_run, .on_cancel = DM_ENDS_FIRST };
