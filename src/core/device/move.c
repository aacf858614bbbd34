/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine that carries a plan out: it stands at one phase of one device, goes to the next when that is over, and back
 * the same way when one failed or the command was given up. Phases that are over at once are a loop, not a recursion.
 */
#include "core/device/move_own.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/parts.h"
#include "core/device/step.h"

static bool leg_is_up(const struct dm_move *m)
{
	return m->plan->legs[m->leg].up;
}

static unsigned last_phase(const struct dm_leg *leg)
{
	unsigned n = 0;

	while (leg->phases[n])
		n++;
	return n - 1;
}

/* The first device of the leg that M is in, or its last. */
static struct list *leg_end(const struct dm_move *m, bool last)
{
	return leg_is_up(m) == last ? m->devices.next : m->devices.prev;
}

/* To the next phase; false: that was the last one. */
static bool step_forward(struct dm_move *m)
{
	if (m->plan->legs[m->leg].phases[++m->phase])
		return true;
	m->phase = 0;
	m->at = leg_is_up(m) ? m->at->prev : m->at->next;
	if (m->at != &m->devices)
		return true;
	if (!m->plan->legs[++m->leg].phases)
		return false;
	m->at = leg_end(m, false);
	return true;
}

/* To the one before; false: there is none. */
static bool step_back(struct dm_move *m)
{
	if (m->phase) {
		m->phase--;
		return true;
	}
	m->at = leg_is_up(m) ? m->at->next : m->at->prev;
	if (m->at == &m->devices) {
		if (!m->leg)
			return false;
		m->leg--;
		m->at = leg_end(m, true);
	}
	m->phase = last_phase(&m->plan->legs[m->leg]);
	return true;
}

/* Commands that waited for the transition; one of them may remove the device, or move it again. */
static void run_queue(struct dm_device *d)
{
	struct dm_world *w = d->world;
	uint32_t major = d->major, minor = d->minor;
	struct list *n;

	while (dm_find_number(w, major, minor) == d && !dm_device_moving(d) && (n = list_take(&d->queue)))
		dm_start(container(n, struct dm_cmd, node));
}

static void device_settle(struct dm_device *d, const struct dm_move *m)
{
	struct dm_moving *g = &d->moving;

	if (m->failed)
		d->state = g->was_suspended || g->stays_suspended ? DM_SUSPENDED : DM_ACTIVE;
	else
		d->state = m->plan->after;
	if (m->failed && g->swapped)
		dm_table_retire(d->world, g->leaving, NULL, NULL);	/* it stays suspended with the next one */
	else if (m->failed && g->incoming != d->inactive)
		dm_table_retire(d->world, g->incoming, NULL, NULL);
	g->incoming = NULL;
	g->move = NULL;
	g->gone = g->gone || (m->failed && m->plan->creates);
	g->ended = m->plan->end;
}

/* It was left out: when its phase is over, it is as if the move had not had it. */
static bool is_left_out(struct dm_device *d)
{
	if (d->moving.late)
		d->moving.left_at = NULL;
	d->moving.late = false;
	return d->moving.left_at;
}

/* Closed for the last time while it was moving: D, or the loop device that it is a partition of. */
static struct dm_device *closed_meanwhile(struct dm_device *d)
{
	struct dm_device *whole = d->whole ? d->whole : d;

	if (d->world->releasing || d->moving.refused || !whole->deferred || whole->open_count || dm_device_moving(whole))
		return NULL;
	return whole->disk && dm_part_in_use(whole) ? NULL : whole;
}

static void device_go_on(struct dm_device *d)
{
	struct dm_device *closed;

	if (is_left_out(d))
		return;
	if (d->moving.gone)
		dm_device_free(d);
	else if (d->world->releasing && d->state == DM_SUSPENDED && d->gate != DM_GATE_GONE)
		dm_move_release_one(d);
	else if ((closed = closed_meanwhile(d)))
		closed->last_close(closed);
	else
		run_queue(d);
}

/* The devices are settled first, all of them; then the command ends, and what waited for them begins. */
static void move_end(struct dm_move *m)
{
	struct dm_move end = *m;
	struct list devices, *n, *next;

	m->world->n_moves--;
	list_init(&devices);
	list_each(n, next, &m->devices)
		device_settle(container(n, struct dm_device, moving.node), m);
	while ((n = list_take(&m->devices)))
		list_append(&devices, n);
	if (m->on_heap)
		free(m);
	if (end.done)
		end.done(&end, container(devices.next, struct dm_device, moving.node));
	while ((n = list_take(&devices)))
		device_go_on(container(n, struct dm_device, moving.node));
}

static void step_run(struct dm_move *m)
{
	const struct dm_phase *p = dm_move_phase(m);
	struct dm_device *d = dm_move_device(m);
	bool concerns = !d->moving.left_at && (!p->concerns || p->concerns(m, d));

	if (m->back && concerns && p->undo && !d->moving.stays_suspended) {
		p->undo(m, d);
	} else if (m->back || !concerns) {
		m->stepped = true;
	} else {
		m->committed = m->committed || p->on_cancel == DM_GOES_ON;
		p->run(m, d);
	}
}

/* On to the phase after the one that is over. False: the move is over. */
static bool move_on(struct dm_move *m)
{
	if (!m->back && !m->committed && (m->failed || m->given_up))
		m->back = m->failed = true;
	else if (m->back ? !step_back(m) : !step_forward(m))
		return false;
	return true;
}

