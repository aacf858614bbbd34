/* SPDX-License-Identifier: BSD-2-Clause */
/* The fronts' memory (base/pool.c): what is kept, what is shared, and what is freed when somebody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/pool.h"

#define MIB ((size_t)1 << 20)

static struct pool_memory memory;
static struct pool p, q;

static int begin(void **state)
{
	(void)state;
	memory = (struct pool_memory){ .starved = 0 };
	pool_memory_init(&memory, 8 * MIB, 2);
	pool_init(&p, &memory, 100);
	pool_init(&q, &memory, 100);
	return 0;
}

static int end(void **state)
{
	(void)state;
	pool_free(&p);
	pool_free(&q);
	return memory.budget.used ? -1 : 0;
}

static void what_is_given_back_is_taken_again(void **state)
{
	void *buf = pool_take(&p, 5000), *object = pool_take_object(&p);

	(void)state;
	assert_int_equal((uintptr_t)buf % 4096, 0);
	assert_false(pool_give(&p, buf, 5000));
	assert_false(pool_give_object(&p, object));
	assert_int_equal(memory.budget.used, 8192 + 100);
	assert_ptr_equal(pool_take(&p, 8192), buf);	/* the same class */
	assert_ptr_equal(pool_take_object(&p), object);
	assert_int_equal(memory.budget.used, 8192 + 100);
	pool_give(&p, buf, 8192);
	pool_give_object(&p, object);
}

static void all_pools_together_have_so_much(void **state)
{
	void *a = pool_take(&p, 4 * MIB), *b = pool_take(&q, 4 * MIB);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_null(pool_take(&p, 1));
	assert_false(pool_ready(&q, 1));
	pool_give(&q, b, 4 * MIB);	/* more than may be idle: it becomes available to the other pool */
	b = pool_take(&p, 4 * MIB);
	assert_non_null(b);
	pool_give(&p, a, 4 * MIB);
	pool_give(&p, b, 4 * MIB);
}

/* Idle buffers of one size make room for one of another. */
static void what_lies_idle_gives_way(void **state)
{
	void *small = pool_take(&p, MIB), *big[2] = { pool_take(&q, 4 * MIB), pool_take(&q, 2 * MIB) };

	(void)state;
	assert_non_null(big[0]);
	assert_non_null(big[1]);
	assert_null(pool_take(&p, 2 * MIB));
	pool_give(&p, small, MIB);
	assert_int_equal(p.idle, MIB);
	small = pool_take(&p, 2 * MIB);
	assert_non_null(small);
	assert_int_equal(p.idle, 0);
	assert_false(pool_ready(&p, MIB));
	pool_give(&p, small, 2 * MIB);
	pool_give(&q, big[0], 4 * MIB);
	pool_give(&q, big[1], 2 * MIB);
}

static void nothing_lies_idle_while_somebody_waits(void **state)
{
	void *buf = pool_take(&p, 4096), *object = pool_take_object(&p);

	(void)state;
	memory.starved = 1;
	assert_true(pool_give(&p, buf, 4096));
	assert_true(pool_give_object(&p, object));
	assert_int_equal(memory.budget.used, 0);
}

static void what_lies_idle_is_freed_when_it_is_asked_for(void **state)
{
	void *buf = pool_take(&p, 4096), *object = pool_take_object(&p);

	(void)state;
	assert_false(pool_shrink(&p));
	pool_give(&p, buf, 4096);
	assert_true(pool_shrink(&p));
	pool_give_object(&p, object);
	assert_true(pool_shrink(&p));
	assert_false(pool_shrink(&p));
	assert_int_equal(memory.budget.used, 0);
}

static void some_fronts_have_no_limit(void **state)
{
	void *buf;

	(void)state;
	pool_memory_init(&memory, POOL_UNLIMITED, 1);
	assert_true(pool_ready(&p, POOL_LARGEST));
	buf = pool_take(&p, POOL_LARGEST);
	assert_int_equal(p.idle, 0);
	pool_give(&p, buf, POOL_LARGEST);
	assert_int_equal(p.idle, POOL_LARGEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_given_back_is_taken_again, begin, end),
		cmocka_unit_test_setup_teardown(all_pools_together_have_so_much, begin, end),
		cmocka_unit_test_setup_teardown(what_lies_idle_gives_way, begin, end),
		cmocka_unit_test_setup_teardown(nothing_lies_idle_while_somebody_waits, begin, end),
		cmocka_unit_test_setup_teardown(what_lies_idle_is_freed_when_it_is_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(some_fronts_have_no_limit, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
