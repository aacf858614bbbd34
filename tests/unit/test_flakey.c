/* SPDX-License-Identifier: BSD-2-Clause */
/* flakey: when it is good and when it is bad, and what becomes of requests that come then. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

#define FUA_BIT "131072"
#define PREFLUSH_BIT "262144"
#define HELD 100u		/* more writes than a line changes at a time */

static struct fixture f;
static struct dm_device *d, *low;

static int begin(void **state)
{
	(void)state;
	fixture_stop_clock();
	fixture_begin(&f, 2, AIO_AUTO);
	low = make_device(&f, "low", "0 128 linear memory,size=1M:a 0");
	dm_open(low);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (d)
		dm_close(d);
	d = NULL;
	dm_close(low);
	fixture_end(&f);
	return 0;
}

/* The device "it": WORDS stand behind the place. */
static void make_on(const struct dm_device *below, const char *words)
{
	char line[256];

	snprintf(line, sizeof(line), "0 64 flakey %u:%u 8 %s", f.world->major, below->minor, words);
	d = make_device(&f, "it", line);
	dm_open(d);
}

static void make(const char *words)
{
	make_on(low, words);
}

static int write_to(struct dm_device *to, uint32_t flags, uint64_t sector, uint8_t byte)
{
	uint8_t data[512];
	int r;

	memset(data, byte, sizeof(data));
	r = request(&f, to, sector % 2, DM_WRITE, flags, sector, 1, data);
	assert_int_equal(data[0], byte);	/* the writer's bytes stay as they are */
	return r;
}

/* The first byte of the sector, or -errno. */
static int first_byte(struct dm_device *from, uint64_t sector)
{
	uint8_t data[512];
	int r = request(&f, from, 1, DM_READ, 0, sector, 1, data);

	return r ? r : data[0];
}

static void it_is_good_and_bad_in_turn(void **state)
{
	static const char good[] = "gggbbgggbbgggbb";
	unsigned i;

	(void)state;
	make("3 2");
	for (i = 0; good[i]; i++) {
		assert_int_equal(first_byte(d, 0), good[i] == 'g' ? 0 : -EIO);
		assert_int_equal(write_to(d, 0, 1, 7), good[i] == 'g' ? 0 : -EIO);
		assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), good[i] == 'g' ? 0 : -EIO);
		time_passes(&f, 1);
	}
}

/* A table that is loaded while it is bad is good first; what was loaded earlier has its time run already. */
static void time_runs_from_the_moment_of_the_load(void **state)
{
	char line[64];

	(void)state;
	make("3 2");
	time_passes(&f, 3);
	assert_int_equal(first_byte(d, 0), -EIO);
	snprintf(line, sizeof(line), "0 64 flakey %u:%u 8 2 9", f.world->major, low->minor);
	assert_int_equal(reload(&f, "it", line, NULL), 0);
	time_passes(&f, 1);
	assert_int_equal(verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(first_byte(d, 0), 0);
	time_passes(&f, 1);
	assert_int_equal(first_byte(d, 0), -EIO);
}

static void the_longest_intervals_do_not_overflow(void **state)
{
	(void)state;
	make("2147483647 2147483648");
	assert_int_equal(first_byte(d, 0), 0);
	time_passes(&f, 2147483647);
	assert_int_equal(first_byte(d, 0), -EIO);
	time_passes(&f, 2147483647);
	assert_int_equal(first_byte(d, 0), -EIO);
	time_passes(&f, 1);
	assert_int_equal(first_byte(d, 0), 0);
}

static void what_is_written_while_writes_are_lost_stays_lost(void **state)
{
	(void)state;
	make("1 1 1 drop_writes");
	assert_int_equal(write_to(d, 0, 0, 1), 0);
	time_passes(&f, 1);
	assert_int_equal(write_to(d, DM_FUA, 0, 2), 0);
	assert_int_equal(request(&f, d, 0, DM_DISCARD, 0, 0, 8, NULL), 0);
	assert_int_equal(request(&f, d, 0, DM_ZEROES, 0, 0, 8, NULL), 0);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(first_byte(d, 0), 1);
	time_passes(&f, 1);
	assert_int_equal(first_byte(d, 0), 1);
	assert_int_equal(write_to(d, 0, 0, 3), 0);
	assert_int_equal(first_byte(low, 8), 3);
}

static uint64_t flushes_below(void)
{
	struct dm_stats s;

	memset(&s, 0, sizeof(s));
	dm_device_stats(low, &s);
	return s.ios[DM_FLUSH];
}

static void a_lost_flush_does_not_reach_the_disk(void **state)
{
	(void)state;
	make("1 1 1 drop_writes");
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flushes_below(), 1);
	time_passes(&f, 1);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flushes_below(), 1);
}

