/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world's end: every device goes before those that it stands on. It is bounded in time: a hook that hangs, or a disk,
 * is named, and the rest is left as it is.
 */
#include "core/device/move_own.h"

#include <errno.h>
#include <string.h>

#include "core/command/ask.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/device/event.h"
#include "core/device/step.h"

/* The loop turns until what DONE asks for is so, or the time is up: that is for all of the end. */
struct patience {
	struct timer timer;
	bool over;
};

static void patience_over(struct timer *t)
{
	container(t, struct patience, timer)->over = true;
}

static bool wait_until(struct dm_world *w, struct patience *p, bool (*done)(const struct dm_world *w))
{
	while (!done(w) && !p->over)
		loop_turn(w->loop, -1);
	return done(w);
}

static bool is_quiet(const struct dm_world *w)
{
	return !w->n_moves && !dm_events_told(w) && !w->n_tours && list_empty(&w->retiring);
}

static void end_begin(struct dm_world *w)
{
	struct dm_move *m = &w->end;
	struct list order, *n;

	list_init(&order);
	list_init(&m->devices);
	dm_move_order(w, &order);
	while ((n = list_take(&order)))
		dm_move_join(m, container(n, struct dm_device, moving.in_order), NULL);
	m->err = &w->end_err;
	if (!list_empty(&m->devices))
		dm_move_begin(m, w, &dm_plan_end);
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

static bool end_devices(struct dm_world *w, struct patience *p)
{
	if (!wait_until(w, p, is_quiet))
		return false;
	end_begin(w);
	return wait_until(w, p, is_quiet);
}

int dm_world_stop(struct dm_world *w, struct err *e)
{
	struct patience p = { .over = false };
	bool ended;

	timer_init(&p.timer, patience_over);
	loop_timer(w->loop, &p.timer, w->end_seconds * TIMERS_SECOND);
	dm_under_way_stop(w);
	ended = end_devices(w, &p);
	timer_stop(&p.timer);
	if (!ended)
		return end_too_late(w, e);
	while (!list_empty(&w->disks))
		dm_device_remove(container(w->disks.next, struct dm_device, node));
	return w->end_err.code ? err_set(e, w->end_err.code, "%s", w->end_err.text) : 0;
}
