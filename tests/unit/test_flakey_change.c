/* SPDX-License-Identifier: BSD-2-Clause */
/* flakey: how it changes what is read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/flakey_disk.h"

#define FUA_BIT "131072"
#define PREFLUSH_BIT "262144"
#define HELD 100u		/* more writes than a line changes at a time */

static void only_requests_with_all_the_flags_change(void **state)
{
	(void)state;
	flakey_make("0 1 5 corrupt_bio_byte 1 w 88 " FUA_BIT);
	assert_int_equal(flakey_write(flakey.d, 0, 0, 1), 0);
	assert_int_equal(flakey_byte(flakey.low, 8), 1);
	assert_int_equal(flakey_write(flakey.d, DM_FUA, 0, 2), 0);
	assert_int_equal(flakey_byte(flakey.low, 8), 88);
	assert_int_equal(flakey_byte(flakey.d, 0), 88);
}

static void no_data_comes_with_preflush(void **state)
{
	(void)state;
	flakey_make("0 1 5 corrupt_bio_byte 1 w 88 " PREFLUSH_BIT);
	assert_int_equal(flakey_write(flakey.d, DM_FUA, 0, 1), 0);
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(flakey_byte(flakey.low, 8), 1);
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
		flakey_make(words);
		memset(data, (int)i + 1, sizeof(data));
		assert_int_equal(request(&flakey.f, flakey.d, 0, DM_WRITE, 0, 5, 4, data), 0);
		assert_int_equal(request(&flakey.f, flakey.low, 0, DM_READ, 0, 13, 4, got), 0);
		for (k = 0; k < sizeof(got); k++) {
			assert_int_equal(data[k], i + 1);
			assert_int_equal(got[k], k == bytes[i] - 1 ? 88 : i + 1);
		}
		dm_close(flakey.d);
		flakey.d = NULL;
		assert_int_equal(verb(&flakey.f, DM_DO_REMOVE, "it", 0, NULL), 0);
	}
}

/* What is written below is whole blocks of the disk there. */
static void changed_blocks_are_those_of_the_disk(void **state)
{
	static uint8_t data[3][4096], got[3][4096];

	(void)state;
	flakey.d = make_device(&flakey.f, "it", "0 64 flakey memory,size=1M,logical=4096:b 8 0 1 5 corrupt_bio_byte 5000 w 88 0");
	dm_open(flakey.d);
	memset(data, 1, sizeof(data));
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_WRITE, 0, 8, 24, data), 0);
	assert_int_equal(request(&flakey.f, flakey.d, 0, DM_READ, 0, 8, 24, got), 0);
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
	flakey_make("0 1 2 random_read_corrupt 1000000000");
	for (i = 0; i < 64; i++) {
		assert_int_equal(request(&flakey.f, flakey.d, i % 2, DM_READ, 0, 4, 4, got), 0);
		one = differences(got, none, sizeof(got));
		assert_true(one <= 1);		/* one in 256 is what it was */
		changed += one;
	}
	assert_true(changed > 48);
	assert_int_equal(request(&flakey.f, flakey.low, 0, DM_READ, 0, 12, 4, got), 0);
	assert_int_equal(differences(got, none, sizeof(got)), 0);
}

/* A byte that is said and one at random may lie in the same block, and in two; neither is lost. */
static void both_ways_to_change_a_write_go_together(void **state)
{
	uint8_t data[1024], got[1024];
	unsigned i, changed = 0;

	(void)state;
	flakey_make("0 1 7 corrupt_bio_byte 600 w 88 0 random_write_corrupt 1000000000");
	for (i = 0; i < 64; i++) {
		memset(data, 1, sizeof(data));
		assert_int_equal(request(&flakey.f, flakey.d, i % 2, DM_WRITE, 0, 4, 2, data), 0);
		assert_int_equal(request(&flakey.f, flakey.low, 0, DM_READ, 0, 12, 2, got), 0);
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
	flakey_make("0 1 2 random_write_corrupt 500000000");
	for (i = 0; i < 1000; i++) {
		assert_int_equal(request(&flakey.f, flakey.d, 0, DM_WRITE, 0, 0, 1, data), 0);
		assert_int_equal(request(&flakey.f, flakey.low, 0, DM_READ, 0, 8, 1, got), 0);
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
	snprintf(line, sizeof(line), "0 128 delay %u:%u 0 0 %u:%u 0 1000", flakey.f.world->major, flakey.low->minor, flakey.f.world->major, flakey.low->minor);
	slow = make_device(&flakey.f, "slow", line);
	flakey_make_on(slow, "0 1 5 corrupt_bio_byte 1 w 88 0");
	for (i = 0; i < HELD; i++) {
		memset(data[i], 1, sizeof(data[i]));
		job_start(&flakey.f, &jobs[i], flakey.d, i % 2, DM_WRITE, 0, i % 64, 1, data[i]);
	}
	for (i = 0; i < HELD; i++) {
		while (!jobs[i].over) {
			settle_threads(&flakey.f);
			time_passes(&flakey.f, 1);
		}
		assert_int_equal(jobs[i].err, 0);
	}
	for (i = 0; i < 64; i++)
		assert_int_equal(flakey_byte(flakey.low, 8 + i), 88);
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
		flakey_make(rows[i].words);
		job_start(&flakey.f, &j, flakey.d, 0, DM_EXTENT, 0, 0, 64, NULL);
		assert_int_equal(job_wait(&j), 0);
		assert_int_equal(!!(j.req.flags & DM_HOLE), rows[i].hole);
		dm_close(flakey.d);
		flakey.d = NULL;
		assert_int_equal(verb(&flakey.f, DM_DO_REMOVE, "it", 0, NULL), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, flakey_begin, flakey_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_requests_with_all_the_flags_change),
		TEST(no_data_comes_with_preflush),
		TEST(the_nth_byte_of_the_request_changes),
		TEST(changed_blocks_are_those_of_the_disk),
		TEST(a_random_byte_of_each_read_changes_and_the_disk_does_not),
		TEST(both_ways_to_change_a_write_go_together),
		TEST(odds_are_kept),
		TEST(writes_that_wait_for_a_buffer_are_all_carried_out),
		TEST(a_hole_is_told_only_where_reads_give_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("flakey", tests, NULL, NULL);
}
