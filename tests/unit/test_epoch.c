/* SPDX-License-Identifier: BSD-2-Clause */
/* Epochs: a wait ends when all that entered before it have left, and does not wait for later ones. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/kit/epoch.h"
#include "support/world.h"

#define THREADS 3u
#define SLOTS 8u
#define STEPS 20000u

static struct fixture f;
static struct epoch *epoch;

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fixture_begin(&f, THREADS, AIO_AUTO);
	if (epoch_new(&epoch, f.world, &e))
		fail_msg("%s", e.text);
	return 0;
}

static int end(void **state)
{
	(void)state;
	epoch_free(epoch);
	fixture_end(&f);
	return 0;
}

/* A request, for an epoch. */
struct visit {
	struct loop_msg msg;
	struct dm_io *io;
	unsigned generation;
};

static void visit_enters(struct loop_msg *m)
{
	struct visit *v = container(m, struct visit, msg);

	v->generation = epoch_enter(epoch, v->io);
}

static void visit_leaves(struct loop_msg *m)
{
	struct visit *v = container(m, struct visit, msg);

	epoch_leave(epoch, v->io, v->generation);
}

static void go(struct visit *v, unsigned io, void (*run)(struct loop_msg *m))
{
	v->io = &f.world->io[io];
	v->msg.run = run;
	loop_post(v->io->loop, &v->msg);
	settle_threads(&f);
}

struct mine {
	struct epoch_wait wait;
	bool over;
};

static void mine_over(struct epoch_wait *w)
{
	container(w, struct mine, wait)->over = true;
}

static void wait_now(struct mine *m)
{
	*m = (struct mine){ .wait = { .done = mine_over, .home = f.loop } };
	epoch_wait(epoch, &m->wait);
	settle_threads(&f);
	settle_threads(&f);
}

static void a_wait_is_for_those_before_it_only(void **state)
{
	struct visit a, b, later;
	struct mine one, two, three;

	(void)state;
	wait_now(&one);
	assert_true(one.over);
	go(&a, 0, visit_enters);
	wait_now(&one);
	go(&b, 1, visit_enters);
	wait_now(&two);
	assert_false(one.over || two.over);
	go(&later, 0, visit_enters);
	wait_now(&three);
	go(&a, 0, visit_leaves);
	settle_threads(&f);
	assert_true(one.over);			/* although B and LATER are still inside */
	assert_false(two.over || three.over);
	go(&b, 1, visit_leaves);
	go(&later, 0, visit_leaves);
	settle_threads(&f);
	settle_threads(&f);
	assert_true(two.over && three.over);
}

/* How many turns the loop of io thread IO has made, when it sleeps. */
static uint64_t turns_when_asleep(unsigned io)
{
	struct loop *l = f.world->io[io].loop;
	uint64_t turns;

	while (!loop_borrow(l))
		sched_yield();
	turns = loop_turn_number(l);
	loop_return(l);
	return turns;
}

static void a_thread_that_sleeps_is_not_woken(void **state)
{
	struct mine m = { .wait = { .done = mine_over, .home = f.loop } };
	uint64_t turns[THREADS];
	unsigned i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		turns[i] = turns_when_asleep(i);
	epoch_wait(epoch, &m.wait);
	while (!m.over)
		loop_turn(f.loop, -1);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(turns_when_asleep(i), turns[i]);
}

/* On each io thread visits come and go while others wait: when a wait ends, all that entered before have left. */
struct traffic {
	struct loop_msg msg;
	struct dm_io *io;
	uint32_t seed;
	unsigned steps;
	struct {
		unsigned generation;
		atomic_uint since;		/* the stamp at which it entered, or 0 */
	} slots[SLOTS];
};

static struct traffic traffic[THREADS];
static atomic_uint stamp, running;

static void traffic_step(struct loop_msg *m)
{
	struct traffic *t = container(m, struct traffic, msg);
	unsigned i = (t->seed = t->seed * 1664525u + 1013904223u) >> 8, k = i % SLOTS;

	if (atomic_load(&t->slots[k].since)) {
		atomic_store(&t->slots[k].since, 0);
		epoch_leave(epoch, t->io, t->slots[k].generation);
	} else if (t->steps > SLOTS * 8) {
		t->slots[k].generation = epoch_enter(epoch, t->io);
		atomic_store(&t->slots[k].since, atomic_fetch_add(&stamp, 1) + 1);
	}
	if (t->steps > 1 || k) {
		t->steps -= t->steps > 1;
		loop_post(t->io->loop, m);
		return;
	}
	for (k = 0; k < SLOTS; k++)
		if (atomic_exchange(&t->slots[k].since, 0))
			epoch_leave(epoch, t->io, t->slots[k].generation);
	atomic_fetch_sub(&running, 1);
}

struct watcher {
	struct epoch_wait wait;
	atomic_uint waiting;
	unsigned began, waits;
};

static void watcher_wait(struct watcher *w)
{
	atomic_store(&w->waiting, 1);
	w->began = atomic_load(&stamp);
	epoch_wait(epoch, &w->wait);
}

static void watcher_over(struct epoch_wait *wait)
{
	struct watcher *w = container(wait, struct watcher, wait);
	unsigned i, k;

	for (i = 0; i < THREADS; i++)
		for (k = 0; k < SLOTS; k++) {
			unsigned since = atomic_load(&traffic[i].slots[k].since);

			if (since && since <= w->began)
				abort();
		}
	w->waits++;
	if (atomic_load(&running))
		watcher_wait(w);
	else
		atomic_store(&w->waiting, 0);
}

static void waits_hold_while_all_threads_are_busy(void **state)
{
	static struct watcher watchers[4];
	unsigned i;

	(void)state;
	atomic_store(&running, THREADS);
	for (i = 0; i < THREADS; i++) {
		traffic[i] = (struct traffic){ .msg.run = traffic_step, .io = &f.world->io[i], .seed = i, .steps = STEPS };
		loop_post(traffic[i].io->loop, &traffic[i].msg);
	}
	for (i = 0; i < 4; i++) {
		watchers[i] = (struct watcher){ .wait = { .done = watcher_over, .home = i % 2 ? f.loop : f.world->io[0].loop } };
		watcher_wait(&watchers[i]);
	}
	while (atomic_load(&running))
		settle_threads(&f);
	for (i = 0; i < 4; i++) {
		while (atomic_load(&watchers[i].waiting))
			settle_threads(&f);
		assert_true(watchers[i].waits > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_wait_is_for_those_before_it_only, begin, end),
		cmocka_unit_test_setup_teardown(a_thread_that_sleeps_is_not_woken, begin, end),
		cmocka_unit_test_setup_teardown(waits_hold_while_all_threads_are_busy, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
