/* SPDX-License-Identifier: BSD-2-Clause */
/* See closing.h. */
#include "core/table/closing.h"

#include <stdlib.h>

#include "core/table/opening.h"
#include "core/world.h"

#define CLOSING_END_MS 2000u	/* at the world's end */

static void closing_free(struct dm_closing *c)
{
	struct dm_store *s = c->store;

	free(s->name);
	s->type->close(s);
}

static bool is_one_of(const struct dm_closing_wait *w, const struct dm_closing *c)
{
	return c->number > w->from && c->number <= w->to;
}

static bool is_any_of(struct dm_world *world, const struct dm_closing_wait *w)
{
	struct list *n, *next;

	list_each(n, next, &world->closings)
		if (is_one_of(w, container(n, struct dm_closing, node)))
			return true;
	return false;
}

/* Nobody waits for C any more. What is called may start others, and end other waits. */
static void closing_tell(struct dm_world *world, struct dm_closing *c)
{
	struct list over, *n, *next;

	list_init(&over);
	list_each(n, next, &world->closing_waits)
		if (!is_any_of(world, container(n, struct dm_closing_wait, node))) {
			list_remove(n);
			list_append(&over, n);
		}
	dm_openings_go_on(&c->openings);
	while ((n = list_take(&over))) {
		struct dm_closing_wait *w = container(n, struct dm_closing_wait, node);

		w->over(w);
	}
}

static void closing_work(struct blocking_call *call)
{
	struct dm_store *s = container(call, struct dm_closing, call)->store;

	s->type->shut(s);
}

static void closing_done(struct blocking_call *call)
{
	struct dm_closing *c = container(call, struct dm_closing, call);

	timer_stop(&c->bound);
	list_remove(&c->node);
	closing_tell(c->store->world, c);
	closing_free(c);
}

/* The world is gone. What no thread has begun stays open until the process ends, which is now: it may block. */
static void closing_lost(struct blocking_call *call)
{
	struct dm_closing *c = container(call, struct dm_closing, call);

	if (call->state == BLOCKING_OVER)
		closing_free(c);
}

static void closing_is_late(struct timer *t)
{
	struct dm_closing *c = container(t, struct dm_closing, bound);
	struct dm_world *world = c->store->world;
	struct list *n, *next;

	list_remove(&c->node);
	list_each(n, next, &world->closing_waits) {
		struct dm_closing_wait *w = container(n, struct dm_closing_wait, node);

		if (is_one_of(w, c))
			w->late(w, c->store);
	}
	closing_tell(world, c);
}

void dm_closing_start(struct dm_closing *c, struct dm_store *s)
{
	struct dm_world *w = s->world;

	c->store = s;
	c->number = ++w->n_closings;
	c->call.call = closing_work;
	c->call.done = closing_done;
	c->call.drop = closing_lost;
	list_init(&c->call.node);
	list_init(&c->openings);
	timer_init(&c->bound, closing_is_late);
	list_append(&w->closings, &c->node);
	if (w->open_timeout)
		loop_timer(w->loop, &c->bound, w->open_timeout);
	if (!blocking_start(w->helpers, &c->call))
		return;
	s->type->shut(s);	/* without any thread that could do it, everybody waits */
	closing_done(&c->call);
}

bool dm_closing_delays(struct dm_opening *o, bool (*same)(const struct dm_store *s, const void *key), const void *key)
{
	struct list *n, *next;

	list_each(n, next, &o->spec.world->closings) {
		struct dm_closing *c = container(n, struct dm_closing, node);

		if (same(c->store, key)) {
			list_append(&c->openings, &o->joins);
			return true;
		}
	}
	return false;
}

bool dm_closing_wait(struct dm_world *world, struct dm_closing_wait *w)
{
	if (!is_any_of(world, w))
		return false;
	list_append(&world->closing_waits, &w->node);
	return true;
}

void dm_closing_wait_stop(struct dm_closing_wait *w)
{
	list_remove(&w->node);
}

/* By the machine's clock: the world's may stand still. */
void dm_closings_end(struct dm_world *w)
{
	uint64_t until = clock_now(&clock_monotonic) + CLOSING_END_MS * UINT64_C(1000000);
	struct list *n;

	while (!list_empty(&w->closings) && clock_now(&clock_monotonic) < until)
		loop_turn(w->loop, 10);
	while ((n = list_take(&w->closings)))
		timer_stop(&container(n, struct dm_closing, node)->bound);
}
