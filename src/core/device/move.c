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
#include "core/device/step.h"

static struct dm_device *device_at(const struct dm_move *m)
{
	return container(m->at, struct dm_device, moving.node);
}

static const struct dm_phase *phase_at(const struct dm_move *m)
{
	return m->plan->legs[m->leg].phases[m->phase];
}

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
	uint32_t minor = d->minor;
	struct list *n;

	while (dm_find_minor(w, minor) == d && !dm_device_moving(d) && (n = list_take(&d->queue)))
		dm_start(container(n, struct dm_cmd, node));
}

static void device_settle(struct dm_device *d, const struct dm_move *m)
{
	struct dm_moving *g = &d->moving;

	if (m->failed)
		d->state = g->was_suspended || g->stays ? DM_SUSPENDED : DM_ACTIVE;
	else
		d->state = m->plan->after;
	if (m->failed && g->incoming != d->inactive)
		dm_table_retire(d->world, g->incoming, NULL, NULL);
	g->incoming = NULL;
	g->move = NULL;
	g->gone = g->gone || (m->failed && m->plan->creates);
}

static void device_go_on(struct dm_device *d)
{
	if (d->moving.gone)
		dm_device_free(d);
	else if (d->world->releasing && d->state == DM_SUSPENDED)
		dm_move_gone(d);
	else if (d->deferred && d->open_count == 0)
		dm_move_remove(d, NULL, NULL);
	else
		run_queue(d);
}

/* The devices are settled first, all of them; then the command ends, and what waited for them begins. */
static void move_over(struct dm_move *m)
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
	if (end.over)
		end.over(&end, container(devices.next, struct dm_device, moving.node));
	while ((n = list_take(&devices)))
		device_go_on(container(n, struct dm_device, moving.node));
}

