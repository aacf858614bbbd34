/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events that targets raise, from any thread: each is counted once, wakes `wait` and is reported to fronts; those of
 * tables that are not active are not.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/event.h"
#include "support/slow.h"
#include "support/world.h"

#define THREADS 4
#define EACH 500u

static struct fixture f;
static unsigned happened;

static void front_changed(struct dm_front *front, struct dm_device *d, enum dm_change what)
{
	(void)front;
	(void)d;
	happened += what == DM_HAPPENED;
}

static struct dm_front front = { .name = "test", .changed = front_changed };

static int begin(void **state)
{
	(void)state;
	slow_raises_early = false;
	fixture_begin(&f, 2, AIO_AUTO);
	happened = 0;
	list_append(&f.world->fronts, &front.node);
	make_device(&f, "d", "0 8 slow");
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static struct dm_table *table(void)
{
	return (struct dm_table *)dm_find_name(f.world, "d")->active;
}

static void *raise_many(void *arg)
{
	unsigned i;

	for (i = 0; i < EACH; i++)
		dm_event_raise(arg);
	return NULL;
}

static void every_event_of_every_thread_is_counted(void **state)
{
	pthread_t threads[THREADS];
	uint32_t last = 0, now;
	unsigned i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, raise_many, table()), 0);
	while ((now = info(&f, "d").event_nr) < THREADS * EACH) {
		assert_true(now >= last);
		last = now;
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	settle_threads(&f);
	assert_int_equal(info(&f, "d").event_nr, THREADS * EACH);
	assert_true(happened >= 1);
}

static void *raise_one(void *arg)
{
	dm_event_raise(arg);
	return NULL;
}

/* A caller that has seen what came with the event also sees the event: without a turn of the loop. */
static void the_next_command_sees_it(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_WAIT, .name = "d", .event_nr = 0 };
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, raise_one, table());
	pthread_join(thread, NULL);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_int_equal(c.reply.info.event_nr, 1);
	dm_reply_free(&c.reply);
	dm_event_raise(table());
	assert_int_equal(info(&f, "d").event_nr, 2);
}

static bool woken;

static void wait_over(struct dm_cmd *c)
{
	woken = !c->reply.err.code;
	dm_reply_free(&c->reply);
}

static void a_thread_wakes_who_waits(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_WAIT, .name = "d", .done = wait_over };
	pthread_t thread;

	(void)state;
	woken = false;
	dm_do(f.world, &c);
	settle_threads(&f);
	assert_false(woken);
	pthread_create(&thread, NULL, raise_one, table());
	while (!woken)
		loop_turn(f.loop, -1);
	pthread_join(thread, NULL);
	assert_int_equal(happened, 1);
}

static void a_table_that_is_not_active_raises_nothing(void **state)
{
	uint32_t before;

	(void)state;
	assert_int_equal(reload(&f, "d", "0 8 slow", NULL), 0);
	dm_event_raise((struct dm_table *)dm_find_name(f.world, "d")->inactive);
	settle_threads(&f);
	assert_int_equal(info(&f, "d").event_nr, 0);
	slow_raises_early = true;
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	before = info(&f, "d").event_nr;
	assert_int_equal(before, 0);
	dm_event_raise(table());
	assert_int_equal(info(&f, "d").event_nr, before + 1);
}

/* What the old table has raised by then is counted. */
static void a_swap_loses_no_event(void **state)
{
	(void)state;
	assert_int_equal(reload(&f, "d", "0 8 zero", NULL), 0);
	verb(&f, DM_DO_SUSPEND, "d", 0, NULL);
	dm_event_raise(table());
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	settle_threads(&f);
	assert_int_equal(info(&f, "d").event_nr, 1);
}

static void the_device_may_go_before_it_is_counted(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 50; i++) {
		dm_event_raise(table());
		assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
		make_device(&f, "d", "0 8 slow");
		assert_int_equal(info(&f, "d").event_nr, 0);
	}
	dm_event_raise(table());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_event_of_every_thread_is_counted, begin, end),
		cmocka_unit_test_setup_teardown(the_next_command_sees_it, begin, end),
		cmocka_unit_test_setup_teardown(a_thread_wakes_who_waits, begin, end),
		cmocka_unit_test_setup_teardown(a_table_that_is_not_active_raises_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_swap_loses_no_event, begin, end),
		cmocka_unit_test_setup_teardown(the_device_may_go_before_it_is_counted, begin, end),
	};

	fixture_add_type(&slow_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
