/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log-writes: what stands in the log and in which order; its end; and what it does when memory or the log device run out. The
 * log is read with the reader of src/targets/log_writes, and tests/tools/replay.sh reads others.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "contract/logged.h"

static void writes_wait_for_a_flush_and_fua_and_marks_do_not(void **state)
{
	(void)state;
	logged_make(TABLE);
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 2) || logged_io(DM_DISCARD, 0, 16, 8) || logged_io(DM_ZEROES, 0, 24, 2), 0);
	logged_status_is("0 0");
	assert_int_equal(logged_mark("one", NULL), 0);
	assert_string_equal(logged_log(), "'one'");
	assert_int_equal(logged_io(DM_WRITE, DM_FUA, 3, 1) || logged_io(DM_FLUSH, 0, 0, 0) || logged_io(DM_WRITE, 0, 5, 1) || logged_mark("two", NULL), 0);
	assert_string_equal(logged_log(), "'one' fua-w3+1 w8+2 discard16+8 w24+2 flush 'two'");
	assert_int_equal(logged_io(DM_DISCARD, DM_FUA, 40, 8) || logged_io(DM_ZEROES, DM_FUA, 48, 1) || logged_mark("three", NULL), 0);
	logged_gone();
	assert_string_equal(logged_log(), "'one' fua-w3+1 w8+2 discard16+8 w24+2 flush 'two' fua-discard40+8 fua-w48+1 'three' w5+1 "
					   "'dm-log-writes-end'");
}

/*
 * What a durable write has written over may not come back when the log is replayed: it stands before it, and what that has
 * written over, too.
 */
static void what_fua_has_written_over_stands_before_it(void **state)
{
	(void)state;
	logged_make(TABLE);
	assert_int_equal(logged_io(DM_WRITE, 0, 6, 1) || logged_io(DM_WRITE, 0, 0, 8) || logged_io(DM_WRITE, 0, 20, 2) || logged_io(DM_WRITE, DM_FUA, 7, 1) ||
			 logged_mark("m", NULL), 0);
	assert_string_equal(logged_log(), "w6+1 w0+8 fua-w7+1 'm'");
	logged_gone();
	assert_string_equal(logged_log(), "w6+1 w0+8 fua-w7+1 'm' w20+2 'dm-log-writes-end'");
}

