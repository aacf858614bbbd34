/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers: every job runs once and ends on the thread from which it came; what a client waits for goes first. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/thread.h"
#include "core/kit/compute.h"
#include "support/world.h"

#define JOBS 5000u
#define LOOPS 3u

struct task {
	struct work work;
	struct source *source;
	unsigned rounds;
	uint64_t number, sum;
};

/* A loop with a thread of its own, from which jobs come. */
struct source {
	struct loop *loop;
	struct work_feed feed;
	struct loop_msg begin;
	struct workers *workers;
	pthread_t thread;
	struct task jobs[JOBS];
	unsigned left;
};

static struct workers *make(unsigned n)
{
	struct workers *w;
	struct err e = ERR_INIT;

	if (workers_new(&w, n, &e))
		fail_msg("%s", e.text);
	return w;
}

static struct loop *make_loop(void)
{
	struct loop *l;
	struct err e = ERR_INIT;

	if (loop_new(&l, &e))
		fail_msg("%s", e.text);
	return l;
}

static void add_up(struct work *w)
{
	struct task *j = container(w, struct task, work);

	j->sum += j->number;
}

/* Back on the thread that started it, so plain counters are enough. */
static void over(struct work *w)
{
	struct task *j = container(w, struct task, work);

	if (!pthread_equal(pthread_self(), j->source->thread))
		abort();
	if (--j->rounds)
		work_start(&j->source->feed, w, j->rounds % 2 ? WORK_WAITED : WORK_BACKGROUND);
	else if (--j->source->left == 0)
		loop_stop(j->source->loop);
}

static void start_all(struct loop_msg *m)
{
	struct source *s = container(m, struct source, begin);
	unsigned i;

	s->left = JOBS;
	work_feed_init(&s->feed, s->workers, s->loop);
	for (i = 0; i < JOBS; i++) {
		s->jobs[i] = (struct task){ .work = { .run = add_up, .done = over }, .source = s, .rounds = 4, .number = i };
		work_start(&s->feed, &s->jobs[i].work, i % 2 ? WORK_WAITED : WORK_BACKGROUND);
	}
}

static void *source_main(void *arg)
{
	struct source *s = arg;

	s->thread = pthread_self();
	loop_run(s->loop);
	return NULL;
}

static void jobs_of_several_loops_end_where_they_came_from(void **state)
{
	static struct source sources[LOOPS];
	struct workers *w = make(4);
	pthread_t threads[LOOPS];
	unsigned i, k;

	(void)state;
	for (i = 0; i < LOOPS; i++) {
		sources[i].loop = make_loop();
		sources[i].workers = w;
		sources[i].begin.run = start_all;
		loop_post(sources[i].loop, &sources[i].begin);
		assert_int_equal(thread_start(&threads[i], "source", 0, source_main, &sources[i]), 0);
	}
	for (i = 0; i < LOOPS; i++) {
		pthread_join(threads[i], NULL);
		for (k = 0; k < JOBS; k++)
			assert_int_equal(sources[i].jobs[k].sum, 4 * k);
		loop_free(sources[i].loop);
	}
	workers_free(w);
}

static pthread_barrier_t hold;
static atomic_uint order;

struct step {
	struct work work;
	unsigned place, *left;
};

static void wait_for_test(struct work *w)
{
	(void)w;
	pthread_barrier_wait(&hold);
}

static void note_place(struct work *w)
{
	container(w, struct step, work)->place = atomic_fetch_add(&order, 1) + 1;
}

static void one_less(struct work *w)
{
	--*container(w, struct step, work)->left;
}

/* While the only worker is busy, background work is started first; then what a client waits for. */
static void what_a_client_waits_for_goes_first(void **state)
{
	struct workers *w = make(1);
	struct loop *l = make_loop();
	struct work_feed f;
	unsigned left = 5;
	struct step busy = { .work = { .run = wait_for_test, .done = one_less }, .left = &left }, steps[4];
	unsigned i;

	(void)state;
	pthread_barrier_init(&hold, NULL, 2);
	work_feed_init(&f, w, l);
	work_start(&f, &busy.work, WORK_BACKGROUND);
	loop_turn(l, 0);
	for (i = 0; i < 4; i++) {
		steps[i] = (struct step){ .work = { .run = note_place, .done = one_less }, .left = &left };
		work_start(&f, &steps[i].work, i < 2 ? WORK_BACKGROUND : WORK_WAITED);
	}
	loop_turn(l, 0);
	pthread_barrier_wait(&hold);
	while (left)
		loop_turn(l, -1);
	assert_int_equal(steps[2].place, 1);
	assert_int_equal(steps[3].place, 2);
	assert_int_equal(steps[0].place, 3);
	assert_int_equal(steps[1].place, 4);
	pthread_barrier_destroy(&hold);
	workers_free(w);
	loop_free(l);
}

/* Each waits for the others: they can only end if all workers were woken. */
static void one_batch_reaches_all_workers(void **state)
{
	struct workers *w = make(4);
	struct loop *l = make_loop();
	struct work_feed f;
	struct step steps[4];
	unsigned i, left = 4;

	(void)state;
	pthread_barrier_init(&hold, NULL, 4);
	work_feed_init(&f, w, l);
	for (i = 0; i < 4; i++) {
		steps[i] = (struct step){ .work = { .run = wait_for_test, .done = one_less }, .left = &left };
		work_start(&f, &steps[i].work, WORK_WAITED);
	}
	while (left)
		loop_turn(l, -1);
	pthread_barrier_destroy(&hold);
	workers_free(w);
	loop_free(l);
}

static struct {
	struct work work;
	struct loop_msg msg;
	struct dm_io *io;
	unsigned runs;
	atomic_bool over;
} own;

static void own_run(struct work *w)
{
	(void)w;
	if (pthread_equal(pthread_self(), own.io->thread))
		abort();
	own.runs++;
}

static void own_done(struct work *w)
{
	(void)w;
	if (!pthread_equal(pthread_self(), own.io->thread))
		abort();
	atomic_store(&own.over, true);
}

static void own_start(struct loop_msg *m)
{
	(void)m;
	dm_compute(own.io, &own.work, WORK_WAITED);
}

static void a_world_has_workers_when_a_type_asks_for_them(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;
	struct workers *w;

	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	assert_null(f.world->workers);
	assert_int_equal(dm_compute_begin(f.world, &e), 0);
	w = f.world->workers;
	assert_int_equal(dm_compute_begin(f.world, &e), 0);
	assert_ptr_equal(f.world->workers, w);
	own.io = &f.world->io[1];
	own.work = (struct work){ .run = own_run, .done = own_done };
	own.msg.run = own_start;
	loop_post(own.io->loop, &own.msg);
	while (!atomic_load(&own.over))
		settle_threads(&f);
	assert_int_equal(own.runs, 1);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_of_several_loops_end_where_they_came_from),
		cmocka_unit_test(what_a_client_waits_for_goes_first),
		cmocka_unit_test(one_batch_reaches_all_workers),
		cmocka_unit_test(a_world_has_workers_when_a_type_asks_for_them),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
