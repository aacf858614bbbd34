/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that may never return: none keeps another one from its thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/blocking.h"

#define ROUNDS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned inside;
static bool shut;

static void hang(struct blocking_call *c)
{
	(void)c;
	pthread_mutex_lock(&lock);
	inside++;
	while (shut)
		pthread_cond_wait(&changed, &lock);
	inside--;
	pthread_mutex_unlock(&lock);
}

static void let(bool closed)
{
	pthread_mutex_lock(&lock);
	shut = closed;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static unsigned n_inside(void)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	n = inside;
	pthread_mutex_unlock(&lock);
	return n;
}

static unsigned n_done;

static void done(struct blocking_call *c)
{
	(void)c;
	n_done++;
}

static void start(struct blocking *b, struct blocking_call *c, bool bulk)
{
	*c = (struct blocking_call){ .call = hang, .done = done, .drop = done, .bulk = bulk };
	assert_int_equal(blocking_start(b, c), 0);
}

static void wait_done(struct loop *l, unsigned n)
{
	while (n_done != n)
		loop_turn(l, -1);
	n_done = 0;
}

/* One thread is idle when two calls come at once: the first hangs in it, and the second has another. */
static void two_of_many_do_not_share_the_idle_thread(void **state)
{
	struct blocking_call first, second;
	struct blocking *b;
	struct err e = ERR_INIT;
	struct loop *l;
	unsigned i;

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	for (i = 0; i < ROUNDS; i++) {
		assert_int_equal(blocking_new(&b, l, &e), 0);
		start(b, &first, false);
		wait_done(l, 1);
		let(true);
		start(b, &first, true);
		start(b, &second, true);
		while (n_inside() != 2)
			loop_turn(l, 10);
		let(false);
		wait_done(l, 2);
		blocking_free(b);
	}
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_of_many_do_not_share_the_idle_thread),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
