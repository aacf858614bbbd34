/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers: they run in order, can be stopped and restarted from anywhere, and a million with mixed delays cost little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/list.h"
#include "base/timers.h"

#define MANY 1000000u
#define FEW 2000u

static uint64_t now;

static uint64_t test_now(struct clock *c)
{
	(void)c;
	return now;
}

static struct clock test_clock = { .now = test_now };

struct mine {
	struct timer timer;
	uint64_t at;
};

static struct timers all;
static uint64_t ran, last_at, last_number;

static void run_in_order(struct timer *t)
{
	struct mine *m = container(t, struct mine, timer);

	assert_true(t->at == m->at && t->at <= now);
	assert_true(t->at > last_at || (t->at == last_at && t->number > last_number));
	last_at = t->at;
	last_number = t->number;
	ran++;
}

static int begin(void **state)
{
	(void)state;
	now = 1000;
	ran = last_at = last_number = 0;
	timers_init(&all, &test_clock);
	return 0;
}

static uint32_t next_random(void)
{
	static uint32_t seed = 1;

	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void start(struct mine *m, uint64_t ns)
{
	m->at = now + ns;
	timers_start(&all, &m->timer, ns);
}

static struct mine *make(size_t n)
{
	struct mine *m = calloc(n, sizeof(*m));
	size_t i;

	assert_non_null(m);
	for (i = 0; i < n; i++)
		timer_init(&m[i].timer, run_in_order);
	return m;
}

/* A list sorted by time would take hours here. */
static void a_million_with_mixed_delays_run_in_order(void **state)
{
	struct mine *m = make(MANY);
	size_t i;

	(void)state;
	for (i = 0; i < MANY; i++)
		start(&m[i], next_random() % 100000);
	for (i = 0; i < MANY; i += 3)
		timer_stop(&m[i].timer);
	while (ran < MANY - (MANY + 2) / 3) {
		now += 10000;
		timers_run(&all);
		assert_true(now <= 101000 + 10000);
	}
	assert_null(all.first);
	free(m);
}

/* Compared with a model: which ones are on, and which is the next. */
static void starts_and_stops_in_any_order_agree_with_a_model(void **state)
{
	struct mine *m = make(FEW);
	unsigned step, i, on, expected = 0;

	(void)state;
	for (step = 0; step < 20 * FEW; step++) {
		struct mine *one = &m[next_random() % FEW];

		if (next_random() % 3)
			start(one, next_random() % 500);
		else
			timer_stop(&one->timer);
		if (step % 50)
			continue;
		now += next_random() % 100;
		for (i = 0; i < FEW; i++)
			expected += timer_is_on(&m[i].timer) && m[i].at <= now;
		timers_run(&all);
		assert_int_equal(ran, expected);
	}
	for (i = on = 0; i < FEW; i++)
		on += timer_is_on(&m[i].timer);
	assert_true(on > 0);
	now += 500;
	timers_run(&all);
	assert_int_equal(ran, expected + on);
	free(m);
}

static struct timer *again;
static unsigned times;

static void run_again(struct timer *t)
{
	times++;
	timers_start(&all, t, 0);
}

/* Otherwise a timer that restarts itself would occupy the loop forever. */
static void what_is_started_on_the_way_runs_the_next_time(void **state)
{
	struct timer t;

	(void)state;
	timer_init(&t, run_again);
	again = &t;
	timers_start(&all, again, 0);
	timers_run(&all);
	assert_int_equal(times, 1);
	timers_run(&all);
	assert_int_equal(times, 2);
	timer_stop(&t);
	timers_run(&all);
	assert_int_equal(times, 2);
}

static void stop_next(struct timer *t)
{
	(void)t;
	times++;
	timer_stop(again);
}

static void one_that_is_due_can_be_stopped_by_another(void **state)
{
	struct timer one, two;

	(void)state;
	times = 0;
	timer_init(&one, stop_next);
	timer_init(&two, stop_next);
	again = &two;
	timers_start(&all, &one, 5);
	timers_start(&all, &two, 5);
	now += 5;
	timers_run(&all);
	assert_int_equal(times, 1);
	assert_false(timer_is_on(&two));
}

static void waiting_is_as_long_as_the_first_one_needs(void **state)
{
	struct mine *m = make(2);

	(void)state;
	assert_int_equal(timers_wait(&all, -1), -1);
	start(&m[0], 7 * TIMERS_SECOND);
	start(&m[1], 1500000);
	assert_int_equal(timers_wait(&all, -1), 2);
	assert_int_equal(timers_wait(&all, 1), 1);
	assert_int_equal(timers_wait(&all, 0), 0);
	timer_stop(&m[1].timer);
	assert_int_equal(timers_wait(&all, -1), 7000);
	now += 8 * TIMERS_SECOND;
	assert_int_equal(timers_wait(&all, -1), 0);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_million_with_mixed_delays_run_in_order, begin),
		cmocka_unit_test_setup(starts_and_stops_in_any_order_agree_with_a_model, begin),
		cmocka_unit_test_setup(what_is_started_on_the_way_runs_the_next_time, begin),
		cmocka_unit_test_setup(one_that_is_due_can_be_stopped_by_another, begin),
		cmocka_unit_test_setup(waiting_is_as_long_as_the_first_one_needs, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
