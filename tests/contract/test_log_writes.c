/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log-writes: what stands in the log and in which order, however requests overlap; its end; and what it does when memory or the
 * log device run out. The log is read with the reader of src/targets/log_writes, and tests/tools/replay.sh reads others.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "contract/disk.h"
#include "core/path/held.h"
#include "support/world.h"
#include "targets/log_writes/format.h"
#include "targets/log_writes/read.h"

#define TABLE "0 64 log-writes disk:0 disk:1"

static struct fixture f;
static struct dm_device *d;

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

static int begin(void **state)
{
	(void)state;
	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void make(const char *table)
{
	d = make_device(&f, "it", table);
	dm_open(d);
}

static void gone(void)
{
	char why[ERR_TEXT];

	dm_close(d);
	if (verb(&f, DM_DO_REMOVE, "it", 0, why))
		fail_msg("%s", why);
}

static int io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count)
{
	static uint8_t data[64 * 512];

	memset(data, (int)sector, sizeof(data));
	return request(&f, d, (unsigned)sector % 2, op, flags, sector, count, op == DM_WRITE ? data : NULL);
}

static int mark(const char *text, char *why)
{
	char words[1200];
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "it", .message = words };
	int err;

	snprintf(words, sizeof(words), "mark %s", text);
	err = run(&f, &c, why);
	dm_reply_free(&c.reply);
	return err;
}

/* The log that disk 1 holds, an entry a word: "w8+1 flush fua3+1 discard0+8 'text'". */
static const char *log_of_disk(void)
{
	static char out[4096];
	struct wlog_entry entry;
	size_t n = 0;
	struct wlog *l;
	struct err e = ERR_INIT;
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_int_equal(write(fd, disk_bytes(1), DISK_SECTORS * 512), DISK_SECTORS * 512);
	if (wlog_open(&l, fd, "the log", &e))
		return close(fd), "none";
	out[0] = 0;
	while (wlog_next(l, &entry, &e) > 0) {
		static const char *const kinds[] = { "w", "discard", "flush", "" };
		uint8_t byte = 0;

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s%s", n ? " " : "", entry.flags & WLOG_FUA ? "fua-" : "",
				      kinds[entry.kind]);
		if (entry.kind == WLOG_IS_MARK)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "'%s'", entry.mark);
		else if (entry.kind != WLOG_IS_FLUSH)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%u+%u", (unsigned)entry.sector, (unsigned)entry.count);
		if (entry.kind == WLOG_IS_WRITE)
			assert_int_equal(wlog_data(l, &entry, 0, &byte, 1, &e), 0);
		if (entry.kind == WLOG_IS_WRITE && byte)
			assert_int_equal(byte, entry.sector);
	}
	assert_int_equal(e.code, 0);
	wlog_close(l);
	close(fd);
	return out;
}

static void status_is(const char *want)
{
	char *now = rows(&f, DM_DO_STATUS, "it", 0), whole[128];

	snprintf(whole, sizeof(whole), "0 64 log-writes %s\n", want);
	assert_string_equal(now, whole);
	free(now);
}

static void writes_wait_for_a_flush_and_fua_and_marks_do_not(void **state)
{
	(void)state;
	make(TABLE);
	assert_int_equal(io(DM_WRITE, 0, 8, 2) || io(DM_DISCARD, 0, 16, 8) || io(DM_ZEROES, 0, 24, 2), 0);
	status_is("0 0");
	assert_int_equal(mark("one", NULL), 0);
	assert_string_equal(log_of_disk(), "'one'");
	assert_int_equal(io(DM_WRITE, DM_FUA, 3, 1) || io(DM_FLUSH, 0, 0, 0) || io(DM_WRITE, 0, 5, 1) || mark("two", NULL), 0);
	assert_string_equal(log_of_disk(), "'one' fua-w3+1 w8+2 discard16+8 w24+2 flush 'two'");
	assert_int_equal(io(DM_DISCARD, DM_FUA, 40, 8) || io(DM_ZEROES, DM_FUA, 48, 1) || mark("three", NULL), 0);
	gone();
	assert_string_equal(log_of_disk(), "'one' fua-w3+1 w8+2 discard16+8 w24+2 flush 'two' fua-discard40+8 fua-w48+1 'three' w5+1 "
					   "'dm-log-writes-end'");
}

/*
 * What a durable write has written over may not come back when the log is replayed: it stands before it, and what that has
 * written over, too.
 */
