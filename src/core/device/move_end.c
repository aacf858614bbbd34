/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world's end: every device goes before those that it stands on. It is bounded in time: a hook that hangs, or a disk, is
 * left out and named, and everything else ends without it.
 */
#include "core/device/move_own.h"

#include <errno.h>
#include <string.h>

#include "core/command/ask.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/event.h"
#include "core/path/flush.h"
#include "core/device/step.h"

/* What the end may still take. */
struct time_limit {
	struct dm_world *world;
	struct timer timer;
	uint64_t until;			/* the clock, then */
	bool expired;			/* the timer has */
	unsigned long n_done;		/* phases of the end that were over when the wait began */
};

static void limit_reached(struct timer *t)
{
	container(t, struct time_limit, timer)->expired = true;
}

static void limit_begin(struct time_limit *p, struct dm_world *w)
{
	*p = (struct time_limit){ .world = w, .until = clock_now(w->clock) + w->end_seconds * TIMERS_SECOND };
	timer_init(&p->timer, limit_reached);
}

static uint64_t limit_left(const struct time_limit *p)
{
	uint64_t now = clock_now(p->world->clock);

	return now < p->until ? p->until - now : 0;
}

typedef bool condition(const struct time_limit *p);

/* The loop turns until what DONE asks for is so, or NS are over. */
static bool wait_for(struct time_limit *p, uint64_t ns, condition *done)
{
	if (done(p))
		return true;
	p->expired = false;
	loop_timer(p->world->loop, &p->timer, ns);
	while (!done(p) && !p->expired)
		loop_turn(p->world->loop, -1);
	timer_stop(&p->timer);
	return done(p);
}

/* Whatever hangs has half of what is left, so that there is always some for the others. */
static bool wait_a_while(struct time_limit *p, condition *done)
{
	uint64_t least = p->world->end_seconds * TIMERS_SECOND / 64, left = limit_left(p);

	return wait_for(p, left / 2 > least ? left / 2 : left < least ? left : least, done);
}

static bool is_quiet(const struct time_limit *p)
{
	const struct dm_world *w = p->world;

	return !w->n_moves && !dm_events_pending(w) && !w->n_tours && list_empty(&w->retiring);
}

/* It is not stopped yet; or it is, and nobody uses it any more. */
static bool can_end(const struct dm_device *d)
{
	return !dm_device_moving(d) && !d->moving.left_at && !(d->moving.ended && d->open_count);
}

static bool something_can_end(const struct time_limit *p)
{
	struct list *n, *next;

	list_each(n, next, &p->world->devices)
		if (can_end(container(n, struct dm_device, node)))
			return true;
	return false;
}

static bool end_is_over(const struct time_limit *p)
{
	return !p->world->end.plan;
}

static bool end_goes_on(const struct time_limit *p)
{
	return end_is_over(p) || p->world->end.n_done != p->n_done;
}

static void end_done(struct dm_move *m, struct dm_device *d)
{
	(void)m;
	d->world->end.plan = NULL;
}

static void end_begin(struct dm_world *w)
{
	struct dm_move *m = &w->end;
	struct list order, *n;

	*m = (struct dm_move){ .err = &w->end_err, .done = end_done };
	list_init(&order);
	list_init(&m->devices);
	dm_move_order(w, &order);
	while ((n = list_take(&order))) {
		struct dm_device *d = container(n, struct dm_device, moving.in_order);

		if (can_end(d))
			dm_move_join(m, d, NULL);
	}
	if (!list_empty(&m->devices))
		dm_move_begin(m, w, &dm_plan_end);
}

/* All devices that can be stopped are. What hangs is left out. */
static void end_devices(struct time_limit *p)
{
	struct dm_world *w = p->world;

	end_begin(w);
	while (!end_is_over(p)) {
		p->n_done = w->end.n_done;
		if (!wait_a_while(p, end_goes_on))
			dm_move_leave_out(&w->end);
	}
}

static void where_left(const struct dm_device *d, struct text *out)
{
	const struct dm_move *m = d->moving.move;
	const struct dm_phase *phase = d->moving.left_at;
	char buffer[160];

	if (!phase && (!m || dm_move_device(m) != d))
		return;
	text_printf(out, "%s of '%s' waits for its %s", phase ? dm_plan_end.name : m->plan->name, d->name,
		    phase ? phase->name : dm_move_phase(m)->name);
	if (*dm_walk_where(d->active, buffer, sizeof(buffer)) || *dm_walk_where(d->moving.incoming, buffer, sizeof(buffer)))
		text_printf(out, ": %s", buffer);
	text_add(out, "\n");
}

void dm_move_where(struct dm_world *w, struct text *out)
{
	struct list *n, *next;

	list_each(n, next, &w->devices)
		where_left(container(n, struct dm_device, node), out);
}

static void where_retiring(const struct dm_world *w, struct text *out)
{
	struct list *n, *next;
	char buffer[160];

	list_each(n, next, &w->retiring) {
		const struct dm_table *t = container(n, struct dm_table, retiring);

		if (!*dm_walk_where(t, buffer, sizeof(buffer)) && !*dm_ask_where(t, buffer, sizeof(buffer)))
			strcpy(buffer, "flush");
		text_printf(out, "freeing a table waits for its %s\n", buffer);
	}
}

static int end_too_late(struct dm_world *w, struct err *e)
{
	struct text who = TEXT_INIT;
	size_t i;

	dm_move_where(w, &who);
	where_retiring(w, &who);
	for (i = 0; i + 1 < who.len; i++)
		if (who.s[i] == '\n')
			who.s[i] = ';';
	err_set(e, -ETIMEDOUT, "shutdown took longer than %u s, and data not written by then may be lost: %.*s", w->end_seconds,
		(int)(who.len ? who.len - 1 : 0), text_str(&who));
	text_free(&who);
	return e->code;
}

/* Is there anything that may still end? */
static bool something_is_late(const struct time_limit *p)
{
	struct list *n, *next;

	list_each(n, next, &p->world->devices) {
		const struct dm_device *d = container(n, struct dm_device, node);

		if (dm_device_moving(d) || d->moving.left_at)
			return true;
	}
	return !is_quiet(p);
}

static bool wait_is_over(const struct time_limit *p)
{
	return something_can_end(p) || !something_is_late(p);
}

static bool disks_are_flushed(const struct time_limit *p)
{
	return p->world->end.all_flushed;
}

static void disks_flushed(void *arg, const struct err *e)
{
	struct dm_world *w = arg;

	w->end.all_flushed = true;
	if (e->code && !w->end_err.code)
		w->end_err = *e;
}

/* What is left are their stores. */
static bool end_disks(struct time_limit *p)
{
	struct dm_world *w = p->world;

	if (list_empty(&w->disks))
		return true;
	w->end.all_flushed = false;
	dm_flush_stores(w, disks_flushed, w);
	if (!wait_for(p, limit_left(p), disks_are_flushed))
		return false;
	while (!list_empty(&w->disks))
		dm_device_remove(container(w->disks.next, struct dm_device, node));
	return true;
}

int dm_world_stop(struct dm_world *w, struct err *e)
{
	struct time_limit p;

	limit_begin(&p, w);
	dm_pending_cancel_all(w);
	dm_move_release(w);
	wait_a_while(&p, is_quiet);
	do
		end_devices(&p);
	while (wait_for(&p, limit_left(&p), wait_is_over) && something_can_end(&p));
	if (something_is_late(&p) || !end_disks(&p))
		return end_too_late(w, e);
	return w->end_err.code ? err_set(e, w->end_err.code, "%s", w->end_err.text) : 0;
}
