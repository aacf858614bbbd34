/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delay: requests reach the device <delay> milliseconds later. With three words, all of them; with six, the second
 * group is for writes and flushes; with nine, the third is for flushes. When a device is being suspended, all are sent
 * on at once.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "core/path/child.h"
#include "core/path/held.h"
#include "core/device/step.h"
#include "core/table/target.h"
#include "core/world.h"

/*
 * Each io thread has a list of held requests for each class. The delay is the same for all in a class, so a list is
 * ordered by due time, and one timer for the first is enough: a held request needs no memory besides itself.
 */
#define DELAY_WORDS 3u		/* per class */
#define DELAY_AT_ONCE 1024u	/* so many are sent on before others get their turn */
#define DELAY_MS UINT64_C(1000000)

enum { READS, WRITES, FLUSHES, CLASSES };

struct delay_class {
	struct dm_at at;
	uint32_t ms;
};

/* The requests of one class that an io thread holds, in order of due time. */
struct delay_line {
	struct delay_lane *lane;
	struct dm_req *first, **last;
	atomic_uint held;
	struct timer timer;
};

/* The line of the table for one io thread. */
struct delay_lane {
	struct delay_line lines[CLASSES];
	struct delay *delay;
	struct dm_io *io;
	bool lets_go;			/* the device is being suspended, or is: nothing is held */
	struct loop_msg msg;
	uint8_t apart[64];		/* keeps the next lane on other cache lines */
};

struct delay {
	struct delay_class classes[CLASSES];
	unsigned n;			/* classes that the table specifies */
	unsigned n_lanes;
	/* The hook that visits all lanes. */
	struct dm_step *step;
	atomic_uint left;
	struct delay_lane *lanes;
};

/* When a held request is due. */
static uint64_t delay_due(const struct dm_req *r)
{
	uint64_t due;

	memcpy(&due, r->own, sizeof(due));
	return due;
}

/*
 * A flush goes to the flushes' device. The writes may have gone to another one, which has to be flushed as well: Linux
 * omits that.
 */
static int delay_flush_both(const struct delay *d, struct dm_req *r)
{
	const struct dm_at *flushes = &d->classes[FLUSHES].at, *writes = &d->classes[WRITES].at;
	struct dm_req *c[2];

	if (dm_store_end(flushes->store) == dm_store_end(writes->store)) {
		r->store = flushes->store;
		return DM_REMAPPED;
	}
	if (dm_children(r, c, 2))
		return -ENOMEM;
	dm_send(r->io, flushes, c[0]);
	dm_send(r->io, writes, c[1]);
	return DM_HELD;
}

static int delay_send(const struct delay *d, struct dm_req *r, unsigned class)
{
	return class == FLUSHES ? delay_flush_both(d, r) : dm_remap(r, &d->classes[class].at, r->sector);
}

static void line_let_first_go(struct delay_line *l, unsigned class)
{
	struct dm_req *r = l->first;
	int verdict;

	l->first = r->next;
	if (!l->first)
		l->last = &l->first;
	atomic_fetch_sub_explicit(&l->held, 1, memory_order_relaxed);
	verdict = delay_send(l->lane->delay, r, class);
	if (verdict != DM_HELD)		/* else its children have it, and it may have ended */
		dm_go_on_here(r, verdict);
}

static unsigned line_class(const struct delay_line *l)
{
	return (unsigned)(l - l->lane->lines);
}

static void line_wait(struct delay_line *l, uint64_t now)
{
	uint64_t due = delay_due(l->first);

	loop_timer(l->lane->io->loop, &l->timer, due > now ? due - now : 0);
}

static void line_is_due(struct timer *t)
{
	struct delay_line *l = container(t, struct delay_line, timer);
	struct dm_io *io = l->lane->io;
	unsigned n;

	dm_io_tick(io);
	for (n = 0; n < DELAY_AT_ONCE && l->first && delay_due(l->first) <= io->now; n++)
		line_let_first_go(l, line_class(l));
	if (l->first)
		line_wait(l, io->now);
}

static void line_hold(struct delay_line *l, struct dm_req *r, uint32_t ms)
{
	uint64_t now = clock_now(l->lane->io->world->clock), due = now + ms * DELAY_MS;
	bool first = !l->first;

	memcpy(r->own, &due, sizeof(due));
	r->next = NULL;
	*l->last = r;
	l->last = &r->next;
	atomic_fetch_add_explicit(&l->held, 1, memory_order_relaxed);
	if (first)
		line_wait(l, now);
}

static int delay_take(const struct dm_target *t, struct dm_req *r, unsigned class)
{
	const struct delay *d = t->priv;
	struct delay_lane *lane = &d->lanes[r->io->index];

	if (!d->classes[class].ms || lane->lets_go)
		return delay_send(d, r, class);
	line_hold(&lane->lines[class], r, d->classes[class].ms);
	return DM_HELD;
}

/* Extent requests are not held: they stand for no access to a disk. */
static int delay_map(const struct dm_target *t, struct dm_req *r)
{
	if (r->op == DM_EXTENT)
		return delay_send(t->priv, r, READS);
	return delay_take(t, r, r->op == DM_READ ? READS : WRITES);
}