static void what_fua_has_written_over_stands_before_it(void **state)
{
	(void)state;
	make(TABLE);
	assert_int_equal(io(DM_WRITE, 0, 6, 1) || io(DM_WRITE, 0, 0, 8) || io(DM_WRITE, 0, 20, 2) || io(DM_WRITE, DM_FUA, 7, 1) ||
			 mark("m", NULL), 0);
	assert_string_equal(log_of_disk(), "w6+1 w0+8 fua-w7+1 'm'");
	gone();
	assert_string_equal(log_of_disk(), "w6+1 w0+8 fua-w7+1 'm' w20+2 'dm-log-writes-end'");
}

/* The same while a flush is under way that covers it. */
static void what_fua_has_written_over_does_not_wait_for_a_flush(void **state)
{
	struct job flush;
	uint8_t data[512];

	(void)state;
	assert_int_equal(create(&f, "low", "0 64 sour", NULL), 0);
	make("0 64 log-writes /dev/mapper/low disk:1");
	atomic_store(&sour_holds, true);
	memset(data, 3, sizeof(data));
	assert_int_equal(io(DM_WRITE, 0, 2, 2), 0);
	job_start(&f, &flush, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&f);
	assert_int_equal(request(&f, d, 1, DM_WRITE, DM_FUA, 3, 1, data) || mark("m", NULL), 0);
	assert_string_equal(log_of_disk(), "w2+2 fua-w3+1 'm'");
	atomic_store(&sour_holds, false);
	dm_go_on(atomic_load(&held), DM_DONE);
	assert_int_equal(job_wait(&flush) || mark("n", NULL), 0);
	assert_string_equal(log_of_disk(), "w2+2 fua-w3+1 'm' flush 'n'");
	gone();
}

/* Held by the disk: a write that is over after a flush was submitted stands behind that flush; one that was over, before. */
static void a_flush_covers_what_was_over_when_it_was_submitted(void **state)
{
	struct job one, flush;
	uint8_t data[512];

	(void)state;
	make(TABLE);
	memset(data, 1, sizeof(data));
	assert_int_equal(io(DM_WRITE, 0, 2, 1), 0);
	disk_hold(0);
	job_start(&f, &one, d, 0, DM_WRITE, 0, 1, 1, data);
	settle_threads(&f);
	job_start(&f, &flush, d, 1, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&f);
	disk_let_go();
	assert_int_equal(job_wait(&one) || job_wait(&flush), 0);
	assert_int_equal(mark("m", NULL), 0);
	assert_string_equal(log_of_disk(), "w2+1 flush 'm'");
	gone();
	assert_string_equal(log_of_disk(), "w2+1 flush 'm' w1+1 'dm-log-writes-end'");
}

/* A flush that is over before one that was submitted before it has made durable what that one covers, too. */
static void a_flush_covers_what_an_older_one_under_way_does(void **state)
{
	struct job older;

	(void)state;
	assert_int_equal(create(&f, "low", "0 64 sour", NULL), 0);
	make("0 64 log-writes /dev/mapper/low disk:1");
	assert_int_equal(io(DM_WRITE, 0, 8, 1), 0);
	atomic_store(&sour_holds, true);
	job_start(&f, &older, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&f);
	atomic_store(&sour_holds, false);
	assert_int_equal(io(DM_WRITE, 0, 9, 1) || io(DM_FLUSH, 0, 0, 0) || mark("m", NULL), 0);
	assert_string_equal(log_of_disk(), "w8+1 w9+1 flush 'm'");
	dm_go_on(atomic_load(&held), DM_DONE);
	assert_int_equal(job_wait(&older) || mark("n", NULL), 0);
	assert_string_equal(log_of_disk(), "w8+1 w9+1 flush 'm' flush 'n'");
	gone();
}

/* What a flush would have covered that has failed, the next one covers, though it is under way already. */
static void a_flush_under_way_covers_what_an_older_one_has_failed_to(void **state)
{
	struct dm_req *first;
	struct job older, younger;

	(void)state;
	assert_int_equal(create(&f, "low", "0 64 sour", NULL), 0);
	make("0 64 log-writes /dev/mapper/low disk:1");
	assert_int_equal(io(DM_WRITE, 0, 8, 1), 0);
	atomic_store(&sour_holds, true);
	job_start(&f, &older, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&f);
	first = atomic_load(&held);
	assert_int_equal(io(DM_WRITE, 0, 8, 2), 0);
	job_start(&f, &younger, d, 0, DM_FLUSH, 0, 0, 0, NULL);
	settle_threads(&f);
	atomic_store(&sour_holds, false);
	dm_go_on(first, -EIO);
	assert_int_equal(job_wait(&older), -EIO);
	dm_go_on(atomic_load(&held), DM_DONE);
	assert_int_equal(job_wait(&younger) || mark("m", NULL), 0);
	assert_string_equal(log_of_disk(), "w8+1 w8+2 flush 'm'");
	gone();
}

