/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The power goes: at a message, or when a trigger says so. First everything is held back; when an instant has passed, so that
 * what had ended before was told, it is refused. In between nothing of the disk ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "core/device/event.h"
#include "targets/powercut/power.h"

struct dm_req *power_take(struct power *p, const struct line *l)
{
	struct dm_req *h = p->refused, *next, *taken = NULL, **last = &taken;

	p->refused = NULL;
	p->refused_last = &p->refused;
	for (; h; h = next) {
		next = h->next;
		h->next = NULL;
		if (l && power_line(power_holder(h)) != l) {
			power_hold_back(p, h);
		} else {
			*last = h;
			last = &h->next;
		}
	}
	return taken;
}

bool power_is_busy(struct power *p)
{
	bool busy;

	pthread_mutex_lock(&p->lock);
	busy = p->tripping || p->state == POWER_HOLDING || p->state == POWER_RESTORING;
	pthread_mutex_unlock(&p->lock);
	return busy;
}

void power_steps(struct power *p)
{
	struct list *n, *next;

	if (power_is_busy(p))
		return;
	list_each(n, next, &p->lines) {
		struct line *l = container(n, struct line, node);
		struct dm_step *s = l->step;

		l->step = NULL;
		if (s)
			dm_step_done(s, 0);
	}
}

/* With the lock: those whose lines let go. */
static struct dm_req *take_let_go(struct power *p)
{
	struct dm_req *taken = NULL, **last = &taken;
	struct list *n, *next;

	list_each(n, next, &p->lines) {
		const struct line *l = container(n, struct line, node);

		if (l->lets_go)
			*last = power_take(p, l);
		while (*last)
			last = &(*last)->next;
	}
	return taken;
}

/* With the lock: flushes and durable writes that nobody has begun to write back are like all others. */
static void refuse_waiting(struct power *p)
{
	struct dm_req *h = p->waiting, *next;

	p->waiting = NULL;
	p->waiting_last = &p->waiting;
	for (; h; h = next) {
		next = h->next;
		power_hold_back(p, h);
	}
}

static void tell(struct power *p)
{
	struct list *n, *next;

	list_each(n, next, &p->lines)
		dm_event_raise(container(n, struct line, node)->table);
}

static void power_goes(struct power *p)
{
	struct dm_req *refused = NULL;
	bool goes;

	pthread_mutex_lock(&p->lock);
	goes = p->state == POWER_HOLDING;
	if (goes) {
		p->state = POWER_CUT;
		p->hangs = p->want_hang;
		refuse_waiting(p);
		refused = p->hangs ? take_let_go(p) : power_take(p, NULL);
	}
	pthread_mutex_unlock(&p->lock);
	power_refuse_all(refused);
	if (goes)
		tell(p);
	power_steps(p);
}

void power_cut(struct dm_target *t)
{
	power_goes(power_line(t)->disk);
}

static void cut_over(struct dm_instant *i)
{
	struct power *p = container(i, struct power, tripped);
	struct dm_ask *a = p->cut_ask;

	p->cut_ask = NULL;
	p->tripping = false;
	power_goes(p);
	if (a)
		dm_ask_done(a, 0);
}

void power_trips(struct loop_msg *m)
{
	struct power *p = container(m, struct power, trip);

	if (p->tripping)
		return;		/* a message has come between the trigger and this, and its instant is both's */
	p->tripping = true;
	dm_instant(p->shared.world, &p->tripped, cut_over);
}

/* 0, or -EALREADY. With the lock. */
static int may_cut(const struct power *p, struct err *e)
{
	if (p->state == POWER_UP)
		return 0;
	return err_set(e, -EALREADY, "the power of '%s' is off already; `restore` switches it on", p->shared.store->name);
}

int power_may_cut(struct dm_target *t, int argc, char **argv, struct err *e)
{
	struct power *p = power_line(t)->disk;
	struct cut_words c;
	int r;

	if (power_cut_words(&c, argc, argv, e))
		return e->code;
	pthread_mutex_lock(&p->lock);
	r = may_cut(p, e);
	pthread_mutex_unlock(&p->lock);
	return r;
}

