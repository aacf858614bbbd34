/* SPDX-License-Identifier: BSD-2-Clause */
/* A device and all that stand on it: see above.h. */
#include "core/device/above.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/device/devices.h"
#include "core/world.h"

void dm_write_begin(struct dm_device *d)
{
	d->writers++;
}

void dm_write_end(struct dm_device *d)
{
	d->writers--;
}

typedef bool above_each(struct dm_device *d, void *arg);

/* The devices that stand on D, and that WALK has not visited yet, are to be: behind LAST. The new last one. */
static struct dm_device *above_add(const struct dm_device *d, uint64_t walk, struct dm_device *last)
{
	struct list *n, *next;

	list_each(n, next, &d->uses) {
		const struct dm_table *t = container(n, struct dm_use, node)->table;
		struct dm_device *on = (struct dm_device *)t->device;

		if (!on || on->active != t || !dm_device_first_visit(on, walk))
			continue;
		on->walk_next = NULL;
		last->walk_next = on;
		last = on;
	}
	return last;
}

/* False: one of them has said so, and no other was asked. */
static bool above_walk(struct dm_device *d, uint64_t walk, above_each *each, void *arg)
{
	struct dm_device *last = d;

	dm_device_first_visit(d, walk);
	for (d->walk_next = NULL; d; d = d->walk_next) {
		if (!each(d, arg))
			return false;
		last = above_add(d, walk, last);
	}
	return true;
}

static bool above_written(struct dm_device *d, void *arg)
{
	struct err *e = arg;

	if (!d->writers)
		return true;
	err_set(e, -EBUSY, "device '%s' is mounted or open for writing (%u %s)", d->name, d->writers,
		d->writers == 1 ? "user" : "users");
	return false;
}

int dm_above_unused(struct dm_device *d, struct err *e)
{
	return above_walk(d, ++d->world->walks, above_written, e) ? 0 : -EBUSY;
}

/* It is held open until all fronts have been told. */
struct invalidate_one {
	struct list node;
	struct dm_device *device;
};

static bool invalidate_add(struct dm_device *d, void *arg)
{
	struct dm_invalidate *f = arg;
	struct invalidate_one *one = malloc(sizeof(*one));

	if (!one) {
		log_warn_of(d->name, "no memory to invalidate the kernel's cache: '%s' may show old content", d->name);
		return true;
	}
	one->device = d;
	list_append(&f->devices, &one->node);
	dm_open(d);
	return true;
}

static void invalidate_next_device(struct dm_invalidate *f)
{
	struct invalidate_one *one = container(list_take(&f->devices), struct invalidate_one, node);

	dm_close(one->device);
	free(one);
	f->n_fronts = 0;
}

/* False: a front takes its time, and the message comes. */
static bool invalidate_device(struct dm_invalidate *f, struct dm_device *d)
{
	struct dm_front *front;

	while ((front = dm_front_next(d->world, &f->n_fronts)))
		if (front->follow && front->follow(front, d, &f->msg))
			return false;
	return true;
}

static void invalidate_go_on(struct loop_msg *m)
{
	struct dm_invalidate *f = container(m, struct dm_invalidate, msg);

	while (!list_empty(&f->devices)) {
		if (!invalidate_device(f, container(f->devices.next, struct invalidate_one, node)->device))
			return;
		invalidate_next_device(f);
	}
	f->done(f);
}

void dm_invalidate(struct dm_invalidate *f)
{
	list_init(&f->devices);
	f->n_fronts = 0;
	f->msg.run = invalidate_go_on;
	above_walk(f->device, ++f->device->world->walks, invalidate_add, f);
	invalidate_go_on(&f->msg);
}

const struct dm_device *dm_device_user(const struct dm_device *d)
{
	struct list *n, *next;

	list_each(n, next, &d->world->devices) {
		const struct dm_device *u = container(n, struct dm_device, node);

		if (u != d && (dm_table_reaches(u->active, d) || dm_table_reaches(u->inactive, d)))
			return u;
	}
	return NULL;
}
