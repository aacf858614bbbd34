/* SPDX-License-Identifier: BSD-2-Clause */
/* Flushing for the control thread: see flush.h. The leaves are held until the last one has answered. */
#include "core/flush.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/world.h"

struct dm_flush {
	struct dm_world *world;
	struct dm_store **leaves;
	size_t n, room, at;
	struct loop_msg msg;
	struct dm_req req;
	struct err err;
	void (*then)(void *arg, const struct err *e);
	void *arg;
};

static void flush_leaf(struct dm_flush *f, struct dm_store *s, uint64_t walk)
{
	struct dm_store **more;

	if (!dm_store_first_visit(&s->walk, walk))
		return;
	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : 8;
		more = realloc(f->leaves, f->room * sizeof(*more));
		if (!more) {
			f->room = f->n;
			err_set(&f->err, -ENOMEM, "no memory to flush '%s'", s->name);
			return;
		}
		f->leaves = more;
	}
	dm_store_ref(s);
	f->leaves[f->n++] = s;
}

static void flush_gather(struct dm_flush *f, const struct dm_table *t, uint64_t walk)
{
	size_t i;

	for (i = 0; t && i < t->n_stores; i++) {
		struct dm_device *below = t->stores[i]->device;

		if (!below)
			flush_leaf(f, t->stores[i], walk);
		else if (dm_device_first_visit(below, walk))
			flush_gather(f, below->active, walk);
	}
}

static void flush_gather_all(struct dm_flush *f, uint64_t walk)
{
	struct list *n, *next;

	list_each(n, next, &f->world->stores) {
		struct dm_store *s = container(n, struct dm_store, node);

		if (!s->device && !s->readonly)
			flush_leaf(f, s, walk);
	}
}

/* Back on the control thread. */
static void flush_over(struct loop_msg *m)
{
	struct dm_flush *f = container(m, struct dm_flush, msg);
	size_t i;

	f->then(f->arg, &f->err);
	for (i = 0; i < f->n; i++)
		dm_store_put(f->leaves[i]);
	free(f->leaves);
	free(f);
}

static void flush_next(struct dm_flush *f);

static void flush_answered(struct dm_req *r, int err)
{
	struct dm_flush *f = container(r, struct dm_flush, req);

	if (err && !f->err.code)
		err_set(&f->err, err, "flushing '%s' failed: %s", f->leaves[f->at]->name, strerror(-err));
	f->at++;
	flush_next(f);
}

/* On the io thread. */
static void flush_next(struct dm_flush *f)
{
	struct dm_store *s;

	if (f->at == f->n) {
		f->msg.run = flush_over;
		loop_post(f->world->loop, &f->msg);
		return;
	}
	s = f->leaves[f->at];
	f->req = (struct dm_req){ .op = DM_FLUSH, .io = &f->world->io[0], .store = s, .done = flush_answered };
	s->type->submit(s, f->req.io, &f->req);
}

static void flush_start(struct loop_msg *m)
{
	flush_next(container(m, struct dm_flush, msg));
}

void dm_flush_stores(struct dm_world *w, const struct dm_table *t, void (*then)(void *arg, const struct err *e),
		     void *arg)
{
	struct dm_flush *f = calloc(1, sizeof(*f));
	struct err none = ERR_INIT;

	if (!f) {
		err_set(&none, -ENOMEM, "no memory to flush");
		then(arg, &none);
		return;
	}
	f->world = w;
	f->then = then;
	f->arg = arg;
	if (t)
		flush_gather(f, t, ++w->walks);
	else
		flush_gather_all(f, ++w->walks);
	f->msg.run = flush_start;
	if (f->n)
		loop_post(w->io[0].loop, &f->msg);
	else
		flush_over(&f->msg);
}
