/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several devices as one, whatever order they were named in: what stands on others comes before them. Nobody waits for one
 * while he has another: a command that meets a device in transition waits in its queue, with nothing in hand.
 */
#include "core/device/move_own.h"

#include <errno.h>
#include <stdlib.h>

#include "core/device/devices.h"
#include "core/command/do.h"

struct ordering {
	struct list *order;
	uint64_t walk;
	bool all;		/* else only those that are chosen */
	bool disks;		/* all: these too */
};

/* The Ith of those that the lines' words do not name. */
static const struct dm_store *order_also(const struct dm_table *t, size_t i)
{
	const struct dm_store *s;
	size_t line, k;

	for (line = 0; line < t->n; line++)
		for (k = 0; t->targets[line].type->also && (s = t->targets[line].type->also(&t->targets[line], k)); k++)
			if (!i--)
				return s;
	return NULL;
}

/* Store I of D's tables, first those of the active one; or NULL: there are no more. */
static const struct dm_store *order_store(const struct dm_device *d, size_t i)
{
	size_t n = d->active ? d->active->n_stores : 0, m = d->inactive ? d->inactive->n_stores : 0;

	if (i < n)
		return d->active->stores[i];
	if (i - n < m)
		return d->inactive->stores[i - n];
	return d->active ? order_also(d->active, i - n - m) : NULL;
}

/* The next device below D that was not visited yet, or NULL. */
static struct dm_device *order_below(const struct ordering *o, struct dm_device *d)
{
	const struct dm_store *s;

	while ((s = order_store(d, d->walk_at++))) {
		if (s->device && s->device->moving.chosen)	/* another one may be in another move */
			s->device->moving.below = true;
		if (s->device && dm_device_first_visit(s->device, o->walk))
			return s->device;
	}
	return NULL;
}

/* Whoever is through with all that is below him goes in front of it. */
static void order_visit(struct ordering *o, struct dm_device *d)
{
	struct dm_device *below;

	if (!dm_device_first_visit(d, o->walk))
		return;
	d->walk_next = NULL;
	d->walk_at = 0;
	while (d) {
		below = order_below(o, d);
		if (below) {
			below->walk_next = d;
			below->walk_at = 0;
			d = below;
			continue;
		}
		if (o->all ? o->disks || !d->disk : d->moving.chosen)
			list_append(o->order->next, &d->moving.in_order);
		d = d->walk_next;
	}
}

static void order_each(struct ordering *o, struct list *devices)
{
	struct list *n, *next;

	list_each(n, next, devices)
		order_visit(o, container(n, struct dm_device, node));
}

void dm_move_order(struct dm_world *w, struct list *order)
{
	struct ordering o = { .order = order, .walk = ++w->walks, .all = true };

	order_each(&o, &w->devices);
}

static void choose_each(struct list *devices, bool chosen)
{
	struct list *n, *next;

	list_each(n, next, devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		d->moving.chosen = chosen;
		d->moving.below = d->moving.below && !chosen;
	}
}

void dm_move_order_all(struct dm_world *w, struct list *order)
{
	struct ordering o = { .order = order, .walk = ++w->walks, .all = true, .disks = true };

	choose_each(&w->devices, true);
	choose_each(&w->disks, true);
	order_each(&o, &w->devices);
	order_each(&o, &w->disks);
	choose_each(&w->devices, false);
	choose_each(&w->disks, false);
}

static struct dm_device *group_device(const struct dm_cmd *c, size_t i)
{
	return dm_find_name_as(c->world, c->names[i], dm_mangling(c));
}

/* All are there, and none is moving; else C has its answer, or waits. */
static bool group_is_ready(struct dm_cmd *c)
{
	struct dm_device *d;
	size_t i;

	for (i = 0; i < c->n_names; i++) {
		d = group_device(c, i);
		if (!d) {
			dm_fail(c, -ENXIO, "no device is named '%.128s'", c->names[i]);
			return false;
		}
		if (dm_device_moving(d)) {
			c->device = d;		/* in whose queue it can be found */
			list_append(&d->queue, &c->node);
			return false;
		}
	}
	c->device = group_device(c, 0);
	return true;
}

/* Does D have to move? Negative: it cannot, and C's reply says why. */
static int group_wants(struct dm_cmd *c, struct dm_device *d)
{
	if (c->verb == DM_DO_SUSPEND)
		return d->state != DM_SUSPENDED;
	if (!d->active && !d->inactive)
		return err_set(&c->reply.err, -EINVAL, "device '%s' has no table to resume with; load one first", d->name);
	if (d->inactive ? d->inactive->lost : d->active->lost)
		return err_set(&c->reply.err, -ESTALE, "a table of '%s' could not be brought back; resume it alone, which tries again, or load another one",
			       d->name);
	if (d->inactive && dm_table_fits(d->inactive, &c->reply.err))
		return c->reply.err.code;
	return d->state == DM_SUSPENDED || d->inactive;
}

