/* SPDX-License-Identifier: BSD-2-Clause */
/* The exceptions of a snapshot in memory: what was added is found, also while others are added and removed; and how much they take. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "targets/snapshot/exceptions.h"

enum { MANY = 200000 };

static struct exceptions *x;

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(exceptions_new(&x, 2 * MANY, &e), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	exceptions_free(x);
	return 0;
}

static void is_in(uint64_t old, uint64_t where)
{
	uint64_t new = 0;

	if (!exceptions_find(x, old, &new))
		fail_msg("%llu is lost", (unsigned long long)old);
	assert_int_equal(new, where);
}

static void is_not_in(uint64_t old)
{
	uint64_t new;

	assert_false(exceptions_find(x, old, &new));
}

static uint64_t scattered(uint64_t i)
{
	return (i * UINT64_C(0x9E3779B97F4A7C15)) >> 17;
}

static void scattered_ones_are_found(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < MANY; i++)
		assert_true(exceptions_add(x, scattered(i), (UINT64_C(1) << 40) - i));
	for (i = 0; i < MANY; i++)
		is_in(scattered(i), (UINT64_C(1) << 40) - i);
	is_not_in(scattered(MANY));
	assert_int_equal(exceptions_count(x), MANY);
	assert_int_equal(exceptions_nodes(x), MANY);
	for (i = MANY; i--;)
		exceptions_remove(x, scattered(i));
	for (i = 0; i < MANY; i += 1000)
		is_not_in(scattered(i));
	assert_int_equal(exceptions_nodes(x), 0);
	assert_true(exceptions_add(x, 7, 8));
	is_in(7, 8);
}

static void those_that_follow_each_other_share_a_node(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < 80; i++)
		assert_true(exceptions_add(x, 1000 + i, 5 + i));
	assert_int_equal(exceptions_nodes(x), 10);
	for (i = 0; i < 80; i++)
		is_in(1000 + i, 5 + i);
	is_not_in(999);
	is_not_in(1080);
	for (i = 80; i-- > 3;) {
		exceptions_remove(x, 1000 + i);
		is_not_in(1000 + i);
		is_in(1000 + i - 1, 5 + i - 1);
	}
	assert_int_equal(exceptions_nodes(x), 1);
}

static void one_too_many_is_refused(void **state)
{
	struct err e = ERR_INIT;
	struct exceptions *few;
	uint64_t i;

	(void)state;
	assert_int_equal(exceptions_new(&few, 10, &e), 0);
	for (i = 0; i < 10; i++)
		assert_true(exceptions_add(few, i * 100, i));
	assert_false(exceptions_add(few, 5000, 77));
	exceptions_remove(few, 300);
	assert_true(exceptions_add(few, 5000, 77));
	exceptions_free(few);
}

/* --- memory --------------------------------------------------------------------------------------------------------------- */

enum { MILLION = 1000000 };

static uint64_t resident_bytes(void)
{
	unsigned long all, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &all, &resident), 2);
	fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t itself(uint64_t i)
{
	return i;
}

/* Of one exception, when there are a million, which the function OLD has made. */
static double bytes_of_one(uint64_t (*old)(uint64_t i))
{
	struct exceptions *many;
	struct err e = ERR_INIT;
	uint64_t i, before;
	double bytes;

	assert_int_equal(exceptions_new(&many, MILLION, &e), 0);
	before = resident_bytes();
	for (i = 0; i < MILLION; i++)
		assert_true(exceptions_add(many, old(i), i));
	bytes = (double)(resident_bytes() - before) / MILLION;
	exceptions_free(many);
	return bytes;
}

static void a_million_take_24_bytes_each_at_most(void **state)
{
	double apart = bytes_of_one(scattered), together = bytes_of_one(itself);

	(void)state;
	print_message("# bytes of an exception: %.1f, of one that follows others %.1f\n", apart, together);
#ifdef __SANITIZE_THREAD__
	skip();		/* it has memory of its own beside each byte */
#endif
	assert_true(apart > 12 && apart <= 24);
	assert_true(together < 4);
}

/* --- others look meanwhile -------------------------------------------------------------------------------------------------- */

static atomic_uint added;		/* so many are there for good */
static atomic_bool over;

/* What was there is found at any time, in its place; the other half comes and goes. */
static void *look(void *arg)
{
	uintptr_t lost = 0;
	uint64_t i = 0, new;

	(void)arg;
	while (!atomic_load(&over)) {
		unsigned n = atomic_load(&added);

		if (n) {
			i = (i + 1) % n;
			lost += !exceptions_find(x, scattered(i) * 2, &new) || new != i;
		}
		if (exceptions_find(x, scattered(i) * 2 + 1, &new))
			lost += new != i + 1000;
	}
	return (void *)lost;
}

static void readers_see_what_is_there_while_it_changes(void **state)
{
	pthread_t readers[2];
	unsigned i;
	void *lost;

	(void)state;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, look, NULL), 0);
	for (i = 0; i < MANY / 4; i++) {
		exceptions_add(x, scattered(i) * 2, i);
		atomic_store(&added, i + 1);
		exceptions_add(x, scattered(i) * 2 + 1, i + 1000);
		if (i >= 50)
			exceptions_remove(x, scattered(i - 50) * 2 + 1);
	}
	atomic_store(&over, true);
	for (i = 0; i < 2; i++) {
		pthread_join(readers[i], &lost);
		assert_null(lost);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scattered_ones_are_found, begin, end),
		cmocka_unit_test_setup_teardown(those_that_follow_each_other_share_a_node, begin, end),
		cmocka_unit_test_setup_teardown(one_too_many_is_refused, begin, end),
		cmocka_unit_test(a_million_take_24_bytes_each_at_most),
		cmocka_unit_test_setup_teardown(readers_see_what_is_there_while_it_changes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