static void a_suspend_is_not_logged_and_a_suspended_device_takes_marks(void **state)
{
	(void)state;
	make(TABLE);
	assert_int_equal(io(DM_WRITE, 0, 8, 1), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "it", 0, NULL), 0);
	assert_int_equal(mark("rest", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_string_equal(log_of_disk(), "'rest'");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "it", 0, NULL), 0);
	gone();
	assert_string_equal(log_of_disk(), "'rest' w8+1 'dm-log-writes-end'");
}

/* A table that is only loaded changes no log; one that takes the place of another writes on; a new device begins anew. */
static void a_log_lives_as_long_as_lines_use_it(void **state)
{
	(void)state;
	make(TABLE);
	assert_int_equal(io(DM_WRITE, DM_FUA, 8, 1), 0);
	assert_int_equal(reload(&f, "it", TABLE, NULL) || verb(&f, DM_DO_CLEAR, "it", 0, NULL), 0);
	assert_int_equal(io(DM_WRITE, DM_FUA, 9, 1), 0);
	assert_int_equal(reload(&f, "it", TABLE, NULL) || verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(io(DM_WRITE, DM_FUA, 10, 1), 0);
	assert_int_equal(reload(&f, "it", "0 64 linear disk:0 0", NULL) || verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_string_equal(log_of_disk(), "fua-w8+1 fua-w9+1 fua-w10+1 'dm-log-writes-end'");
	assert_int_equal(io(DM_WRITE, DM_FUA, 11, 1), 0);
	assert_int_equal(reload(&f, "it", TABLE, NULL) || verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	assert_int_equal(io(DM_WRITE, DM_FUA, 12, 1), 0);
	gone();
	assert_string_equal(log_of_disk(), "fua-w12+1 'dm-log-writes-end'");
}

static void the_worlds_end_ends_the_log(void **state)
{
	(void)state;
	assert_int_equal(create(&f, "log", "0 512 linear disk:1 0", NULL), 0);
	make("0 64 log-writes disk:0 /dev/mapper/log");
	assert_int_equal(io(DM_WRITE, 0, 8, 1), 0);
	dm_close(d);
	fixture_end(&f);
	assert_string_equal(log_of_disk(), "w8+1 'dm-log-writes-end'");
	fixture_begin(&f, 1, AIO_AUTO);
}

static void a_full_log_says_so_and_nothing_else_stops(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	assert_int_equal(create(&f, "log", "0 12 linear disk:1 0", NULL), 0);
	make("0 64 log-writes disk:0 /dev/mapper/log");
	assert_int_equal(io(DM_WRITE, DM_FUA, 8, 8) || mark("m", NULL), 0);
	status_is("2 10");
	assert_int_equal(mark("more", why), -ENOSPC);
	assert_string_equal(why, "the mark is not in the log: nothing more is logged, because the log device is full");
	status_is("2 11 logging_disabled");
	assert_int_equal(io(DM_WRITE, 0, 16, 8) || io(DM_FLUSH, 0, 0, 0), 0);
	assert_int_equal(disk_bytes(0)[16 * 512], 16);
	gone();
	assert_string_equal(log_of_disk(), "fua-w8+8 'm'");
}

static void a_log_device_that_fails_ends_the_log_only(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	assert_int_equal(create(&f, "log", "0 512 error", NULL), 0);
	make("0 64 log-writes disk:0 /dev/mapper/log");
	assert_int_equal(io(DM_WRITE, 0, 8, 8) || io(DM_FLUSH, 0, 0, 0), 0);
	assert_int_equal(mark("m", why), -EIO);
	assert_string_equal(why, "the mark is not in the log: nothing more is logged, because the log device has failed");
	assert_int_equal(io(DM_WRITE, 0, 16, 8) || io(DM_FLUSH, 0, 0, 0), 0);
	assert_int_equal(disk_bytes(0)[16 * 512], 16);
	gone();
}

/* A flush that fails promises nothing: it is not logged, and what it would have covered waits for the next one. */
static void a_flush_that_fails_is_not_logged(void **state)
{
	(void)state;
	assert_int_equal(create(&f, "low", "0 64 sour", NULL), 0);
	make("0 64 log-writes /dev/mapper/low disk:1");
	atomic_store(&sour, true);
	assert_int_equal(io(DM_WRITE, 0, 8, 1), 0);
	assert_int_equal(io(DM_FLUSH, 0, 0, 0), -EIO);
	assert_int_equal(io(DM_WRITE, 0, 9, 1), 0);
	atomic_store(&sour, false);
	assert_int_equal(io(DM_FLUSH, 0, 0, 0) || mark("m", NULL), 0);
	assert_string_equal(log_of_disk(), "w8+1 w9+1 flush 'm'");
	gone();
}

static void words_that_cannot_be_are_refused(void **state)
{
	char why[ERR_TEXT], text[512];

	(void)state;
	assert_int_not_equal(create(&f, "it", "0 64 log-writes disk:0 disk:0", why), 0);
	assert_non_null(strstr(why, "'disk:0' cannot be its own log"));
	make(TABLE);
	assert_int_equal(create(&f, "two", "0 64 log-writes disk:2 disk:1", why), -EBUSY);
	assert_non_null(strstr(why, "'disk:1' is the log of another device"));
	assert_int_equal(mark("two words", why), -EINVAL);
	assert_string_equal(why, "the message is: mark <text>, two words, not 3; blanks in the text have a backslash before them");
	memset(text, 'x', 480);
	text[480] = 0;
	assert_int_equal(mark(text, why), -EINVAL);
	assert_string_equal(why, "a mark has at most 479 bytes in this log, not 480");
	text[479] = 0;
	assert_int_equal(mark(text, why), 0);
	gone();
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
	assert_int_equal(create(&f, "log", "0 409600 linear memory,size=200M:log 0", why), 0);
	assert_int_equal(create(&f, "it", "0 204800 log-writes memory,size=100M:disk /dev/mapper/log", why), 0);
	d = dm_find_name(f.world, "it");
	dm_open(d);
	memset(data, 7, BYTES);
	for (i = 0; i < MIB; i++) {
		if (i >= 4)
			assert_int_equal(job_wait(&jobs[i % 4]), 0);
		job_start(&f, &jobs[i % 4], d, i % 2, DM_WRITE, 0, i * 2048ull, 2048, data);
	}
	for (i = 0; i < 4; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_int_equal(mark("m", NULL), 0);
	now = rows(&f, DM_DO_STATUS, "it", 0);
	assert_int_equal(sscanf(now, "0 204800 log-writes %llu", &entries), 1);
	assert_in_range(entries, 17, MIB);
	free(now);
	free(data);
	gone();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_wait_for_a_flush_and_fua_and_marks_do_not, begin, end),
		cmocka_unit_test_setup_teardown(what_fua_has_written_over_stands_before_it, begin, end),
		cmocka_unit_test_setup_teardown(what_fua_has_written_over_does_not_wait_for_a_flush, begin, end),
		cmocka_unit_test_setup_teardown(a_flush_covers_what_was_over_when_it_was_submitted, begin, end),
		cmocka_unit_test_setup_teardown(a_flush_covers_what_an_older_one_under_way_does, begin, end),
		cmocka_unit_test_setup_teardown(a_flush_under_way_covers_what_an_older_one_has_failed_to, begin, end),
		cmocka_unit_test_setup_teardown(a_suspend_is_not_logged_and_a_suspended_device_takes_marks, begin, end),
		cmocka_unit_test_setup_teardown(a_log_lives_as_long_as_lines_use_it, begin, end),
		cmocka_unit_test_setup_teardown(the_worlds_end_ends_the_log, begin, end),
		cmocka_unit_test_setup_teardown(a_full_log_says_so_and_nothing_else_stops, begin, end),
		cmocka_unit_test_setup_teardown(a_log_device_that_fails_ends_the_log_only, begin, end),
		cmocka_unit_test_setup_teardown(a_flush_that_fails_is_not_logged, begin, end),
		cmocka_unit_test_setup_teardown(words_that_cannot_be_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(more_than_the_memory_is_logged_before_its_flush, begin, end),
	};

	fixture_add_type(&sour_type);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
