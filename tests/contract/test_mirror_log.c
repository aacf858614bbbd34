/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a mirror on a disk: a region is marked before it is written to, marks share a write, what is at rest is unmarked;
 * and what is read from it, whatever is there.
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/mirror/format.h"

#define LINE "0 512 mirror disk 2 disk:2 16 2 disk:0 0 disk:1 0 1 handle_errors"
#define REGIONS 32u
#define MANY 20u

static struct fixture f;
static struct dm_device *d;

static void world_begin(const char *table)
{
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	d = make_device(&f, "d", table);
	dm_open(d);
}

static void world_end(void)
{
	dm_close(d);
	fixture_end(&f);
}

static int begin(void **state)
{
	(void)state;
	disk_reset();
	return 0;
}

static bool all_are_clean(void)
{
	uint8_t log[4096];
	unsigned i;

	disk_look(2, 0, log, sizeof(log));
	for (i = 0; i < REGIONS; i++)
		if (!mlog_is_clean(log, i))
			return false;
	return true;
}

/* Time passes until no region is marked any more. */
static void rest(void)
{
	unsigned i;

	for (i = 0; i < 1000 && !all_are_clean(); i++)
		time_passes(&f, 1);
	assert_true(all_are_clean());
}

static void a_region_is_marked_before_it_is_written_to(void **state)
{
	uint8_t data[512];
	struct job j;

	(void)state;
	world_begin(LINE);
	status_wait(&f, "d", " 32/32 1 AA 3 disk ");
	rest();
	memset(data, 'x', sizeof(data));
	disk_hold(2);
	job_start(&f, &j, d, 0, DM_WRITE, 0, 3 * 16, 1, data);
	while (!disk_held())
		settle_threads(&f);
	assert_int_equal(disk_bytes(0)[3 * 16 * 512], 0);
	assert_int_equal(disk_bytes(1)[3 * 16 * 512], 0);
	disk_let_go();
	assert_int_equal(job_wait(&j), 0);
	assert_false(mlog_is_clean(disk_bytes(2), 3));
	assert_true(mlog_is_clean(disk_bytes(2), 4));
	assert_int_equal(disk_bytes(0)[3 * 16 * 512], 'x');
	assert_int_equal(disk_bytes(1)[3 * 16 * 512], 'x');
	rest();
	world_end();
}

/* While one mark is on its way, others wait, and share the next one. */
static void marks_share_a_write(void **state)
{
	static uint8_t data[MANY][512];
	struct job jobs[MANY];
	unsigned before, i;

	(void)state;
	world_begin(LINE);
	status_wait(&f, "d", " 32/32 ");
	rest();
	before = disk_writes();
	disk_hold(2);
	for (i = 0; i < MANY; i++)
		job_start(&f, &jobs[i], d, i % 2, DM_WRITE, 0, i * 16, 1, data[i]);
	while (!disk_held())
		settle_threads(&f);
	settle_threads(&f);
	disk_let_go();
	for (i = 0; i < MANY; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_in_range(disk_writes() - before, 2 * MANY + 1, 2 * MANY + 2);
	world_end();
}

static void a_suspend_unmarks_all(void **state)
{
	uint8_t data[512] = { 1 };

	(void)state;
	world_begin(LINE);
	status_wait(&f, "d", " 32/32 ");
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 100, 1, data), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_true(all_are_clean());
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_true(status_has(&f, "d", " 32/32 1 AA 3 disk "));
	world_end();
}

/* Only the regions whose bit says so are copied: the legs differ elsewhere, too, and go on differing. */
static void only_what_is_marked_is_copied(void **state)
{
	struct mlog_header h = { htole32(MLOG_MAGIC), htole32(MLOG_VERSION), htole64(REGIONS) };

	(void)state;
	memset(disk_bytes(0), 'a', 512 * 512);
	memset(disk_bytes(1), 'b', 512 * 512);
	memcpy(disk_bytes(2), &h, sizeof(h));
	memset(disk_bytes(2) + MLOG_BITS, 0xff, 4);
	mlog_set_clean(disk_bytes(2), 5, false);
	world_begin(LINE);
	status_wait(&f, "d", " 32/32 1 AA 3 disk ");
	assert_int_equal(disk_bytes(1)[5 * 16 * 512], 'a');
	assert_int_equal(disk_bytes(1)[6 * 16 * 512 - 1], 'a');
	assert_int_equal(disk_bytes(1)[5 * 16 * 512 - 1], 'b');
	assert_int_equal(disk_bytes(1)[6 * 16 * 512], 'b');
	world_end();
}

