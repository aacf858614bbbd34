/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many flushes exceptions need: one for all that wait, and the last of them are written durably. The header and the list of the
 * store are on disk 1, its chunks on disk 2.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "contract/disk.h"

#define CHUNK 8u
#define MANY 5u

static struct fixture f;
static struct dm_device *snap;
static uint8_t data[CHUNK * 512];
static struct disk_count before;

static int begin(void **state)
{
	(void)state;
	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	make_device(&f, "cow", "0 16 linear disk:1 0\n16 1024 linear disk:2 16");
	snap = make_device(&f, "snap", "0 1024 snapshot disk:0 /dev/mapper/cow P 8");
	dm_open(snap);
	before = disk_count(1);
	memset(data, 'x', sizeof(data));
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(snap);
	fixture_end(&f);
	return 0;
}

static void counts_are(unsigned flushes, unsigned writes, unsigned durable)
{
	struct disk_count now = disk_count(1);

	assert_int_equal(now.flushes - before.flushes, flushes);
	assert_int_equal(now.writes - before.writes, writes);
	assert_int_equal(now.durable - before.durable, durable);
}

static void one_at_a_time_has_a_flush_and_a_durable_write(void **state)
{
	unsigned i;

	(void)state;
	for (i = 1; i <= MANY; i++) {
		assert_int_equal(request(&f, snap, i % 2, DM_WRITE, 0, i * CHUNK, CHUNK, data), 0);
		counts_are(i, i, i);
	}
}

/* A write of a whole chunk reads nothing of the origin; one of a part copies the chunk, and needs no more flushes for that. */
static void a_chunk_that_is_copied_needs_no_more(void **state)
{
	(void)state;
	assert_int_equal(request(&f, snap, 0, DM_WRITE, 0, 3, 1, data), 0);
	counts_are(1, 1, 1);
	assert_int_equal(request(&f, snap, 1, DM_WRITE, DM_FUA, CHUNK, CHUNK, data), 0);
	counts_are(2, 2, 2);
}

static void copied(unsigned writes)
{
	while (disk_count(2).writes < writes)
		settle_threads(&f);
	settle_threads(&f);
}

/* The first one's flush is under way, and MANY more are copied. */
static void many_wait(struct job jobs[])
{
	unsigned i, writes = disk_count(2).writes;

	disk_hold(1);
	for (i = 0; i <= MANY; i++) {
		job_start(&f, &jobs[i], snap, i % 2, DM_WRITE, 0, (uint64_t)i * CHUNK, CHUNK, data);
		copied(writes + i + 1);
		assert_int_equal(disk_held(), 1);
	}
}

static void all_that_wait_share_a_flush(void **state)
{
	static struct job jobs[MANY + 1];
	unsigned i;

	(void)state;
	many_wait(jobs);
	disk_let_go();
	for (i = 0; i <= MANY; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	counts_are(2, 2, 1);
}

/* What a flush that failed was for is lost, and so is what waited for the next one; nothing is written after it but that. */
static void a_flush_that_fails_is_the_last_one(void **state)
{
	static struct job jobs[MANY + 1];
	unsigned i;

	(void)state;
	many_wait(jobs);
	disk_fail_flushes(-EIO);
	disk_let_go();
	for (i = 0; i <= MANY; i++)
		assert_int_equal(job_wait(&jobs[i]), -EIO);
	counts_are(1, 1, 1);
	assert_int_equal(disk_bytes(1)[4], 0);		/* the header says that the store is invalid */
	assert_int_equal(disk_bytes(1)[4096], 0);
	disk_fail_flushes(0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_at_a_time_has_a_flush_and_a_durable_write, begin, end),
		cmocka_unit_test_setup_teardown(a_chunk_that_is_copied_needs_no_more, begin, end),
		cmocka_unit_test_setup_teardown(all_that_wait_share_a_flush, begin, end),
		cmocka_unit_test_setup_teardown(a_flush_that_fails_is_the_last_one, begin, end),
	};

	return cmocka_run_group_tests_name("snapshot_commit", tests, NULL, NULL);
}
