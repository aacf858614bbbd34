/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loop that sleeps lends itself to other threads: never to two at once, never while it runs, and after everything
 * that came before.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/list.h"
#include "base/loop.h"

#define THREADS 3
#define JOBS 20000

static struct loop *loop;
static pthread_t thread;
static unsigned done;		/* counted by the thread that has the loop, without a lock */

struct job {
	struct loop_msg msg;
	sem_t *met, *blocks;
};

static void job_run(struct loop_msg *m)
{
	struct job *j = container(m, struct job, msg);

	done++;
	if (j->met)
		sem_post(j->met);
	if (j->blocks)
		sem_wait(j->blocks);
}

static void *main_of_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	done = 0;
	assert_int_equal(loop_new(&loop, &e), 0);
	assert_int_equal(pthread_create(&thread, NULL, main_of_loop, loop), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	loop_stop(loop);
	pthread_join(thread, NULL);
	loop_free(loop);
	return 0;
}

/* Waits until its thread sleeps; it does nothing else in these tests. */
static void borrow(void)
{
	while (!loop_borrow(loop))
		sched_yield();
}

static void its_thread_waits_for_who_has_it(void **state)
{
	struct job j = { .msg.run = job_run };
	sem_t met;

	(void)state;
	sem_init(&met, 0, 0);
	j.met = &met;
	borrow();
	assert_false(loop_borrow(loop));
	loop_post(loop, &j.msg);
	for (int i = 0; i < 1000; i++)
		sched_yield();
	assert_int_equal(done, 0);
	done = 41;
	loop_return(loop);
	sem_wait(&met);
	assert_int_equal(done, 42);
	sem_destroy(&met);
}

static void nobody_gets_it_while_it_works(void **state)
{
	struct job j = { .msg.run = job_run };
	sem_t met, blocks;

	(void)state;
	sem_init(&met, 0, 0);
	sem_init(&blocks, 0, 0);
	j.met = &met;
	j.blocks = &blocks;
	loop_post(loop, &j.msg);
	sem_wait(&met);
	assert_false(loop_borrow(loop));
	sem_post(&blocks);
	borrow();
	loop_return(loop);
	sem_destroy(&met);
	sem_destroy(&blocks);
}

static struct loop_work work;
static sem_t worked;

static void work_run(struct loop_work *w)
{
	(void)w;
	sem_post(&worked);
}

/* Work that was deferred meanwhile is done by its own thread, at once. */
static void what_is_deferred_wakes_it(void **state)
{
	(void)state;
	sem_init(&worked, 0, 0);
	list_init(&work.node);
	work.run = work_run;
	borrow();
	loop_defer(loop, &work);
	loop_return(loop);
	sem_wait(&worked);
	sem_destroy(&worked);
}

/* A loop that a test runs itself is not lent between the turns. */
static void it_is_lent_only_asleep(void **state)
{
	struct err e = ERR_INIT;
	struct loop *mine;

	(void)state;
	assert_int_equal(loop_new(&mine, &e), 0);
	assert_false(loop_borrow(mine));
	loop_turn(mine, 0);
	assert_false(loop_borrow(mine));
	loop_turn(mine, 1);
	assert_false(loop_borrow(mine));
	loop_free(mine);
}

static void *crowd(void *arg)
{
	struct job *jobs = calloc(JOBS, sizeof(*jobs));
	unsigned i;

	(void)arg;
	for (i = 0; i < JOBS; i++)
		if (loop_borrow(loop)) {
			done++;
			loop_return(loop);
		} else {
			jobs[i].msg.run = job_run;
			loop_post(loop, &jobs[i].msg);
		}
	return jobs;
}

static void a_crowd_loses_nothing(void **state)
{
	unsigned i;
	void *jobs[THREADS];
	pthread_t t[THREADS];

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, crowd, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], &jobs[i]);
	borrow();
	assert_int_equal(done, THREADS * JOBS);
	loop_return(loop);
	for (i = 0; i < THREADS; i++)
		free(jobs[i]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(its_thread_waits_for_who_has_it),
		CASE(nobody_gets_it_while_it_works),
		CASE(what_is_deferred_wakes_it),
		cmocka_unit_test(it_is_lent_only_asleep),
		CASE(a_crowd_loses_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