static void step_run(struct dm_move *m)
{
	const struct dm_phase *p = phase_at(m);
	struct dm_device *d = device_at(m);
	bool concerns = !p->concerns || p->concerns(m, d);

	if (m->back && concerns && p->undo && !d->moving.stays) {
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
	move_over(m);
}

static void move_went_wrong(struct dm_move *m, const struct err *e)
{
	struct dm_device *d = device_at(m);

	if (m->given_up && !m->back)
		return;
	if (m->back)
		d->moving.stays = true;
	else if (!m->plan->end && !m->committed)
		m->failed = true;
	if (!m->err || m->plan->end)
		log_error("%s of '%s': %s", m->plan->name, d->name, e->text);
	if (m->err && !m->err->code)
		*m->err = *e;
	else if (m->err && m->back)
		err_append(m->err, "; and '%s' stays suspended: %s", d->name, e->text);
}

void dm_phase_over(struct dm_move *m, const struct err *e)
{
	if (e && e->code)
		move_went_wrong(m, e);
	m->stepped = true;
	if (!m->running && move_on(m))
		move_run(m);
	else if (!m->running)
		move_over(m);
}

void dm_phase_round_over(struct dm_device *d)
{
	dm_phase_over(d->moving.move, NULL);
}

void dm_phase_walked_back(void *arg, const struct err *e)
{
	struct dm_device *d = arg;

	dm_phase_over(d->moving.move, e);
}

void dm_phase_walked(void *arg, const struct err *e)
{
	struct dm_device *d = arg;
	struct err said = *e;

	if (e->code && e->code != -EINTR)
		err_append(&said, "; '%s' stays as it was", d->name);
	dm_phase_over(d->moving.move, &said);
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
	g->stays = g->swapped = g->gone = false;
}

void dm_move_begin(struct dm_move *m, struct dm_world *w, const struct dm_plan *plan)
{
	struct list *n, *next;

	m->world = w;
	m->plan = plan;
	m->several = m->devices.next != m->devices.prev;
	m->err = m->cmd ? &m->cmd->reply.err : m->err;
	m->noflush = m->cmd && (m->cmd->flags & DM_WITH_NOFLUSH);
	m->nolockfs = m->cmd && (m->cmd->flags & DM_WITH_NOLOCKFS);
	list_each(n, next, &m->devices) {
		struct dm_device *d = container(n, struct dm_device, moving.node);

		if (d->state == DM_ACTIVE)
			d->state = plan->during;
	}
	w->n_moves++;
	m->leg = m->phase = 0;
	m->at = leg_end(m, false);
	move_run(m);
}

/* Commands of one device alone. */
static void move_alone(struct dm_device *d, struct dm_cmd *c, const struct dm_plan *plan, struct dm_table *incoming,
		       dm_moved *over)
{
	struct dm_move *m = &d->moving.own;

	*m = (struct dm_move){ .cmd = c, .over = over };
	list_init(&m->devices);
	d->moving.below = false;
	dm_move_join(m, d, incoming);
	dm_move_begin(m, d->world, plan);
}

void dm_move_suspend(struct dm_device *d, struct dm_cmd *c, dm_moved *over)
{
	move_alone(d, c, &dm_plan_suspend, NULL, over);
}

void dm_move_resume(struct dm_device *d, struct dm_cmd *c, struct dm_table *table, dm_moved *over)
{
	move_alone(d, c, &dm_plan_resume, table, over);
}

void dm_move_create(struct dm_device *d, struct dm_cmd *c, struct dm_table *table, dm_moved *over)
{
	move_alone(d, c, &dm_plan_create, table, over);
}

void dm_move_remove(struct dm_device *d, struct dm_cmd *c, dm_moved *over)
{
	move_alone(d, c, &dm_plan_remove, NULL, over);
}

void dm_move_finish(struct dm_move *m, struct dm_device *d)
{
	(void)d;
	if (m->cmd)
		dm_finish(m->cmd);
}

/* The command has its answer; the move goes on without it. */
static void move_answer(struct dm_move *m)
{
	struct dm_cmd *c = m->cmd;

	m->cmd = NULL;
	m->err = NULL;
	dm_finish(c);
}

static void move_give_up(struct dm_move *m)
{
	const struct dm_phase *p = phase_at(m);

	if (m->err && !m->err->code)
		err_set(m->err, -EINTR, "cancelled");
	m->given_up = true;
	if (p->on_cancel == DM_TURNS_BACK && p->give_up)
		p->give_up(m, device_at(m));
	else if (p->on_cancel == DM_ENDS_FIRST && m->cmd)
		move_answer(m);
}

void dm_move_cancel(struct dm_cmd *c)
{
	struct dm_move *m = c->device ? c->device->moving.move : NULL;

	if (!m || m->cmd != c || m->given_up || m->committed)
		return;
	if (m->back)
		move_answer(m);
	else
		move_give_up(m);
}

void dm_move_gone(struct dm_device *d)
{
	move_alone(d, NULL, &dm_plan_release, NULL, NULL);
}

/* A move that turns back opens its devices again. */
static bool release_one(struct dm_device *d)
{
	struct dm_move *m = d->moving.move;

	if (!m && d->state == DM_SUSPENDED)
		dm_move_gone(d);
	if (!m || m->back || m->given_up || m->committed)
		return false;
	move_give_up(m);
	return true;
}

void dm_move_release(struct dm_world *w)
{
	struct list *n, *next;

	w->releasing = true;
	list_each(n, next, &w->devices)
		if (release_one(container(n, struct dm_device, node)))
			next = w->devices.next;		/* that one may be gone, and others */
}

void dm_move_where(struct dm_world *w, struct text *out)
{
	struct list *n, *next;
	char buffer[160];

	list_each(n, next, &w->devices) {
		const struct dm_device *d = container(n, struct dm_device, node);
		const struct dm_move *m = d->moving.move;

		if (!m || device_at(m) != d)
			continue;
		text_printf(out, "%s of '%s' waits for its %s", m->plan->name, d->name, phase_at(m)->name);
		if (*dm_walk_where(d->active, buffer, sizeof(buffer)) || *dm_walk_where(d->moving.incoming, buffer, sizeof(buffer)))
			text_printf(out, ": %s", buffer);
		text_add(out, "\n");
	}
}