/* The core's own flush is not the program's, so it does not fail: Linux sends none. */
static void a_bad_disk_can_be_suspended(void **state)
{
	char above[64];

	(void)state;
	make("0 1");
	snprintf(above, sizeof(above), "0 64 linear %u:%u 0", f.world->major, d->minor);
	assert_int_equal(create(&f, "above", above, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "above", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "it", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "above", 0, NULL), 0);
}

static void only_requests_with_all_the_flags_change(void **state)
{
	(void)state;
	make("0 1 5 corrupt_bio_byte 1 w 88 " FUA_BIT);
	assert_int_equal(write_to(d, 0, 0, 1), 0);
	assert_int_equal(first_byte(low, 8), 1);
	assert_int_equal(write_to(d, DM_FUA, 0, 2), 0);
	assert_int_equal(first_byte(low, 8), 88);
	assert_int_equal(first_byte(d, 0), 88);
}

static void no_data_comes_with_preflush(void **state)
{
	(void)state;
	make("0 1 5 corrupt_bio_byte 1 w 88 " PREFLUSH_BIT);
	assert_int_equal(write_to(d, DM_FUA, 0, 1), 0);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(first_byte(low, 8), 1);
}

/* A request of several sectors, in every place of it: the byte alone is another one. */
static void the_nth_byte_of_the_request_changes(void **state)
{
	static const unsigned bytes[] = { 1, 2, 512, 513, 1536, 2047, 2048, 2049 };
	uint8_t data[2048], got[2048];
	char words[64];
	unsigned i, k;

	(void)state;
	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		snprintf(words, sizeof(words), "0 1 5 corrupt_bio_byte %u w 88 0", bytes[i]);
		make(words);
		memset(data, (int)i + 1, sizeof(data));
		assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 5, 4, data), 0);
		assert_int_equal(request(&f, low, 0, DM_READ, 0, 13, 4, got), 0);
		for (k = 0; k < sizeof(got); k++) {
			assert_int_equal(data[k], i + 1);
			assert_int_equal(got[k], k == bytes[i] - 1 ? 88 : i + 1);
		}
		dm_close(d);
		d = NULL;
		assert_int_equal(verb(&f, DM_DO_REMOVE, "it", 0, NULL), 0);
	}
}

/* What is written below is whole blocks of the disk there. */
static void changed_blocks_are_those_of_the_disk(void **state)
{
	static uint8_t data[3][4096], got[3][4096];

	(void)state;
	d = make_device(&f, "it", "0 64 flakey memory,size=1M,logical=4096:b 8 0 1 5 corrupt_bio_byte 5000 w 88 0");
	dm_open(d);
	memset(data, 1, sizeof(data));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 8, 24, data), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 8, 24, got), 0);
	assert_int_equal(got[1][5000 - 4096 - 1], 88);
	got[1][5000 - 4096 - 1] = 1;
	assert_memory_equal(got, data, sizeof(data));
}

static unsigned differences(const uint8_t *a, const uint8_t *b, size_t n)
{
	unsigned found = 0;

	while (n--)
		found += a[n] != b[n];
	return found;
}

static void a_random_byte_of_each_read_changes_and_the_disk_does_not(void **state)
{
	uint8_t none[2048] = { 0 }, got[2048];
	unsigned i, changed = 0, one;

	(void)state;
	make("0 1 2 random_read_corrupt 1000000000");
	for (i = 0; i < 64; i++) {
		assert_int_equal(request(&f, d, i % 2, DM_READ, 0, 4, 4, got), 0);
		one = differences(got, none, sizeof(got));
		assert_true(one <= 1);		/* one in 256 is what it was */
		changed += one;
	}
	assert_true(changed > 48);
	assert_int_equal(request(&f, low, 0, DM_READ, 0, 12, 4, got), 0);
	assert_int_equal(differences(got, none, sizeof(got)), 0);
}

