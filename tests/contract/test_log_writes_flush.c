/* SPDX-License-Identifier: BSD-2-Clause */
/* log-writes: which writes a flush covers, when flushes overlap and when one fails. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "contract/logged.h"
#include "core/path/held.h"

/* The target sour: a disk whose flushes fail or take time. */
static atomic_bool sour, sour_holds;
static struct dm_req *_Atomic held;

static int sour_ctr(struct dm_target *t, struct dm_args *a)
{
	(void)t;
	return dm_args_end(a);
}

static int sour_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	(void)r;
	return DM_DONE;
}

static int sour_flush(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	if (!atomic_load(&sour_holds) || r->flags & DM_OWN)
		return atomic_load(&sour) ? -EIO : DM_DONE;
	atomic_store(&held, r);
	return DM_HELD;
}

static const struct dm_type sour_type = {
	.name = "sour", .usage = "", .about = "its flushes fail", .ctr = sour_ctr, .map = sour_map, .flush = sour_flush,
};

/* The same while a flush is under way that covers it. */
static void what_fua_has_written_over_does_not_wait_for_a_flush(void **state)
{
	struct job flush;
	uint8_t data[512];

	(void)state;
	assert_int_equal(create(&logged.f, "low", "0 64 sour", NULL), 0);
	logged_make("0 64 log-writes /dev/mapper/low disk:1");
	atomic_store(&sour_holds, true);
	memset(data, 3, sizeof(data));
	assert_int_equal(logged_io(DM_WRITE, 0, 2, 2), 0);
	job_start(&logged.f, &flush, logged.d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&logged.f);
	assert_int_equal(request(&logged.f, logged.d, 1, DM_WRITE, DM_FUA, 3, 1, data) || logged_mark("m", NULL), 0);
	assert_string_equal(logged_log(), "w2+2 fua-w3+1 'm'");
	atomic_store(&sour_holds, false);
	dm_go_on(atomic_load(&held), DM_DONE);
	assert_int_equal(job_wait(&flush) || logged_mark("n", NULL), 0);
	assert_string_equal(logged_log(), "w2+2 fua-w3+1 'm' flush 'n'");
	logged_gone();
}

/* Held by the disk: a write that is over after a flush was submitted stands behind that flush; one that was over, before. */
static void a_flush_covers_what_was_over_when_it_was_submitted(void **state)
{
	struct job one, flush;
	uint8_t data[512];

	(void)state;
	logged_make(TABLE);
	memset(data, 1, sizeof(data));
	assert_int_equal(logged_io(DM_WRITE, 0, 2, 1), 0);
	disk_hold(0);
	job_start(&logged.f, &one, logged.d, 0, DM_WRITE, 0, 1, 1, data);
	settle_threads(&logged.f);
	job_start(&logged.f, &flush, logged.d, 1, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&logged.f);
	disk_let_go();
	assert_int_equal(job_wait(&one) || job_wait(&flush), 0);
	assert_int_equal(logged_mark("m", NULL), 0);
	assert_string_equal(logged_log(), "w2+1 flush 'm'");
	logged_gone();
	assert_string_equal(logged_log(), "w2+1 flush 'm' w1+1 'dm-log-writes-end'");
}

/* A flush that is over before one that was submitted before it has made durable what that one covers, too. */
static void a_flush_covers_what_an_older_one_under_way_does(void **state)
{
	struct job older;

	(void)state;
	assert_int_equal(create(&logged.f, "low", "0 64 sour", NULL), 0);
	logged_make("0 64 log-writes /dev/mapper/low disk:1");
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 1), 0);
	atomic_store(&sour_holds, true);
	job_start(&logged.f, &older, logged.d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&logged.f);
	atomic_store(&sour_holds, false);
	assert_int_equal(logged_io(DM_WRITE, 0, 9, 1) || logged_io(DM_FLUSH, 0, 0, 0) || logged_mark("m", NULL), 0);
	assert_string_equal(logged_log(), "w8+1 w9+1 flush 'm'");
	dm_go_on(atomic_load(&held), DM_DONE);
	assert_int_equal(job_wait(&older) || logged_mark("n", NULL), 0);
	assert_string_equal(logged_log(), "w8+1 w9+1 flush 'm' flush 'n'");
	logged_gone();
}

/* What a flush would have covered that has failed, the next one covers, though it is under way already. */
static void a_flush_under_way_covers_what_an_older_one_has_failed_to(void **state)
{
	struct dm_req *first;
	struct job older, younger;

	(void)state;
	assert_int_equal(create(&logged.f, "low", "0 64 sour", NULL), 0);
	logged_make("0 64 log-writes /dev/mapper/low disk:1");
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 1), 0);
	atomic_store(&sour_holds, true);
	job_start(&logged.f, &older, logged.d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&logged.f);
	first = atomic_load(&held);
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 2), 0);
	job_start(&logged.f, &younger, logged.d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&logged.f);
	atomic_store(&sour_holds, false);
	dm_go_on(first, -EIO);
	assert_int_equal(job_wait(&older), -EIO);
	dm_go_on(atomic_load(&held), DM_DONE);
	assert_int_equal(job_wait(&younger) || logged_mark("m", NULL), 0);
	assert_string_equal(logged_log(), "w8+1 w8+2 flush 'm'");
	logged_gone();
}

/* A flush that fails promises nothing: it is not logged, and what it would have covered waits for the next one. */
static void a_flush_that_fails_is_not_logged(void **state)
{
	(void)state;
	assert_int_equal(create(&logged.f, "low", "0 64 sour", NULL), 0);
	logged_make("0 64 log-writes /dev/mapper/low disk:1");
	atomic_store(&sour, true);
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 1), 0);
	assert_int_equal(logged_io(DM_FLUSH, 0, 0, 0), -EIO);
	assert_int_equal(logged_io(DM_WRITE, 0, 9, 1), 0);
	atomic_store(&sour, false);
	assert_int_equal(logged_io(DM_FLUSH, 0, 0, 0) || logged_mark("m", NULL), 0);
	assert_string_equal(logged_log(), "w8+1 w9+1 flush 'm'");
	logged_gone();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_fua_has_written_over_does_not_wait_for_a_flush, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_flush_covers_what_was_over_when_it_was_submitted, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_flush_covers_what_an_older_one_under_way_does, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_flush_under_way_covers_what_an_older_one_has_failed_to, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_flush_that_fails_is_not_logged, logged_begin, logged_end),
	};

	fixture_add_type(&sour_type);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