/* What no reader may believe. */
static void a_log_that_is_none_begins_anew(void **state)
{
	(void)state;
	memset(disk_bytes(2), 0xff, 4096);
	memset(disk_bytes(0), 'a', 512 * 512);
	world_begin(LINE);
	status_wait(&f, "d", " 32/32 1 AA 3 disk disk:2 A");
	assert_memory_equal(disk_bytes(0), disk_bytes(1), 512 * 512);
	rest();
	world_end();
}

static void a_log_of_an_unknown_version_is_left_alone(void **state)
{
	struct mlog_header h = { htole32(MLOG_MAGIC), htole32(3), htole64(REGIONS) };
	uint8_t before[4096];

	(void)state;
	memset(disk_bytes(2), 0xff, 4096);
	memcpy(disk_bytes(2), &h, sizeof(h));
	memcpy(before, disk_bytes(2), sizeof(before));
	memset(disk_bytes(0), 'a', 512 * 512);
	world_begin(LINE);
	status_wait(&f, "d", " 32/32 1 AA 3 disk disk:2 D");
	world_end();
	assert_memory_equal(disk_bytes(2), before, sizeof(before));
	assert_memory_equal(disk_bytes(0), disk_bytes(1), 512 * 512);
}

/* --- a log that could not be read -------------------------------------------------------------------------------------------- */

static void equal_with_log(char letter)
{
	char *status;

	status_wait(&f, "d", " 32/32 1 AA 3 disk ");
	status = rows(&f, DM_DO_STATUS, "d", 0);
	assert_non_null(strrchr(status, ' '));
	assert_int_equal(strrchr(status, ' ')[1], letter);
	free(status);
}

/* All legs are equal by the log, which is the device "log" of this table. */
static void world_with_log(const char *log)
{
	struct mlog_header h = { htole32(MLOG_MAGIC), htole32(MLOG_VERSION), htole64(REGIONS) };

	memcpy(disk_bytes(2), &h, sizeof(h));
	memset(disk_bytes(2) + MLOG_BITS, 0xff, 4);
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	make_device(&f, "log", log);
	d = make_device(&f, "d", "0 512 mirror disk 2 log 16 2 disk:0 0 disk:1 0");
	dm_open(d);
	equal_with_log('D');
}

/* The next daemon copies all. */
static void a_log_that_cannot_be_read_is_marked(void **state)
{
	unsigned i;

	(void)state;
	world_with_log("0 64 flakey disk:2 0 0 1 1 error_reads");
	world_end();
	for (i = 0; i < REGIONS; i++)
		assert_false(mlog_is_clean(disk_bytes(2), i));
}

