/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions of legs that are to be equal: who is told, and how often, that the work in a region can begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/kit/sync_regions.h"

static struct regions g;

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	g = (struct regions){ .marks = true };
	assert_int_equal(regions_new(&g, 4, 3, &e), 0);
	region_begins(&g, 1, true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	regions_free(&g);
	return 0;
}

/* A write waits until its region is marked; meanwhile the region is taken to be compared. */
static void a_mark_that_comes_late_begins_nothing_anew(void **state)
{
	struct dm_req r = { .sector = 8, .count = 1 };
	struct region_news news;

	(void)state;
	assert_int_equal(regions_enter(&g, &r, &news), REGION_WAITS);
	assert_ptr_equal(news.mark, &r);
	assert_true(region_take(&g, 1, false, &news));
	assert_true(news.quiet);
	region_marked(&g, 1, &news);
	assert_false(news.quiet);
	assert_null(news.awake);
	region_untouched(&g, 1, &news);
	assert_false(news.quiet);
	assert_ptr_equal(news.awake, &r.home);
	assert_int_equal(r.verdict, REGION_ALL);
	regions_leave(&g, &r, false, &news);
	assert_false(news.quiet);
}

static void the_last_write_begins_the_work(void **state)
{
	struct dm_req a = { .sector = 8, .count = 1 }, b = { .sector = 9, .count = 1 };
	struct region_news news;

	(void)state;
	assert_int_equal(regions_enter(&g, &a, &news), REGION_WAITS);
	region_marked(&g, 1, &news);
	assert_ptr_equal(news.awake, &a.home);
	assert_int_equal(regions_enter(&g, &b, &news), REGION_ALL);
	assert_true(region_take(&g, 1, false, &news));
	assert_false(news.quiet);
	assert_false(region_take(&g, 1, false, &news));
	regions_leave(&g, &a, false, &news);
	assert_false(news.quiet);
	regions_leave(&g, &b, false, &news);
	assert_true(news.quiet);
	region_untouched(&g, 1, &news);
	assert_false(news.quiet);
}

/* Who wants a region only if nobody writes there does not close it to writes. */
static void a_region_in_which_somebody_writes_stays_open(void **state)
{
	struct dm_req a = { .sector = 8, .count = 1 }, b = { .sector = 9, .count = 1 };
	struct region_news news;

	(void)state;
	assert_int_equal(regions_enter(&g, &a, &news), REGION_WAITS);
	region_marked(&g, 1, &news);
	assert_false(region_take(&g, 1, true, &news));
	assert_int_equal(regions_enter(&g, &b, &news), REGION_ALL);
	regions_leave(&g, &a, false, &news);
	regions_leave(&g, &b, false, &news);
	assert_false(news.quiet);
	assert_true(region_take(&g, 1, true, &news));
	assert_true(news.quiet);
	region_untouched(&g, 1, &news);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mark_that_comes_late_begins_nothing_anew, begin, end),
		cmocka_unit_test_setup_teardown(the_last_write_begins_the_work, begin, end),
		cmocka_unit_test_setup_teardown(a_region_in_which_somebody_writes_stays_open, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
