/* SPDX-License-Identifier: BSD-2-Clause */
/* integrity: what a journal has after it was replayed, and metadata that do not begin at the first sector of their device. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"

#define LINE "0 512 integrity disk:0 0 - %s internal_hash:crc32c journal_sectors:%u interleave_sectors:64 fix_padding"

static struct fixture f;
static struct dm_device *d;

static void open_line(const char *line)
{
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 1, AIO_AUTO);
	d = make_device(&f, "d", line);
	dm_open(d);
}

static void write_and_flush(uint64_t sector, uint64_t count, int byte)
{
	uint8_t data[8][512];

	memset(data, byte, sizeof(data));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, sector, count, data), 0);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
}

static uint8_t byte_at(uint64_t sector)
{
	uint8_t data[512];

	assert_int_equal(request(&f, d, 0, DM_READ, 0, sector, 1, data), 0);
	return data[0];
}

/* A journal of so many sectors has USED flushes in it, and MORE after the first crash. */
static void crash_twice(unsigned sectors, unsigned used, unsigned more)
{
	char line[200];

	snprintf(line, sizeof(line), LINE, "J 4", sectors);
	disk_reset();
	open_line(line);
	while (used--)
		write_and_flush(0, 8, 'a');
	disk_crash(&f, d);
	open_line(line);
	while (more--)
		write_and_flush(3, 1, 'b');
	disk_crash(&f, d);
	open_line(line);
	assert_int_equal(byte_at(2), 'a');
	assert_int_equal(byte_at(3), 'b');
	assert_int_equal(byte_at(4), 'a');
	disk_world_end(&f, d);
}

/* A section that is filled in part after the first crash has nothing else in it. */
static void what_was_replayed_does_not_come_back(void **state)
{
	static const unsigned sizes[] = { 300, 600 };
	unsigned i, used, more;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (used = 1; used < 4; used++)
			for (more = 1; more < 4; more++)
				crash_twice(sizes[i], used, more);
}

/* Everything begins at <start>, so what is before that is no room for it. */
static void metadata_end_with_their_device(void **state)
{
	static const char *const lines[] = {
		"0 512 integrity disk:0 1900 - J 3 internal_hash:crc32c meta_device:disk:1 journal_sectors:300",
		"0 512 integrity disk:0 2047 - J 3 internal_hash:crc32c meta_device:disk:1 journal_sectors:300",
	};
	char why[ERR_TEXT];
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		disk_reset();
		fixture_stop_clock();
		fixture_store = &disk_type;
		fixture_begin(&f, 1, AIO_AUTO);
		assert_int_equal(create(&f, "d", lines[i], why), -EINVAL);
		if (!strstr(why, "sectors"))
			fail_msg("%s", why);
		fixture_end(&f);
	}
	disk_reset();
	open_line("0 512 integrity disk:0 1000 - J 3 internal_hash:crc32c meta_device:disk:1 journal_sectors:300");
	write_and_flush(504, 8, 'c');
	disk_world_end(&f, d);
}

static int suspend_both(const char *first, const char *second)
{
	const char *names[] = { first, second };
	struct dm_cmd c = { .verb = DM_DO_SUSPEND, .names = names, .n_names = 2 };
	char why[ERR_TEXT];
	int err = run(&f, &c, why);

	dm_reply_free(&c.reply);
	return err;
}

/* "other", which cannot commit what is written to it, for 100 seconds. */
static void other_make(void)
{
	uint8_t data[512] = { 1 };
	struct dm_device *other;

	make_device(&f, "failing", "0 2048 flakey disk:1 0 2 100 1 error_writes");
	other = make_device(&f, "other", "0 64 integrity device:failing 0 - J 3 internal_hash:crc32c journal_sectors:300 commit_time:1000000");
	dm_open(other);
	assert_int_equal(request(&f, other, 0, DM_WRITE, 0, 0, 1, data), 0);
	dm_close(other);
	time_passes(&f, 3);
}

/* The journal that a suspend has put in the place of the bitmap does not stay there: what is written next is marked. */
static void a_suspend_that_is_undone_leaves_all_as_it_was(void **state)
{
	static const char *const modes[] = { "J 4", "B 4", "D 4" };
	uint8_t data[8 * 512];
	char line[200];
	unsigned i;

	(void)state;
	memset(data, 'c', sizeof(data));
	for (i = 0; i < 6; i++) {
		snprintf(line, sizeof(line), LINE, modes[i / 2], 300);
		disk_reset();
		open_line(line);
		write_and_flush(0, 8, 'a');
		other_make();
		assert_int_not_equal(i % 2 ? suspend_both("d", "other") : suspend_both("other", "d"), 0);
		assert_int_equal(byte_at(3), 'a');
		write_and_flush(3, 1, 'b');
		if (*modes[i / 2] == 'B')
			assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 400, 8, data), 0);
		time_passes(&f, 100);
		disk_crash(&f, d);
		open_line(line);
		assert_int_equal(byte_at(2), 'a');
		assert_int_equal(byte_at(3), 'b');
		if (*modes[i / 2] == 'B')
			assert_int_equal(byte_at(407), 'c');
		disk_world_end(&f, d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_replayed_does_not_come_back),
		cmocka_unit_test(metadata_end_with_their_device),
		cmocka_unit_test(a_suspend_that_is_undone_leaves_all_as_it_was),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