/* A byte that is said and one at random may lie in the same block, and in two; neither is lost. */
static void both_ways_to_change_a_write_go_together(void **state)
{
	uint8_t data[1024], got[1024];
	unsigned i, changed = 0;

	(void)state;
	make("0 1 7 corrupt_bio_byte 600 w 88 0 random_write_corrupt 1000000000");
	for (i = 0; i < 64; i++) {
		memset(data, 1, sizeof(data));
		assert_int_equal(request(&f, d, i % 2, DM_WRITE, 0, 4, 2, data), 0);
		assert_int_equal(request(&f, low, 0, DM_READ, 0, 12, 2, got), 0);
		assert_in_range(differences(got, data, sizeof(got)), 1, 2);
		changed += differences(got, data, sizeof(got)) == 2;
	}
	assert_true(changed > 48);
}

/* Of a thousand writes at odds of one in two, about half change. */
static void odds_are_kept(void **state)
{
	uint8_t data[512] = { 0 }, got[512];
	unsigned i, changed = 0;

	(void)state;
	make("0 1 2 random_write_corrupt 500000000");
	for (i = 0; i < 1000; i++) {
		assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 1, data), 0);
		assert_int_equal(request(&f, low, 0, DM_READ, 0, 8, 1, got), 0);
		changed += differences(got, data, sizeof(got));
	}
	assert_in_range(changed, 400, 600);
}

/* More than there are buffers for: they wait for one. */
static void writes_that_wait_for_a_buffer_are_all_carried_out(void **state)
{
	static struct job jobs[HELD];
	static uint8_t data[HELD][512];
	struct dm_device *slow;
	char line[64];
	unsigned i;

	(void)state;
	snprintf(line, sizeof(line), "0 128 delay %u:%u 0 0 %u:%u 0 1000", f.world->major, low->minor, f.world->major, low->minor);
	slow = make_device(&f, "slow", line);
	make_on(slow, "0 1 5 corrupt_bio_byte 1 w 88 0");
	for (i = 0; i < HELD; i++) {
		memset(data[i], 1, sizeof(data[i]));
		job_start(&f, &jobs[i], d, i % 2, DM_WRITE, 0, i % 64, 1, data[i]);
	}
	for (i = 0; i < HELD; i++) {
		while (!jobs[i].over) {
			settle_threads(&f);
			time_passes(&f, 1);
		}
		assert_int_equal(jobs[i].err, 0);
	}
	for (i = 0; i < 64; i++)
		assert_int_equal(first_byte(low, 8 + i), 88);
}

/* Nobody skips a hole whose reads would fail or give other bytes. */
static void a_hole_is_told_only_where_reads_give_it(void **state)
{
	static const struct { const char *words; bool hole; } rows[] = {
		{ "1 0", true }, { "0 1 1 drop_writes", true }, { "0 1 1 error_reads", false }, { "0 1", false },
		{ "0 1 5 corrupt_bio_byte 1 r 1 0", false }, { "0 1 2 random_read_corrupt 1", false },
	};
	struct job j;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make(rows[i].words);
		job_start(&f, &j, d, 0, DM_EXTENT, 0, 0, 64, NULL);
		assert_int_equal(job_wait(&j), 0);
		assert_int_equal(!!(j.req.flags & DM_HOLE), rows[i].hole);
		dm_close(d);
		d = NULL;
		assert_int_equal(verb(&f, DM_DO_REMOVE, "it", 0, NULL), 0);
	}
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
		snprintf(line, sizeof(line), "0 64 flakey %u:%u 8 %s", f.world->major, low->minor, rows[i].words);
		assert_int_equal(create(&f, "it", line, why), -EINVAL);
		if (!strstr(why, rows[i].says))
			fail_msg("'%s': %s", rows[i].words, why);
		assert_null(dm_find_name(f.world, "it"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_good_and_bad_in_turn),
		TEST(time_runs_from_the_moment_of_the_load),
		TEST(the_longest_intervals_do_not_overflow),
		TEST(what_is_written_while_writes_are_lost_stays_lost),
		TEST(a_lost_flush_does_not_reach_the_disk),
		TEST(a_bad_disk_can_be_suspended),
		TEST(only_requests_with_all_the_flags_change),
		TEST(no_data_comes_with_preflush),
		TEST(the_nth_byte_of_the_request_changes),
		TEST(changed_blocks_are_those_of_the_disk),
		TEST(a_random_byte_of_each_read_changes_and_the_disk_does_not),
		TEST(both_ways_to_change_a_write_go_together),
		TEST(odds_are_kept),
		TEST(writes_that_wait_for_a_buffer_are_all_carried_out),
		TEST(a_hole_is_told_only_where_reads_give_it),
		TEST(wrong_words_get_a_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("flakey", tests, NULL, NULL);
}
