/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handing over: the daemon becomes another program (dm_world.hand_over), and the devices go on there. Until then all of them
 * stand still as one, disks too; what clients have asked waits at the gates, where the fronts find it again. Nothing is flushed:
 * the files stay open. If the other program cannot take over, the move turns back, and all devices go on here.
 */
#include "core/device/move_own.h"

#include <errno.h>
#include <stdlib.h>

#include "core/command/do.h"
#include "core/state/handed.h"

static bool is_first(const struct dm_move *m, const struct dm_device *d)
{
	return m->devices.next == &d->moving.node;
}

/* It was made, or a command moved it, after this move began. */
static const struct dm_device *still_active(const struct dm_move *m)
{
	struct list *n, *next;

	list_each(n, next, &m->world->devices) {
		const struct dm_device *d = container(n, struct dm_device, node);

		if (d->moving.move != m)
			return d;
	}
	return NULL;
}

static void hand_over_run(struct dm_move *m, struct dm_device *d)
{
	const struct dm_device *other = still_active(m);
	struct err e = ERR_INIT;

	if (other) {
		err_set(&e, -EBUSY, "device '%s' was created meanwhile; nothing has changed: try again", other->name);
		dm_phase_done(d, &e);
		return;
	}
	m->world->handing = m;
	m->world->hand_over(m->world, m->cmd);
}

const struct dm_phase dm_phase_hand_over = { .name = "new program", .concerns = is_first, .run = hand_over_run };

void dm_handed_back(struct dm_world *w, struct dm_cmd *c, const struct err *e)
{
	struct dm_move *m = w->handing;

	w->handing = NULL;
	if (m) {
		dm_phase_done(dm_move_device(m), e);
		return;
	}
	c->reply.err = *e;
	dm_finish(c);
}

/* C waits until no device is moving. */
static bool hand_over_waits(struct dm_cmd *c, struct list *devices)
{
	struct list *n, *next;

	list_each(n, next, devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		if (!dm_device_moving(d))
			continue;
		c->device = d;
		list_append(&d->queue, &c->node);
		return true;
	}
	return false;
}

static void hand_over_join(struct dm_move *m, struct dm_world *w)
{
	struct list order, *n;

	list_init(&order);
	dm_move_order_all(w, &order);
	while ((n = list_take(&order)))
		dm_move_join(m, container(n, struct dm_device, moving.in_order), NULL);
}

void dm_move_hand_over(struct dm_cmd *c)
{
	struct dm_world *w = c->world;
	struct dm_move *m;

	c->device = NULL;
	if (dm_hand_over_may(w, &c->reply.err)) {
		dm_finish(c);
		return;
	}
	if (hand_over_waits(c, &w->devices) || hand_over_waits(c, &w->disks))
		return;
	if (list_empty(&w->devices) && list_empty(&w->disks)) {
		w->hand_over(w, c);
		return;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		dm_fail(c, -ENOMEM, "no memory to hand the devices over");
		return;
	}
	list_init(&m->devices);
	m->cmd = c;
	m->done = dm_move_finish;
	m->on_heap = true;
	hand_over_join(m, w);
	c->device = container(m->devices.next, struct dm_device, moving.node);
	dm_move_begin(m, w, &dm_plan_hand_over);
}
