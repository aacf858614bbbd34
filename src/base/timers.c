/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: see timers.h. Each timer is the root of a tree of timers that run after it. When one is removed, its children
 * are merged into one tree, which takes its place: nothing in it runs before the timer above.
 */
#include "base/timers.h"

#include <limits.h>

void timers_init(struct timers *all, struct clock *clock)
{
	*all = (struct timers){ .clock = clock };
}

static bool timer_runs_before(const struct timer *a, const struct timer *b)
{
	return a->at != b->at ? a->at < b->at : a->number < b->number;
}

/* Makes LINK, which leads to nothing else, point to T (which may be NULL). */
static void timer_hang(struct timer **link, struct timer *t)
{
	*link = t;
	if (t)
		t->link = link;
}

/* Merges two trees. The root of the result is not linked to anything yet. */
static struct timer *timer_meld(struct timer *a, struct timer *b)
{
	struct timer *first, *then;

	if (!a || !b)
		return a ? a : b;
	first = timer_runs_before(b, a) ? b : a;
	then = first == a ? b : a;
	timer_hang(&then->next, first->child);
	timer_hang(&first->child, then);
	first->next = NULL;
	return first;
}

/* Removes the first of *LIST. */
static struct timer *timer_take(struct timer **list)
{
	struct timer *t = *list;

	if (t) {
		*list = t->next;
		t->next = NULL;
	}
	return t;
}

/* Merges the siblings from T on into one tree: first in pairs, then the pairs, from the last to the first. */
static struct timer *timer_meld_all(struct timer *t)
{
	struct timer *pairs = NULL, *one, *two, *all = NULL;

	while ((one = timer_take(&t))) {
		two = timer_take(&t);
		one = timer_meld(one, two);
		one->next = pairs;
		pairs = one;
	}
	while ((one = timer_take(&pairs)))
		all = timer_meld(all, one);
	return all;
}

void timer_stop(struct timer *t)
{
	struct timer **link = t->link, *next = t->next, *heir;

	if (!link)
		return;
	heir = timer_meld_all(t->child);
	t->child = t->next = NULL;
	t->link = NULL;
	if (!heir) {
		timer_hang(link, next);
		return;
	}
	timer_hang(link, heir);
	timer_hang(&heir->next, next);
}

void timers_start(struct timers *all, struct timer *t, uint64_t ns)
{
	timer_stop(t);
	t->at = clock_now(all->clock) + ns;
	t->number = ++all->started;
	timer_hang(&all->first, timer_meld(all->first, t));
}

/* What is started meanwhile runs later, even if its time has come. */
void timers_run(struct timers *all)
{
	uint64_t now, started = all->started;

	if (!all->first)
		return;
	now = clock_now(all->clock);
	while (all->first && all->first->at <= now && all->first->number <= started) {
		struct timer *t = all->first;

		timer_stop(t);
		t->run(t);
	}
}

int timers_wait(const struct timers *all, int most)
{
	uint64_t now, at, ms;

	if (most == 0 || !all->first)
		return most;
	now = clock_now(all->clock);
	at = all->first->at;
	ms = at > now ? (at - now + 999999) / 1000000 : 0;
	if (most > 0 && ms > (uint64_t)most)
		return most;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}