static void a_suspend_is_not_logged_and_a_suspended_device_takes_marks(void **state)
{
	(void)state;
	logged_make(TABLE);
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 1), 0);
	assert_int_equal(verb(&logged.f, DM_DO_SUSPEND, "it", 0, NULL), 0);
	assert_int_equal(logged_mark("rest", NULL), 0);
	assert_int_equal(verb(&logged.f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_string_equal(logged_log(), "'rest'");
	assert_int_equal(verb(&logged.f, DM_DO_SUSPEND, "it", 0, NULL), 0);
	logged_gone();
	assert_string_equal(logged_log(), "'rest' w8+1 'dm-log-writes-end'");
}

/* A table that is only loaded changes no log; one that takes the place of another writes on; a new device begins anew. */
static void a_log_lives_as_long_as_lines_use_it(void **state)
{
	(void)state;
	logged_make(TABLE);
	assert_int_equal(logged_io(DM_WRITE, DM_FUA, 8, 1), 0);
	assert_int_equal(reload(&logged.f, "it", TABLE, NULL) || verb(&logged.f, DM_DO_CLEAR, "it", 0, NULL), 0);
	assert_int_equal(logged_io(DM_WRITE, DM_FUA, 9, 1), 0);
	assert_int_equal(reload(&logged.f, "it", TABLE, NULL) || verb(&logged.f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(logged_io(DM_WRITE, DM_FUA, 10, 1), 0);
	assert_int_equal(reload(&logged.f, "it", "0 64 linear disk:0 0", NULL) || verb(&logged.f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_string_equal(logged_log(), "fua-w8+1 fua-w9+1 fua-w10+1 'dm-log-writes-end'");
	assert_int_equal(logged_io(DM_WRITE, DM_FUA, 11, 1), 0);
	assert_int_equal(reload(&logged.f, "it", TABLE, NULL) || verb(&logged.f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(logged_io(DM_WRITE, DM_FUA, 12, 1), 0);
	logged_gone();
	assert_string_equal(logged_log(), "fua-w12+1 'dm-log-writes-end'");
}

static void the_worlds_end_ends_the_log(void **state)
{
	(void)state;
	assert_int_equal(create(&logged.f, "log", "0 512 linear disk:1 0", NULL), 0);
	logged_make("0 64 log-writes disk:0 /dev/mapper/log");
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 1), 0);
	dm_close(logged.d);
	fixture_end(&logged.f);
	assert_string_equal(logged_log(), "w8+1 'dm-log-writes-end'");
	fixture_begin(&logged.f, 1, AIO_AUTO);
}

static void a_full_log_says_so_and_nothing_else_stops(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	assert_int_equal(create(&logged.f, "log", "0 12 linear disk:1 0", NULL), 0);
	logged_make("0 64 log-writes disk:0 /dev/mapper/log");
	assert_int_equal(logged_io(DM_WRITE, DM_FUA, 8, 8) || logged_mark("m", NULL), 0);
	logged_status_is("2 10");
	assert_int_equal(logged_mark("more", why), -ENOSPC);
	assert_string_equal(why, "the mark is not in the log: nothing more is logged, because the log device is full");
	logged_status_is("2 11 logging_disabled");
	assert_int_equal(logged_io(DM_WRITE, 0, 16, 8) || logged_io(DM_FLUSH, 0, 0, 0), 0);
	assert_int_equal(disk_bytes(0)[16 * 512], 16);
	logged_gone();
	assert_string_equal(logged_log(), "fua-w8+8 'm'");
}

static void a_log_device_that_fails_ends_the_log_only(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	assert_int_equal(create(&logged.f, "log", "0 512 error", NULL), 0);
	logged_make("0 64 log-writes disk:0 /dev/mapper/log");
	assert_int_equal(logged_io(DM_WRITE, 0, 8, 8) || logged_io(DM_FLUSH, 0, 0, 0), 0);
	assert_int_equal(logged_mark("m", why), -EIO);
	assert_string_equal(why, "the mark is not in the log: nothing more is logged, because the log device has failed");
	assert_int_equal(logged_io(DM_WRITE, 0, 16, 8) || logged_io(DM_FLUSH, 0, 0, 0), 0);
	assert_int_equal(disk_bytes(0)[16 * 512], 16);
	logged_gone();
}

static void words_that_cannot_be_are_refused(void **state)
{
	char why[ERR_TEXT], text[512];

	(void)state;
	assert_int_not_equal(create(&logged.f, "it", "0 64 log-writes disk:0 disk:0", why), 0);
	assert_non_null(strstr(why, "'disk:0' cannot be its own log"));
	logged_make(TABLE);
	assert_int_equal(create(&logged.f, "two", "0 64 log-writes disk:2 disk:1", why), -EBUSY);
	assert_non_null(strstr(why, "'disk:1' is the log of another device"));
	assert_int_equal(logged_mark("two words", why), -EINVAL);
	assert_string_equal(why, "the message is: mark <text>, two words, not 3; blanks in the text have a backslash before them");
	memset(text, 'x', 480);
	text[480] = 0;
	assert_int_equal(logged_mark(text, why), -EINVAL);
	assert_string_equal(why, "a mark has at most 479 bytes in this log, not 480");
	text[479] = 0;
	assert_int_equal(logged_mark(text, why), 0);
	logged_gone();
}

/* More than the memory for what is unflushed: the oldest is logged early, nobody waits for a flush that never comes. */
static void more_than_the_memory_is_logged_before_its_flush(void **state)
{
	enum { MIB = 80, BYTES = 1 << 20 };
	uint8_t *data = malloc(BYTES);
	struct job jobs[4];
	char *now, why[ERR_TEXT];
	unsigned long long entries;
	unsigned i;

	(void)state;
	assert_int_equal(create(&logged.f, "log", "0 409600 linear memory,size=200M:log 0", why), 0);
	assert_int_equal(create(&logged.f, "it", "0 204800 log-writes memory,size=100M:disk /dev/mapper/log", why), 0);
	logged.d = dm_find_name(logged.f.world, "it");
	dm_open(logged.d);
	memset(data, 7, BYTES);
	for (i = 0; i < MIB; i++) {
		if (i >= 4)
			assert_int_equal(job_wait(&jobs[i % 4]), 0);
		job_start(&logged.f, &jobs[i % 4], logged.d, i % 2, DM_WRITE, 0, i * 2048ull, 2048, data);
	}
	for (i = 0; i < 4; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_int_equal(logged_mark("m", NULL), 0);
	now = rows(&logged.f, DM_DO_STATUS, "it", 0);
	assert_int_equal(sscanf(now, "0 204800 log-writes %llu", &entries), 1);
	assert_in_range(entries, 17, MIB);
	free(now);
	free(data);
	logged_gone();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_wait_for_a_flush_and_fua_and_marks_do_not, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(what_fua_has_written_over_stands_before_it, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_suspend_is_not_logged_and_a_suspended_device_takes_marks, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_log_lives_as_long_as_lines_use_it, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(the_worlds_end_ends_the_log, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_full_log_says_so_and_nothing_else_stops, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(a_log_device_that_fails_ends_the_log_only, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(words_that_cannot_be_are_refused, logged_begin, logged_end),
		cmocka_unit_test_setup_teardown(more_than_the_memory_is_logged_before_its_flush, logged_begin, logged_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