static int group_choose(struct dm_cmd *c)
{
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < c->n_names; i++) {
		struct dm_device *d = group_device(c, i);

		r = group_wants(c, d);
		d->moving.chosen = r > 0;
		d->moving.below = false;
	}
	return r < 0 ? r : 0;
}

/* The devices of T that WALK has not visited yet are to be; one that the move is to resume is returned. */
static const struct dm_device *visit_suspended(const struct dm_table *t, uint64_t walk, struct dm_device **to_visit)
{
	size_t i;

	for (i = 0; t && i < t->n_stores; i++) {
		struct dm_device *below = t->stores[i]->device;

		if (!below || !dm_device_first_visit(below, walk))
			continue;
		if (below->moving.chosen && below->state == DM_SUSPENDED)
			return below;
		below->walk_next = *to_visit;
		*to_visit = below;
	}
	return NULL;
}

/* A device that the move is to resume, and that T leads to without passing one that WALK has been to; or NULL. */
static const struct dm_device *suspended_below(const struct dm_table *t, uint64_t walk)
{
	struct dm_device *to_visit = NULL, *d;
	const struct dm_device *found = visit_suspended(t, walk, &to_visit);

	while (!found && (d = to_visit)) {
		to_visit = d->walk_next;
		found = visit_suspended(d->active, walk, &to_visit);
		found = found ? found : visit_suspended(d->inactive, walk, &to_visit);
	}
	return found;
}

/*
 * Requests of a device that is to have another table end first, and they end only below: what they wait for there cannot be
 * resumed by the same move.
 */
static int group_check(struct dm_cmd *c)
{
	uint64_t walk = ++c->world->walks;
	const struct dm_device *below = NULL, *d = NULL;
	size_t i;

	for (i = 0; c->verb == DM_DO_RESUME && !below && i < c->n_names; i++) {
		d = group_device(c, i);
		if (d->state != DM_SUSPENDED && d->inactive)
			below = suspended_below(d->active, walk);
	}
	if (!below)
		return 0;
	return err_set(&c->reply.err, -EBUSY, "device '%s' has requests that wait for '%s', which is suspended: resume that one first",
		       d->name, below->name);
}

static void group_order(struct dm_cmd *c, struct list *order)
{
	struct ordering o = { .order = order, .walk = ++c->world->walks };
	size_t i;

	for (i = 0; i < c->n_names; i++)
		order_visit(&o, group_device(c, i));
}

static void group_join(struct dm_move *m, struct list *order)
{
	struct list *n;

	while ((n = list_take(order))) {
		struct dm_device *d = container(n, struct dm_device, moving.in_order);

		d->moving.chosen = false;
		dm_move_join(m, d, m->cmd->verb == DM_DO_RESUME ? d->inactive : NULL);
	}
}

static void group_drop(const struct dm_cmd *c)
{
	size_t i;

	for (i = 0; i < c->n_names; i++)
		group_device(c, i)->moving.chosen = false;
}

/* Of one that went on as it did; the others have it. */
static void group_read_ahead(struct dm_cmd *c, struct dm_device *d)
{
	uint32_t was = d->read_ahead;

	dm_device_set_read_ahead(d, &c->read_ahead);
	if (d->read_ahead != was && dm_record_device(d, c))
		d->read_ahead = was;
}

static void group_done(struct dm_move *m, struct dm_device *first)
{
	const struct dm_cmd *c = m->cmd;
	size_t i;

	for (i = 0; c && !m->failed && c->verb == DM_DO_RESUME && i < c->n_names; i++)
		group_read_ahead(m->cmd, group_device(c, i));
	dm_move_finish(m, first);
}

void dm_move_group(struct dm_cmd *c)
{
	struct dm_move *m;
	struct list order;

	if (!group_is_ready(c))
		return;
	m = calloc(1, sizeof(*m));
	if (!m)
		err_set(&c->reply.err, -ENOMEM, "no memory to move %zu devices as one", c->n_names);
	if (!m || group_choose(c) || group_check(c)) {
		group_drop(c);
		free(m);
		dm_finish(c);
		return;
	}
	list_init(&order);
	list_init(&m->devices);
	group_order(c, &order);
	if (list_empty(&order)) {
		free(m);
		dm_finish(c);
		return;
	}
	m->cmd = c;
	m->done = group_done;
	m->on_heap = true;
	group_join(m, &order);
	c->device = container(m->devices.next, struct dm_device, moving.node);
	dm_move_begin(m, c->world, c->verb == DM_DO_SUSPEND ? &dm_plan_suspend : &dm_plan_resume);
}