static void move_run(struct dm_move *m)
{
	m->running = true;
	do {
		m->stepped = false;
		step_run(m);
		if (!m->stepped) {
			m->running = false;
			return;
		}
	} while (move_on(m));
	m->running = false;
	move_end(m);
}

static void move_went_wrong(struct dm_move *m, struct dm_device *d, const struct err *e)
{
	if (m->given_up && !m->back)
		return;
	if (m->back)
		d->moving.stays_suspended = true;
	else if (!m->plan->end && !m->committed)
		m->failed = true;
	if (!m->err || m->plan->end)
		log_error_of(d->name, "%s of '%s': %s", m->plan->name, d->name, e->text);
	if (m->err && !m->err->code)
		*m->err = *e;
	else if (m->err && m->back)
		err_append(m->err, "; and '%s' stays suspended: %s", d->name, e->text);
}

static void phase_is_done(struct dm_move *m)
{
	m->n_done++;
	m->stepped = true;
	if (!m->running && move_on(m))
		move_run(m);
	else if (!m->running)
		move_end(m);
}

void dm_phase_done(struct dm_device *d, const struct err *e)
{
	struct dm_move *m = d->moving.move;

	if (d->moving.left_at) {
		d->moving.late = true;
		if (!m)
			device_go_on(d);
		return;
	}
	if (e && e->code)
		move_went_wrong(m, d, e);
	phase_is_done(m);
}

void dm_phase_failed(struct dm_device *d, const struct err *e)
{
	if (d->moving.move && !d->moving.left_at)
		move_went_wrong(d->moving.move, d, e);
}

void dm_move_leave_out(struct dm_move *m)
{
	dm_move_device(m)->moving.left_at = dm_move_phase(m);
	phase_is_done(m);
}

void dm_phase_round_done(struct dm_device *d)
{
	dm_phase_done(d, NULL);
}

void dm_phase_walked_back(void *arg, const struct err *e)
{
	struct dm_device *d = arg;

	dm_phase_done(d, e);
}

void dm_phase_walked(void *arg, const struct err *e)
{
	struct dm_device *d = arg;
	struct err said = *e;

	if (e->code && e->code != -EINTR)
		err_append(&said, "; '%s' stays as it was", d->name);
	dm_phase_done(d, &said);
}

void dm_move_join(struct dm_move *m, struct dm_device *d, struct dm_table *incoming)
{
	struct dm_moving *g = &d->moving;

	list_remove(&g->node);
	list_append(&m->devices, &g->node);
	g->move = m;
	g->incoming = incoming;
	g->leaving = NULL;
	g->was_suspended = d->state == DM_SUSPENDED;
	g->stays_suspended = g->swapped = g->gone = g->decided = g->refused = false;
}

static void move_prepare(struct dm_move *m, struct dm_world *w, const struct dm_plan *plan)
{
	m->world = w;
	m->plan = plan;
	m->several = m->devices.next != m->devices.prev;
	m->err = m->cmd ? &m->cmd->reply.err : m->err;
	m->noflush = m->cmd && (m->cmd->flags & DM_WITH_NOFLUSH);
	m->nolockfs = m->cmd && (m->cmd->flags & DM_WITH_NOLOCKFS);
	w->n_moves++;
}

/* The world ends: all is as it was. */
static void move_refuse(struct dm_move *m)
{
	if (m->err)
		err_set(m->err, -ESHUTDOWN, "%s of '%s' does not begin: the daemon is ending", m->plan->name, dm_move_device(m)->name);
	m->failed = true;
	move_end(m);
}

void dm_move_begin(struct dm_move *m, struct dm_world *w, const struct dm_plan *plan)
{
	struct list *n, *next;

	move_prepare(m, w, plan);
	m->at = m->devices.next;
	if (w->releasing && !plan->end && plan != &dm_plan_release) {
		move_refuse(m);
		return;
	}
	list_each(n, next, &m->devices) {
		struct dm_device *d = container(n, struct dm_device, moving.node);

		if (d->state == DM_ACTIVE)
			d->state = plan->during;
	}
	m->leg = m->phase = 0;
	m->at = leg_end(m, false);
	move_run(m);
}

/* Commands of one device alone. */
static void move_alone(struct dm_device *d, struct dm_cmd *c, const struct dm_plan *plan, struct dm_table *incoming,
		       dm_moved *done)
{
	struct dm_move *m = &d->moving.own;

	*m = (struct dm_move){ .cmd = c, .done = done };
	list_init(&m->devices);
	d->moving.below = false;
	dm_move_join(m, d, incoming);
	dm_move_begin(m, d->world, plan);
}

void dm_move_suspend(struct dm_device *d, struct dm_cmd *c, dm_moved *done)
{
	move_alone(d, c, &dm_plan_suspend, NULL, done);
}

void dm_move_resume(struct dm_device *d, struct dm_cmd *c, struct dm_table *table, dm_moved *done)
{
	move_alone(d, c, &dm_plan_resume, table, done);
}

void dm_move_create(struct dm_device *d, struct dm_cmd *c, struct dm_table *table, dm_moved *done)
{
	move_alone(d, c, &dm_plan_create, table, done);
}

void dm_move_remove(struct dm_device *d, struct dm_cmd *c, dm_moved *done)
{
	move_alone(d, c, &dm_plan_remove, NULL, done);
}

void dm_move_finish(struct dm_move *m, struct dm_device *d)
{
	(void)d;
	if (m->cmd)
		dm_finish(m->cmd);
}

void dm_move_release_one(struct dm_device *d)
{
	move_alone(d, NULL, &dm_plan_release, NULL, NULL);
}