/* Nor can it be written. When that is over, it says what was true long ago. */
static void what_a_log_says_is_not_believed_before_it_was_written(void **state)
{
	(void)state;
	world_with_log("0 64 error");
	assert_int_equal(reload(&f, "log", "0 64 linear disk:2 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	memset(disk_bytes(0), 'a', 512 * 512);
	assert_int_equal(verb(&f, DM_DO_RESUME, "log", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	equal_with_log('A');
	assert_int_equal(disk_bytes(1)[511 * 512], 'a');
	rest();
	world_end();
}

/* --- a mark that is cut short ------------------------------------------------------------------------------------------------- */

static void log_is(const char *table)
{
	assert_int_equal(reload(&f, "log", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "log", 0, NULL), 0);
}

/* Neither the log nor a leg is to blame; the write did not reach any leg, and the next one has the region marked. */
static void a_write_whose_mark_is_cut_short_ends_so(void **state)
{
	uint8_t data[512] = { 'x' };
	struct job j;

	(void)state;
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	make_device(&f, "log", "0 64 linear disk:2 0");
	d = make_device(&f, "d", "0 512 mirror disk 2 log 16 2 disk:0 0 disk:1 0");
	dm_open(d);
	equal_with_log('A');
	rest();
	log_is("0 64 gate");
	gate_shut();
	job_start(&f, &j, d, 0, DM_WRITE, 0, 3 * 16, 1, data);
	while (!gate_held())
		settle_threads(&f);
	gate_end(&f, -EINTR);
	assert_int_equal(job_wait(&j), -EINTR);
	assert_int_equal(disk_bytes(0)[3 * 16 * 512], 0);
	log_is("0 64 linear disk:2 0");
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 3 * 16, 1, data), 0);
	assert_false(mlog_is_clean(disk_bytes(2), 3));
	equal_with_log('A');
	rest();
	world_end();
}

/* --- a leg that cannot be flushed -------------------------------------------------------------------------------------------- */

/* The second leg's flushes fail, and it is an event; then they do not, and the next resume makes all legs equal. */
static void a_flush_fails(const char *table, const char *failed, const char *good)
{
	uint8_t data[512] = { 'x' };
	struct job j;

	world_begin(table);
	status_wait(&f, "d", good);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 100, 1, data), 0);
	disk_fail_flushes(-EIO);
	job_start(&f, &j, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	status_wait(&f, "d", failed);
	settle_threads(&f);
	assert_false(j.over);
	disk_fail_flushes(0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), 0);
	status_wait(&f, "d", good);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 100, 1, data), 0);
	world_end();
}

static void a_leg_that_could_not_be_flushed_is_good_again(void **state)
{
	(void)state;
	a_flush_fails("0 512 mirror core 1 16 2 memory,size=2M:m 0 disk:1 0 1 handle_errors", " 32/32 1 AD ", " 32/32 1 AA ");
	a_flush_fails("0 512 mirror disk 2 memory,size=2M:l 16 2 memory,size=2M:m 0 disk:1 0 1 handle_errors", " 32/32 1 AD ",
		      " 32/32 1 AA ");
}

/* --- the reader ------------------------------------------------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

/*
 * Any bytes, most of them with a right beginning: no bit is set without reason, none beyond the last region, and nothing behind the
 * log is touched.
 */
static void any_bytes_can_be_read(void **state)
{
	enum { ROOM = 8192 };
	static uint8_t log[ROOM + 1], was[ROOM];
	unsigned round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		uint64_t regions = 1 + next_random(3000), known = next_random(2) ? next_random(4000) : UINT64_MAX - next_random(3);
		struct mlog_header h = { htole32(next_random(8) ? MLOG_MAGIC : next_random(UINT32_MAX)), htole32(next_random(4)), htole64(known) };
		size_t bytes = (size_t)mlog_bytes(regions, 512);
		enum mirror_sync sync = next_random(8) ? MIRROR_DEFAULT : next_random(2) ? MIRROR_SYNC : MIRROR_NOSYNC;
		struct err e = ERR_INIT;
		bool read;

		for (i = 0; i < ROOM; i++)
			was[i] = (uint8_t)next_random(256);
		memcpy(was, &h, sizeof(h));
		memcpy(log, was, ROOM);
		log[bytes] = 0xa5;
		mlog_open(log, bytes, regions, sync, &e);
		assert_int_equal(log[bytes], 0xa5);
		assert_memory_equal(log + sizeof(h), was + sizeof(h), MLOG_BITS - sizeof(h));
		read = sync == MIRROR_DEFAULT && le32toh(h.magic) == MLOG_MAGIC && !e.code;
		for (i = 0; i < regions; i++)
			assert_int_equal(mlog_is_clean(log, i), read && i < known ? mlog_is_clean(was, i) : sync == MIRROR_NOSYNC);
		for (; i % 64; i++)
			assert_false(mlog_is_clean(log, i));
	}
}

#define T(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_region_is_marked_before_it_is_written_to), T(marks_share_a_write), T(a_suspend_unmarks_all),
		T(only_what_is_marked_is_copied), T(a_log_that_is_none_begins_anew), T(a_log_of_an_unknown_version_is_left_alone),
		T(a_write_whose_mark_is_cut_short_ends_so), T(a_log_that_cannot_be_read_is_marked), T(what_a_log_says_is_not_believed_before_it_was_written),
		T(a_leg_that_could_not_be_flushed_is_good_again), T(any_bytes_can_be_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mirror log", tests, NULL, NULL);
}
