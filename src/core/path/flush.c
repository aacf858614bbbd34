/* SPDX-License-Identifier: BSD-2-Clause */
/* Flushes for the control thread: see flush.h. One device after another, then stores, and each store once for all of them. */
#include "core/path/flush.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/path/submit.h"
#include "core/world.h"

struct dm_flush {
	struct dm_world *world;
	struct dm_device **devices;	/* first these ... */
	size_t n_devices;
	struct dm_store **stores;	/* ... then these */
	size_t n_stores;
	size_t at;			/* of both, in this order */
	bool held;			/* the devices are open for this, and move meanwhile */
	bool asking, answered;		/* the answer may arrive before dm_submit() returns */
	struct loop_msg msg;
	struct dm_req req;
	uint64_t walk;
	struct err err;
	void (*then)(void *arg, const struct err *e);
	void *arg;
};

/* The store that F is at, or NULL: it is at a device. */
static struct dm_store *store_at(const struct dm_flush *f)
{
	return f->at < f->n_devices ? NULL : f->stores[f->at - f->n_devices];
}

/* Back on the control thread. */
static void flush_over(struct loop_msg *m)
{
	struct dm_flush *f = container(m, struct dm_flush, msg);
	size_t i;

	for (i = 0; i < f->n_stores; i++)
		dm_store_put(f->stores[i]);
	for (i = 0; f->held && i < f->n_devices; i++)
		dm_close(f->devices[i]);
	free(f->stores);
	free(f->devices);
	f->then(f->arg, &f->err);
	free(f);
}

static void flush_go_on(struct dm_flush *f);

static void flush_answered(struct dm_req *r, int err)
{
	struct dm_flush *f = container(r, struct dm_flush, req);

	if (err && !f->err.code)
		err_set(&f->err, err, "flushing '%s' failed: %s", store_at(f) ? store_at(f)->name : f->devices[f->at]->name,
			strerror(-err));
	f->at++;
	f->answered = true;
	if (!f->asking)
		flush_go_on(f);
}

void dm_flush_failed(struct dm_req *r, int err)
{
	struct dm_req *whole = r;
	struct dm_flush *f;

	while (whole->parent)
		whole = whole->parent;
	if (whole->done != flush_answered || !r->store)
		return;
	f = container(whole, struct dm_flush, req);
	if (!f->err.code)
		err_set(&f->err, err, "flushing '%s' failed: %s", r->store->name, strerror(-err));
}

static void flush_store(struct dm_flush *f)
{
	f->req.store = store_at(f);
	f->req.io = &f->world->io[0];
	f->req.asked = DM_FLUSH;
	dm_dispatch(&f->req);
}

/* Its lines have stopped, or are about to: its stores come later, and a suspend has its own flush. */
static bool is_suspended(const struct dm_flush *f)
{
	return f->held && !store_at(f) && f->devices[f->at]->lanes[0].gate != DM_GATE_OPEN;
}

static void flush_ask(struct dm_flush *f)
{
	if (is_suspended(f)) {
		f->at++;
		f->answered = true;
		return;
	}
	f->req = (struct dm_req){ .op = DM_FLUSH, .flags = DM_OWN, .walk = f->walk, .done = flush_answered };
	f->answered = false;
	f->asking = true;
	if (store_at(f))
		flush_store(f);
	else
		dm_submit(&f->world->io[0], f->devices[f->at], &f->req);
	f->asking = false;
}

/* On the io thread. */
static void flush_go_on(struct dm_flush *f)
{
	while (f->at < f->n_devices + f->n_stores) {
		flush_ask(f);
		if (!f->answered)
			return;
	}
	f->msg.run = flush_over;
	loop_post(f->world->loop, &f->msg);
}

static void flush_start(struct loop_msg *m)
{
	struct dm_flush *f = container(m, struct dm_flush, msg);
	struct dm_io *io = &f->world->io[0];

	dm_io_tick(io);
	f->walk = ++io->walks;
	flush_go_on(f);
}

/* Room for so many; without memory, THEN has been called. */
static struct dm_flush *flush_new(struct dm_world *w, size_t devices, size_t stores, void (*then)(void *arg, const struct err *e),
				  void *arg)
{
	struct dm_flush *f = calloc(1, sizeof(*f));
	struct err none = ERR_INIT;

	if (f) {
		f->devices = malloc((devices + 1) * sizeof(*f->devices));
		f->stores = malloc((stores + 1) * sizeof(*f->stores));
	}
	if (!f || !f->devices || !f->stores) {
		if (f) {
			free(f->devices);
			free(f->stores);
		}
		free(f);
		err_set(&none, -ENOMEM, "no memory to flush");
		then(arg, &none);
		return NULL;
	}
	f->world = w;
	f->then = then;
	f->arg = arg;
	f->msg.run = flush_start;
	return f;
}

void dm_flush_device(struct dm_device *d, void (*then)(void *arg, const struct err *e), void *arg)
{
	struct dm_flush *f = flush_new(d->world, 1, 0, then, arg);

	if (!f)
		return;
	f->devices[f->n_devices++] = d;
	loop_post(d->world->io[0].loop, &f->msg);
}

static size_t count(const struct list *all)
{
	const struct list *n;
	size_t sum = 0;

	for (n = all->next; n != all; n = n->next)
		sum++;
	return sum;
}

static void flush_hold(struct dm_flush *f, struct list *devices)
{
	struct list *n, *next;

	list_each(n, next, devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		if (!d->active || d->active->readonly)
			continue;
		dm_open(d);
		f->devices[f->n_devices++] = d;
	}
}

static void flush_hold_stores(struct dm_flush *f, struct list *stores)
{
	struct list *n, *next;

	list_each(n, next, stores) {
		struct dm_store *s = container(n, struct dm_store, node);

		if (s->device || s->readonly)
			continue;
		dm_store_ref(s);
		f->stores[f->n_stores++] = s;
	}
}

void dm_flush_world(struct dm_world *w, void (*then)(void *arg, const struct err *e), void *arg)
{
	struct dm_flush *f = flush_new(w, w->n_devices + count(&w->disks), count(&w->stores), then, arg);

	if (!f)
		return;
	f->held = true;
	flush_hold(f, &w->devices);
	flush_hold(f, &w->disks);
	flush_hold_stores(f, &w->stores);
	loop_post(w->io[0].loop, &f->msg);
}

void dm_flush_stores(struct dm_world *w, void (*then)(void *arg, const struct err *e), void *arg)
{
	struct dm_flush *f = flush_new(w, 0, count(&w->stores), then, arg);

	if (!f)
		return;
	flush_hold_stores(f, &w->stores);
	loop_post(w->io[0].loop, &f->msg);
}