/* The core's own flush is not for a client, and a device above must not wait for it. */
static int delay_flush(const struct dm_target *t, struct dm_req *r)
{
	return r->flags & DM_OWN ? delay_flush_both(t->priv, r) : delay_take(t, r, FLUSHES);
}

/* The last lane ends the hook. */
static void lane_is_told(struct delay_lane *lane)
{
	struct delay *d = lane->delay;

	if (atomic_fetch_sub(&d->left, 1) == 1)
		dm_step_done(d->step, 0);
}

static void lane_lets_go(struct loop_msg *m)
{
	struct delay_lane *lane = container(m, struct delay_lane, msg);
	unsigned i;

	lane->lets_go = true;
	dm_io_tick(lane->io);
	for (i = 0; i < CLASSES; i++) {
		timer_stop(&lane->lines[i].timer);
		while (lane->lines[i].first)
			line_let_first_go(&lane->lines[i], i);
	}
	lane_is_told(lane);
}

static void lane_holds(struct loop_msg *m)
{
	struct delay_lane *lane = container(m, struct delay_lane, msg);

	lane->lets_go = false;
	lane_is_told(lane);
}

static void delay_tell(struct dm_target *t, struct dm_step *s, void (*run)(struct loop_msg *m))
{
	struct delay *d = t->priv;
	unsigned i;

	d->step = s;
	atomic_store(&d->left, d->n_lanes);
	for (i = 0; i < d->n_lanes; i++) {
		d->lanes[i].msg.run = run;
		loop_post(d->lanes[i].io->loop, &d->lanes[i].msg);
	}
}

static void delay_presuspend(struct dm_target *t, struct dm_step *s)
{
	delay_tell(t, s, lane_lets_go);
}

static void delay_resume(struct dm_target *t, struct dm_step *s)
{
	delay_tell(t, s, lane_holds);
}

static void lane_init(struct delay_lane *lane, struct delay *d, struct dm_io *io)
{
	unsigned i;

	lane->delay = d;
	lane->io = io;
	for (i = 0; i < CLASSES; i++) {
		lane->lines[i].lane = lane;
		lane->lines[i].last = &lane->lines[i].first;
		timer_init(&lane->lines[i].timer, line_is_due);
	}
}

static void delay_lanes(struct delay *d, struct dm_args *a)
{
	struct dm_world *w = dm_args_world(a);
	unsigned i;

	d->lanes = dm_args_alloc(a, w->n_io * sizeof(*d->lanes));
	if (!d->lanes)
		return;
	d->n_lanes = w->n_io;
	for (i = 0; i < d->n_lanes; i++)
		lane_init(&d->lanes[i], d, &w->io[i]);
}

static void delay_arg_class(const struct dm_target *t, struct dm_args *a, struct delay_class *c)
{
	c->at = dm_arg_at(a, t->len);
	c->ms = (uint32_t)dm_arg_number(a, "<delay>", 0, UINT32_MAX);
}

/* A class that is not specified is like the one before it. */
static int delay_ctr(struct dm_target *t, struct dm_args *a)
{
	struct delay *d = t->priv;
	size_t left;
	unsigned i;

	delay_arg_class(t, a, &d->classes[READS]);
	left = dm_args_left(a);
	if (left % DELAY_WORDS || left / DELAY_WORDS >= CLASSES)
		return dm_args_fail(a, "reads, writes and flushes have the words <device> <offset> <delay> each, so there are 3, 6 "
				    "or 9 in all, not %zu", DELAY_WORDS + left);
	d->n = 1 + (unsigned)(left / DELAY_WORDS);
	for (i = 1; i < CLASSES; i++)
		if (i < d->n)
			delay_arg_class(t, a, &d->classes[i]);
		else
			d->classes[i] = d->classes[i - 1];
	delay_lanes(d, a);
	return dm_args_end(a);
}

static void delay_table(const struct dm_target *t, struct text *out)
{
	const struct delay *d = t->priv;
	unsigned i;

	for (i = 0; i < d->n; i++) {
		text_add(out, i ? " " : "");
		dm_text_at(out, &d->classes[i].at);
		text_printf(out, " %u", d->classes[i].ms);
	}
}

/* The numbers of reads, writes and flushes held now. */
static void delay_status(const struct dm_target *t, struct text *out)
{
	const struct delay *d = t->priv;
	unsigned i, k, held;

	for (i = 0; i < CLASSES; i++) {
		held = 0;
		for (k = 0; k < d->n_lanes; k++)
			held += atomic_load(&d->lanes[k].lines[i].held);
		text_printf(out, i ? " %u" : "%u", held);
	}
}

const struct dm_type dm_delay = {
	.name = "delay",
	.usage = "<device> <offset> <delay> [<device> <offset> <delay> [<device> <offset> <delay>]]",
	.about = "lets requests wait <delay> milliseconds; all, or reads, writes and flushes each their own",
	.version = { 1, 4, 0 },
	.size = sizeof(struct delay),
	.ctr = delay_ctr,
	.map = delay_map,
	.flush = delay_flush,
	.flush_children = 2,
	.presuspend = delay_presuspend,
	.resume = delay_resume,
	.table = delay_table,
	.status = delay_status,
};
