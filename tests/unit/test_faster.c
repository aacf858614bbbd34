/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of two ways is faster (base/faster.c), with simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/faster.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define SIZE UINT64_C(131072)

struct client {
	struct faster f;
	uint64_t now;
	uint64_t cost[2];	/* of one read, in nanoseconds */
	unsigned n;
};

/* Reads for TIME; returns the share of the second way. */
static double share(struct client *c, uint64_t time)
{
	uint64_t end = c->now + time, second = 0;

	while (c->now < end) {
		enum faster_way way = faster_now(&c->f);

		c->now += c->cost[way];
		second += way == FASTER_SECOND ? c->cost[way] : 0;
		faster_moved(&c->f, way, SIZE, c->now);
		c->n++;
	}
	return (double)second / (double)time;
}

static struct client client(uint64_t first, uint64_t second)
{
	struct client c = { .now = 5 * SECOND, .cost = { first, second } };

	faster_init(&c.f);
	return c;
}

static void the_faster_way_is_found_at_once_and_kept(void **state)
{
	struct client c = client(100 * US, 60 * US);

	(void)state;
	assert_int_equal(faster_now(&c.f), FASTER_FIRST);
	share(&c, 30 * MS);
	assert_true(share(&c, SECOND) > 0.95);
	c = client(60 * US, 100 * US);
	share(&c, 30 * MS);
	assert_true(share(&c, SECOND) < 0.05);
}

static void what_becomes_faster_is_taken_within_seconds(void **state)
{
	struct client c = client(100 * US, 60 * US);

	(void)state;
	share(&c, 20 * SECOND);
	c.cost[FASTER_SECOND] = 150 * US;
	share(&c, 4 * SECOND);
	assert_true(share(&c, SECOND) < 0.05);
	c.cost[FASTER_SECOND] = 60 * US;
	share(&c, 4 * SECOND);
	assert_true(share(&c, SECOND) > 0.95);
}

static void trying_a_slower_way_costs_next_to_nothing(void **state)
{
	struct client c = client(60 * US, 120 * US);

	(void)state;
	share(&c, 10 * SECOND);
	assert_true(share(&c, 10 * SECOND) < 0.005);
	assert_true(share(&c, 10 * SECOND) > 0);	/* and yet it is tried */
}

static void a_difference_that_may_be_luck_changes_nothing(void **state)
{
	struct client c = client(100 * US, 97 * US);

	(void)state;
	assert_true(share(&c, 10 * SECOND) < 0.05);
	assert_int_equal(c.f.best, FASTER_FIRST);
}

/* A single measurement while the machine was busy must not change the choice. */
static void one_win_is_not_enough(void **state)
{
	struct client c = client(100 * US, 110 * US);

	(void)state;
	while (c.f.way == FASTER_FIRST)
		share(&c, 1);
	c.cost[FASTER_SECOND] = 50 * US;
	while (c.f.way == FASTER_SECOND)
		share(&c, 1);
	c.cost[FASTER_SECOND] = 110 * US;
	assert_int_equal(c.f.wins, 1);
	share(&c, 50 * MS);
	assert_int_equal(c.f.best, FASTER_FIRST);
	assert_int_equal(c.f.wins, 0);
}

static void a_client_that_pauses_is_not_measured(void **state)
{
	struct client c = client(5 * MS, 3 * MS);

	(void)state;
	assert_true(share(&c, 10 * SECOND) == 0);
	c = client(60 * US, 50 * US);
	while (c.f.way == FASTER_FIRST)
		share(&c, 1);
	c.now += 10 * MS;		/* in the middle of a trial */
	share(&c, 1);
	assert_int_equal(faster_now(&c.f), FASTER_FIRST);
}

/* If the second way is not available, transfers in the first end the trial. */
static void a_way_that_cannot_be_taken_is_given_up(void **state)
{
	struct client c = client(60 * US, 60 * US);
	uint64_t tried = 0, end = c.now + 20 * SECOND;

	(void)state;
	for (; c.now < end; c.now += 60 * US) {
		tried += faster_now(&c.f) == FASTER_SECOND;
		faster_moved(&c.f, FASTER_FIRST, SIZE, c.now);
	}
	assert_int_equal(c.f.best, FASTER_FIRST);
	assert_true(tried * 60 * US < 2 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_faster_way_is_found_at_once_and_kept),
		cmocka_unit_test(what_becomes_faster_is_taken_within_seconds),
		cmocka_unit_test(trying_a_slower_way_costs_next_to_nothing),
		cmocka_unit_test(a_difference_that_may_be_luck_changes_nothing),
		cmocka_unit_test(one_win_is_not_enough),
		cmocka_unit_test(a_client_that_pauses_is_not_measured),
		cmocka_unit_test(a_way_that_cannot_be_taken_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