/* With the lock. */
static void take_words(struct power *p, const struct cut_words *c)
{
	p->mode = c->has_mode ? c->mode : p->mode;
	p->seed = c->has_seed ? c->seed : p->seed;
	p->want_hang |= c->hangs;
}

/* Other lines of the same disk may have done it, or a trigger, but that is how it ends. */
void power_hold(struct dm_target *t, int argc, char **argv)
{
	struct power *p = power_line(t)->disk;
	struct err none = ERR_INIT;
	struct cut_words c;

	power_cut_words(&c, argc, argv, &none);
	pthread_mutex_lock(&p->lock);
	if (p->state == POWER_UP || p->state == POWER_HOLDING) {
		p->state = POWER_HOLDING;
		take_words(p, &c);
	}
	pthread_mutex_unlock(&p->lock);
}

static int cut_now(struct dm_target *t, struct dm_ask *a, int argc, char **argv)
{
	struct power *p = power_line(t)->disk;

	if (power_may_cut(t, argc, argv, &a->err))
		return a->err.code;
	power_hold(t, argc, argv);
	p->cut_ask = a;
	power_trips(&p->trip);
	return DM_HELD;
}

static int trigger_words(struct trigger *g, int argc, char **argv, struct err *e)
{
	bool writes = argc == 3 && !strcmp(argv[2], "writes"), flushes = argc == 3 && !strcmp(argv[2], "flushes");

	*g = (struct trigger){ .when = NEVER };
	if (!strcmp(argv[0], "never") && argc == 1)
		return 0;
	if (!strcmp(argv[0], "at") && argc == 3 && !strcmp(argv[1], "mark") && strlen(argv[2]) < sizeof(g->mark)) {
		g->when = AT_MARK;
		strcpy(g->mark, argv[2]);
		return 0;
	}
	if (strcmp(argv[0], "after") || !(writes || flushes) || words_u64(argv[1], &g->at) || !g->at || g->at > INT64_MAX)
		return err_set(e, -EINVAL, "a cut that is to come is `after <n> writes`, `after <n> flushes`, `at mark <name>` (of less than %u "
			       "bytes) or `never`", POWER_MARK);
	g->when = writes ? AFTER_WRITES : AFTER_FLUSHES;
	return 0;
}

/* Numbers count from now. */
static int cut_later(struct power *p, struct dm_ask *a, int argc, char **argv)
{
	struct trigger g;
	int r = trigger_words(&g, argc, argv, &a->err);

	if (r)
		return r;
	pthread_mutex_lock(&p->lock);
	r = may_cut(p, &a->err);
	g.at += g.when == AFTER_WRITES ? p->writes : g.when == AFTER_FLUSHES ? p->flushes : 0;
	if (!r)
		p->trigger = g;
	pthread_mutex_unlock(&p->lock);
	return r;
}

int power_cut_message(struct dm_target *t, struct dm_ask *a)
{
	int argc = a->argc - 1;
	char **argv = a->argv + 1;

	if (argc && (!strcmp(argv[0], "after") || !strcmp(argv[0], "at") || !strcmp(argv[0], "never")))
		return cut_later(power_line(t)->disk, a, argc, argv);
	return cut_now(t, a, argc, argv);
}

/* Whoever marks hears of it when the mark is made: a cut at that mark has happened by then. */
int power_mark_message(struct dm_target *t, struct dm_ask *a)
{
	struct power *p = power_line(t)->disk;
	bool off, trips;

	if (a->argc != 2)
		return err_set(&a->err, -EINVAL, "a mark is one word: mark <name>");
	pthread_mutex_lock(&p->lock);
	off = p->state != POWER_UP;
	trips = !off && p->trigger.when == AT_MARK && !strcmp(p->trigger.mark, a->argv[1]);
	if (trips) {
		p->trigger.when = NEVER;
		p->state = POWER_HOLDING;
	}
	pthread_mutex_unlock(&p->lock);
	if (off)
		return err_set(&a->err, -EIO, "the power of '%s' is off", p->shared.store->name);
	if (!trips)
		return 0;
	p->cut_ask = a;
	power_trips(&p->trip);
	return DM_HELD;
}
