/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves that are given up: by whoever asked for them, or because the world ends. See move_plans.c for what becomes of them. */
#include "core/device/move_own.h"

#include <errno.h>

#include "core/command/do.h"
#include "core/table/target.h"

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
	const struct dm_phase *p = dm_move_phase(m);

	if (m->err && !m->err->code)
		err_set(m->err, -EINTR, "cancelled");
	m->given_up = true;
	if (p->on_cancel == DM_TURNS_BACK && p->give_up)
		p->give_up(m, dm_move_device(m));
	else if (p->on_cancel == DM_ENDS_FIRST && m->cmd)
		move_answer(m);
}

void dm_move_cancel(struct dm_cmd *c)
{
	struct dm_move *m = c->device ? c->device->moving.move : NULL;

	if (!m || m->cmd != c || (m->given_up && !m->back))
		return;
	if (m->err && !m->err->code)
		err_set(m->err, -EINTR, "cancelled%s", m->committed ? ", but too late: it is being carried out" : "");
	if (m->back || m->committed)
		move_answer(m);
	else
		move_give_up(m);
}

/* A move that turns back opens its devices again. */
static bool release_one(struct dm_device *d)
{
	struct dm_move *m = d->moving.move;

	if (!m && d->state == DM_SUSPENDED && d->gate != DM_GATE_GONE)
		dm_move_release_one(d);
	if (!m || m->back || m->given_up || m->committed)
		return false;
	move_give_up(m);
	return true;
}

static void release_power(const struct dm_table *t)
{
	size_t i;

	for (i = 0; t && i < t->n; i++)
		if (t->targets[i].type->power)
			t->targets[i].type->power->release(&t->targets[i]);
}

void dm_move_release(struct dm_world *w)
{
	struct list *n, *next;

	w->releasing = true;
	list_each(n, next, &w->devices)
		release_power(container(n, struct dm_device, node)->active);
	list_each(n, next, &w->devices)
		if (release_one(container(n, struct dm_device, node)))
			next = w->devices.next;		/* that one may be gone, and others */
}
