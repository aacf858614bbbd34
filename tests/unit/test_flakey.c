/* SPDX-License-Identifier: BSD-2-Clause */
/* flakey: when it is bad, writes and flushes that are lost, and words that are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/flakey_disk.h"

static void it_is_good_and_bad_in_turn(void **state)
{
	static const char good[] = "gggbbgggbbgggbb";
	unsigned i;

	(void)state;
	flakey_make("3 2");
	for (i = 0; good[i]; i++) {
		assert_int_equal(flakey_byte(flakey.d, 0), good[i] == 'g' ? 0 : -EIO);
		assert_int_equal(flakey_write(flakey.d, 0, 1, 7), good[i] == 'g' ? 0 : -EIO);
		assert_int_equal(request(&flakey.f, flakey.d, 0, DM_FLUSH, 0, 0, 0, NULL), good[i] == 'g' ? 0 : -EIO);
		time_passes(&flakey.f, 1);
	}
}

/* A table that is loaded while it is bad is good first; what was loaded earlier has its time run already. */
static void time_runs_from_the_moment_of_the_load(void **state)
{
	char line[64];

	(void)state;
	flakey_make("3 2");
	time_passes(&flakey.f, 3);
	assert_int_equal(flakey_byte(flakey.d, 0), -EIO);
	snprintf(line, sizeof(line), "0 64 flakey %u:%u 8 2 9", flakey.f.world->major, flakey.low->minor);
	assert_int_equal(reload(&flakey.f, "it", line, NULL), 0);
	time_passes(&flakey.f, 1);
	assert_int_equal(verb(&flakey.f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(flakey_byte(flakey.d, 0), 0);
	time_passes(&flakey.f, 1);
	assert_int_equal(flakey_byte(flakey.d, 0), -EIO);
}

static void the_longest_intervals_do_not_overflow(void **state)
{
	(void)state;
	flakey_make("2147483647 2147483648");
	assert_int_equal(flakey_byte(flakey.d, 0), 0);
	time_passes(&flakey.f, 2147483647);
	assert_int_equal(flakey_byte(flakey.d, 0), -EIO);
	time_passes(&flakey.f, 2147483647);
	assert_int_equal(flakey_byte(flakey.d, 0), -EIO);
	time_passes(&flakey.f, 1);
	assert_int_equal(flakey_byte(flakey.d, 0), 0);
}

static void what_is_written_while_writes_are_lost_stays_lost(void **state)
{
	(void)state;
	flakey_make("1 1 1 drop_writes");
	assert_int_equal(flakey_write(flakey.d, 0, 0, 1), 0);
	time_passes(&flakey.f, 1);
	assert_int_equal(flakey_write(flakey.d, DM_FUA, 0, 2), 0);
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_DISCARD, 0, 0, 8, NULL), 0);
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_ZEROES, 0, 0, 8, NULL), 0);
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flakey_byte(flakey.d, 0), 1);
	time_passes(&flakey.f, 1);
	assert_int_equal(flakey_byte(flakey.d, 0), 1);
	assert_int_equal(flakey_write(flakey.d, 0, 0, 3), 0);
	assert_int_equal(flakey_byte(flakey.low, 8), 3);
}

static uint64_t flushes_below(void)
{
	struct dm_stats s;

	memset(&s, 0, sizeof(s));
	dm_device_stats(flakey.low, &s);
	return s.ios[DM_FLUSH];
}

static void a_lost_flush_does_not_reach_the_disk(void **state)
{
	(void)state;
	flakey_make("1 1 1 drop_writes");
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flushes_below(), 1);
	time_passes(&flakey.f, 1);
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flushes_below(), 1);
}

/* The core's own flush is not the program's, so it does not fail: Linux sends none. */
static void a_bad_disk_can_be_suspended(void **state)
{
	char above[64];

	(void)state;
	flakey_make("0 1");
	snprintf(above, sizeof(above), "0 64 linear %u:%u 0", flakey.f.world->major, flakey.d->minor);
	assert_int_equal(create(&flakey.f, "above", above, NULL), 0);
	assert_int_equal(verb(&flakey.f, DM_DO_SUSPEND, "above", 0, NULL), 0);
	assert_int_equal(verb(&flakey.f, DM_DO_SUSPEND, "it", 0, NULL), 0);
	assert_int_equal(verb(&flakey.f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(verb(&flakey.f, DM_DO_RESUME, "above", 0, NULL), 0);
}

static void wrong_words_get_a_sentence(void **state)
{
	static const struct { const char *words, *says; } rows[] = {
		{ "0 0", "<up> and <down> are both 0 seconds" },
		{ "4294967295 1", "4294967296 seconds together; 4294967295 are possible" },
		{ "4294967296 1", "word 3 <up>: 4294967296 is out of range" },
		{ "1 1 1", "1 feature words are announced, but there are 0" },
		{ "1 1 12", "word 5 <#feature words>: 12 is out of range: 0 to 11" },
		{ "1 1 1 nonsense", "word 6 <feature>: 'nonsense' is not a feature: error_reads, " },
		{ "1 1 2 drop_writes drop_writes", "feature drop_writes is given twice" },
		{ "1 1 2 drop_writes error_writes", "drop_writes and error_writes exclude each other" },
		{ "1 1 4 corrupt_bio_byte 1 r 1", "feature corrupt_bio_byte needs 4 words behind it" },
		{ "1 1 5 corrupt_bio_byte 1 x 1 0", "word 8 <direction>: 'x' is neither r (reads) nor w (writes)" },
		{ "1 1 5 corrupt_bio_byte 0 r 1 0", "word 7 <byte>: 0 is out of range" },
		{ "1 1 5 corrupt_bio_byte 1 r 256 0", "word 9 <value>: 256 is out of range: 0 to 255" },
		{ "1 1 6 corrupt_bio_byte 1 w 1 0 drop_writes", "needs writes that arrive, and drop_writes leaves none" },
		{ "1 1 2 random_read_corrupt 1000000001", "word 7 <odds>: 1000000001 is out of range: 0 to 1000000000" },
	};
	char line[256], why[ERR_TEXT];
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "0 64 flakey %u:%u 8 %s", flakey.f.world->major, flakey.low->minor, rows[i].words);
		assert_int_equal(create(&flakey.f, "it", line, why), -EINVAL);
		if (!strstr(why, rows[i].says))
			fail_msg("'%s': %s", rows[i].words, why);
		assert_null(dm_find_name(flakey.f.world, "it"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, flakey_begin, flakey_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_good_and_bad_in_turn),
		TEST(time_runs_from_the_moment_of_the_load),
		TEST(the_longest_intervals_do_not_overflow),
		TEST(what_is_written_while_writes_are_lost_stays_lost),
		TEST(a_lost_flush_does_not_reach_the_disk),
		TEST(a_bad_disk_can_be_suspended),
		TEST(wrong_words_get_a_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("flakey", tests, NULL, NULL);
}
