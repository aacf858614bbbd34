/* SPDX-License-Identifier: BSD-2-Clause */
/* A store whose line is exchanged, or resumed once more: for a snapshot while it is merged, for a longer one, after a failure. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/pending.h"
#include "support/world.h"
#include "targets/snapshot/format.h"

enum { CHUNK = 8, ENTRIES = 64, STEP = 32 };

static struct fixture f;
static char why[ERR_TEXT];
static uint8_t data[CHUNK * 512], got[CHUNK * 512];

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 1, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static struct dm_device *open_new(const char *name, const char *table)
{
	struct dm_device *d = make_device(&f, name, table);

	dm_open(d);
	return d;
}

static void closed(struct dm_device *d, const char *name)
{
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, name, 0, why), 0);
}

static int do_io(struct dm_device *d, enum dm_op op, uint64_t sector, uint64_t count, void *bytes)
{
	return request(&f, d, 0, op, 0, sector, count, bytes);
}

static int exchange(const char *name, const char *table)
{
	assert_int_equal(reload(&f, name, table, why), 0);
	return verb(&f, DM_DO_RESUME, name, 0, why);
}

static bool status_is(const char *name, const char *what)
{
	char *text = rows(&f, DM_DO_STATUS, name, 0);
	bool is = strstr(text, what);

	free(text);
	return is;
}

/* Those that will be merged last have the chunks behind those that will be merged first. */
static void store_made(struct dm_device *cow)
{
	struct snap_header h = { htole32(SNAP_MAGIC), htole32(1), htole32(SNAP_VERSION), htole32(CHUNK) };
	struct snap_entry area[256] = { { 0, 0 } };
	unsigned i, chunk;

	memset(data, 0, sizeof(data));
	memcpy(data, &h, sizeof(h));
	assert_int_equal(do_io(cow, DM_WRITE, 0, CHUNK, data), 0);
	for (i = 0; i < ENTRIES; i++) {
		chunk = 2 + (i + STEP) % ENTRIES;
		area[i] = (struct snap_entry){ htole64(i), htole64(chunk) };
		memset(data, (int)i + 1, sizeof(data));
		assert_int_equal(do_io(cow, DM_WRITE, (uint64_t)chunk * CHUNK, CHUNK, data), 0);
	}
	assert_int_equal(do_io(cow, DM_WRITE, CHUNK, CHUNK, area), 0);
}

/* A step of the merge is over, and the device is suspended. */
static void merge_one_step(void)
{
	struct pending p;

	while (!gate_held())
		settle_threads(&f);
	pending_start(&f, &p, (struct dm_cmd){ .verb = DM_DO_SUSPEND, .name = "org" });
	settle_threads(&f);
	gate_open(&f);
	assert_int_equal(pending_wait(&f, &p), 0);
}

static void a_merge_that_becomes_a_snapshot_again_keeps_what_is_left(void **state)
{
	struct dm_device *cow, *org;
	unsigned i;

	(void)state;
	gate_open(&f);
	make_device(&f, "real", "0 2048 gate");
	cow = open_new("cow", "0 4096 linear memory,size=2M:cow 0");
	store_made(cow);
	gate_shut();
	org = open_new("org", "0 2048 snapshot-merge /dev/mapper/real /dev/mapper/cow P 8");
	merge_one_step();
	assert_true(status_is("org", "272/4096 16"));
	assert_int_equal(exchange("org", "0 2048 snapshot /dev/mapper/real /dev/mapper/cow P 8"), 0);
	memset(data, 0xee, sizeof(data));
	for (i = 0; i < 4; i++)
		assert_int_equal(do_io(org, DM_WRITE, (100 + i) * CHUNK, CHUNK, data), 0);
	for (i = 0; i < STEP; i++) {
		memset(data, (int)i + 1, sizeof(data));
		assert_int_equal(do_io(org, DM_READ, i * CHUNK, CHUNK, got), 0);
		assert_memory_equal(got, data, sizeof(got));
	}
	closed(org, "org");
	closed(cow, "cow");
}

/* Each second chunk, so that each exception takes a place of its own in memory. */
static void a_longer_line_has_room_for_its_exceptions(void **state)
{
	struct dm_device *snap;
	unsigned i;

	(void)state;
	snap = open_new("snap", "0 64 snapshot memory,size=1M:o memory,size=4M:c N 8");
	assert_int_equal(do_io(snap, DM_WRITE, 0, CHUNK, data), 0);
	assert_int_equal(exchange("snap", "0 512 snapshot memory,size=1M:o memory,size=4M:c N 8"), 0);
	for (i = 0; i < 64; i += 2)
		assert_int_equal(do_io(snap, DM_WRITE, i * CHUNK, CHUNK, data), 0);
	assert_int_equal(exchange("snap", "0 2048 snapshot memory,size=1M:o memory,size=4M:c N 8"), -EINVAL);
	if (!strstr(why, "the line has grown to 256 chunks, and the exceptions in") || !strstr(why, "were read for 8;"))
		fail_msg("%s", why);
	assert_int_equal(do_io(snap, DM_READ, 0, CHUNK, got), 0);
	assert_true(status_is("snap", "256/8192 0"));
	closed(snap, "snap");
}

static void a_merge_that_has_failed_is_tried_again_by_a_resume(void **state)
{
	struct dm_device *cow, *org, *real;

	(void)state;
	real = open_new("real", "0 2048 error");
	cow = open_new("cow", "0 4096 linear memory,size=2M:cow 0");
	store_made(cow);
	org = open_new("org", "0 2048 snapshot-merge /dev/mapper/real /dev/mapper/cow P 8");
	while (!status_is("org", "Merge failed"))
		settle_threads(&f);
	assert_int_equal(exchange("real", "0 2048 linear memory,size=1M:o 0"), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "org", 0, why), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "org", 0, why), 0);
	memset(data, 1, sizeof(data));
	do {
		settle_threads(&f);
		assert_int_equal(do_io(real, DM_READ, 0, CHUNK, got), 0);
	} while (memcmp(got, data, sizeof(got)));	/* the last that is merged */
	assert_true(status_is("org", "Merge failed"));
	memset(data, ENTRIES, sizeof(data));
	assert_int_equal(do_io(org, DM_READ, (ENTRIES - 1) * CHUNK, CHUNK, got), 0);
	assert_memory_equal(got, data, sizeof(got));
	closed(org, "org");
	closed(cow, "cow");
	closed(real, "real");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_merge_that_becomes_a_snapshot_again_keeps_what_is_left, begin, end),
		cmocka_unit_test_setup_teardown(a_longer_line_has_room_for_its_exceptions, begin, end),
		cmocka_unit_test_setup_teardown(a_merge_that_has_failed_is_tried_again_by_a_resume, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
