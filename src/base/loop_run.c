/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which thread runs a loop: one, until a call that it makes (loop_call_here()) takes long. Then a second one continues
 * with the loop, and the first only watches. See standin.h.
 */
#include <errno.h>
#include <sys/prctl.h>

#include "base/loop_own.h"
#include "base/thread.h"

#define LOOP_ALONE 64u		/* a client has the thread for itself so many turns after the last event of another watch */
#define LOOP_SLACK 1000u	/* nanoseconds by which a pause may be longer, to be woken together with something else */

/* On the thread that has the loop now, if that is not the one that made the call. */
static void loop_back(struct loop_msg *m)
{
	struct loop_call *c = container(m, struct loop_call, back);

	c->done(c);
}

/* False: the call took long, and the other thread has the loop now. */
static bool loop_make_call(struct loop *l)
{
	struct loop_call *c = l->call;
	unsigned away;

	l->call = NULL;
	away = standin_leave(&l->standin);
	c->call(c);
	if (!standin_return(&l->standin, away)) {
		c->back.run = loop_back;
		loop_post(l, &c->back);
		return false;
	}
	c->done(c);
	loop_run_work(l);
	return true;
}

/* Runs turns as long as this thread has the loop. */
static void loop_keep(struct loop *l)
{
	bool mine = true;

	while (mine && !loop_stopped(l)) {
		loop_turn(l, l->call ? 0 : -1);
		if (l->call && list_empty(&l->work))
			mine = loop_make_call(l);
	}
	if (mine)
		standin_end(&l->standin);
}

static void *loop_other(void *arg)
{
	struct loop *l = arg;

	thread_serves_disks();
	(void)prctl(PR_SET_TIMERSLACK, LOOP_SLACK);	/* only a hint */
	while (standin_watch(&l->standin))
		loop_keep(l);
	return NULL;
}

void loop_run(struct loop *l)
{
	(void)prctl(PR_SET_TIMERSLACK, LOOP_SLACK);
	l->running = true;
	do
		loop_keep(l);
	while (standin_watch(&l->standin));
}

static bool loop_has_other(struct loop *l)
{
	if (!l->has_other)
		l->has_other = !thread_start(&l->other, "dmuse-io", 0, loop_other, l);
	return l->has_other;
}

bool loop_call_here(struct loop *l, struct loop_call *c)
{
	if (!l->running || l->call || l->turns - l->company < LOOP_ALONE || !loop_has_other(l))
		return false;
	l->call = c;
	return true;
}

void loop_run_over(struct loop *l)
{
	if (l->has_other) {
		standin_end(&l->standin);
		pthread_join(l->other, NULL);
	}
	standin_destroy(&l->standin);
}
