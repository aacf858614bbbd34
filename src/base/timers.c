/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers: see timers.h. */
#include "base/timers.h"

#include <limits.h>

void timers_init(struct timers *all, struct clock *clock)
{
	all->clock = clock;
	list_init(&all->list);
}

void timers_start(struct timers *all, struct timer *t, uint64_t ns)
{
	struct list *before;

	timer_stop(t);
	t->at = clock_now(all->clock) + ns;
	for (before = all->list.prev; before != &all->list; before = before->prev)
		if (container(before, struct timer, node)->at <= t->at)
			break;
	list_append(before->next, &t->node);
}

/* What is started meanwhile is not run out yet. */
void timers_run(struct timers *all)
{
	uint64_t now;

	if (list_empty(&all->list))
		return;
	now = clock_now(all->clock);
	while (!list_empty(&all->list)) {
		struct timer *t = container(all->list.next, struct timer, node);

		if (t->at > now)
			return;
		timer_stop(t);
		t->run(t);
	}
}

int timers_wait(const struct timers *all, int most)
{
	uint64_t now, at, ms;

	if (most == 0 || list_empty(&all->list))
		return most;
	now = clock_now(all->clock);
	at = container(all->list.next, struct timer, node)->at;
	ms = at > now ? (at - now + 999999) / 1000000 : 0;
	if (most > 0 && ms > (uint64_t)most)
		return most;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}
