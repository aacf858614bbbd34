/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory stores: shared by name, sparse, freed with the last table. Mapped devices as stores: how they are named, what
 * is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/place.h"
#include "support/world.h"

static struct fixture f;
static char why[ERR_TEXT];

static int begin(void **state)
{
	(void)state;
	place_begin();
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	place_end();
	return 0;
}

static int map(const char *name, uint64_t sectors, const char *word)
{
	char table[1024];

	snprintf(table, sizeof(table), "0 %llu linear %s 0", (unsigned long long)sectors, word);
	return create(&f, name, table, why);
}

static void assert_says(const char *words)
{
	if (!strstr(why, words))
		fail_msg("'%s' is not in: %s", words, why);
}

static void assert_extent(struct dm_device *d, uint64_t at, uint64_t len, uint64_t reach, bool hole)
{
	struct job j;

	job_start(&f, &j, d, 0, DM_EXTENT, 0, at, len, NULL);
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(j.req.count, reach);
	assert_int_equal(j.req.flags & (DM_HOLE | DM_ZERO), hole ? DM_HOLE | DM_ZERO : 0);
}

static void bad_words_get_a_sentence(void **state)
{
	static const struct {
		const char *word, *says;
	} bad[] = {
		{ "memory:m", "its size is required" },
		{ "memory,size=1M:", "needs a name" },
		{ "memory,size=0:m", "size='0'" },
		{ "memory,size=100:m", "size='100'" },
		{ "memory,size=much:m", "size='much'" },
		{ "memory,size=:m", "size=''" },
		{ "memory,colour=red:m", "unknown option 'colour'" },
		{ "memory,size=1M,logical=3:m", "logical='3'" },
		{ "memory,size=1M,logical=4096,physical=512:m", "physical=512" },
		{ "memory,size=10K,logical=4096:m", "not a multiple of its blocks of 4096" },
		{ "memory,size=7E:m", "size='7E'" },
		{ "memory,size=4096P:m", "no address space" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_true(map("x", 1, bad[i].word) < 0);
		assert_says(bad[i].says);
		assert_true(list_empty(&f.world->stores));
	}
}

static void a_name_is_one_memory(void **state)
{
	char data[512] = "shared", in[512];
	struct dm_device *a, *b;

	(void)state;
	assert_int_equal(map("a", 8, "memory,size=1M:one"), 0);
	assert_int_equal(map("b", 8, "memory:one"), 0);
	assert_int_equal(map("c", 8, "memory,size=1024K:one"), 0);
	assert_int_equal(map("d", 8, "memory,size=2M:one"), -EINVAL);
	assert_says("already exists as memory,size=1048576:one");
	assert_int_equal(map("d", 8, "memory,logical=4096:one"), -EINVAL);
	a = open_device(&f, "a");
	b = open_device(&f, "b");
	assert_int_equal(request(&f, a, 0, DM_WRITE, 0, 3, 1, data), 0);
	assert_int_equal(request(&f, b, 1, DM_READ, 0, 3, 1, in), 0);
	assert_memory_equal(in, data, 512);
	dm_close(a);
	dm_close(b);
	assert_int_equal(verb(&f, DM_DO_REMOVE_ALL, NULL, 0, why), 0);
	assert_int_equal(map("a", 8, "memory,size=2M:one"), 0);
	a = open_device(&f, "a");
	assert_int_equal(request(&f, a, 0, DM_READ, 0, 3, 1, in), 0);
	assert_int_equal(in[0], 0);
	dm_close(a);
}

static void holes_are_pages_never_written(void **state)
{
	char data[512 * 24];
	struct dm_device *d;

	(void)state;
	memset(data, 'x', sizeof(data));
	assert_int_equal(map("x", 2048, "memory,size=1M:m"), 0);
	d = open_device(&f, "x");
	assert_extent(d, 0, 2048, 2048, true);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 803, 2, data), 0);
	assert_extent(d, 5, 2043, 795, true);
	assert_extent(d, 801, 100, 7, false);
	assert_extent(d, 803, 1, 1, false);
	assert_extent(d, 808, 1240, 1240, true);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 808, 24, data), 0);
	assert_extent(d, 800, 1248, 32, false);
	assert_int_equal(request(&f, d, 0, DM_DISCARD, 0, 804, 20, NULL), 0);	/* pages 808..824 and two partial ones */
	assert_extent(d, 800, 1248, 8, false);
	assert_extent(d, 808, 1240, 16, true);
	assert_extent(d, 824, 1224, 8, false);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 803, 2, data), 0);
	assert_int_equal(data[0], 'x');
	assert_int_equal(request(&f, d, 0, DM_ZEROES, DM_KEEP, 824, 8, NULL), 0);
	assert_extent(d, 824, 1224, 8, false);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 824, 8, data), 0);
	assert_int_equal(data[0], 0);
	dm_close(d);
}

/* A tebibyte needs memory only for what is written, and extents and discards of it are fast. */
static void a_huge_one_is_cheap(void **state)
{
	const uint64_t sectors = 1ull << 31;
	char data[512] = "far", in[512];
	struct dm_device *d;
	int round;

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip();		/* it leaves no room for so many addresses */
#endif
	assert_int_equal(map("x", sectors, "memory,size=1T:m"), 0);
	d = open_device(&f, "x");
	for (round = 0; round < 2; round++) {
		assert_int_equal(request(&f, d, 0, DM_WRITE, 0, sectors - 1, 1, data), 0);
		assert_extent(d, 0, sectors, sectors - 8, true);
		assert_extent(d, sectors - 8, 8, 8, false);
		assert_int_equal(request(&f, d, 0, DM_DISCARD, 0, 0, sectors, NULL), 0);
		assert_extent(d, 0, sectors, sectors, true);
		assert_int_equal(request(&f, d, 0, DM_READ, 0, sectors - 1, 1, in), 0);
		assert_int_equal(in[0], 0);
	}
	dm_close(d);
}

static void below(const char *name, const char *uuid, uint32_t minor)
{
	char text[] = "0 2048 linear memory,size=1M:below 0";
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = name, .uuid = uuid, .has_minor = true, .minor = minor, .text = text };

	assert_int_equal(run(&f, &c, why), 0);
	dm_reply_free(&c.reply);
}

static void a_mapped_device_has_many_names(void **state)
{
	static const char *const words[] = { "base", "/dev/mapper/base", "/dev/dm-77", "device:base", "device:/dev/mapper/base",
					     "LVM-1234", "device:LVM-1234" };
	char number[32], *table, want[64];
	size_t i;

	(void)state;
	below("base", "LVM-1234", 77);
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		assert_int_equal(map("top", 2048, words[i]), 0);
		assert_ptr_equal(dm_find_name(f.world, "top")->active->stores[0]->device, dm_find_name(f.world, "base"));
		assert_int_equal(verb(&f, DM_DO_REMOVE, "base", 0, why), -EBUSY);
		assert_int_equal(verb(&f, DM_DO_REMOVE, "top", 0, why), 0);
	}
	snprintf(number, sizeof(number), "%u:77", f.world->major);
	assert_int_equal(map("top", 2048, number), 0);
	table = rows(&f, DM_DO_TABLE, "top", 0);
	snprintf(want, sizeof(want), "0 2048 linear %s 0\n", number);
	assert_string_equal(table, want);
	free(table);
	assert_int_equal(info(&f, "base").open_count, 1);
}

static void what_is_no_mapped_device_is_said_so(void **state)
{
	char number[32];

	(void)state;
	snprintf(number, sizeof(number), "%u:1234", f.world->major);
	assert_int_equal(map("top", 8, "/dev/mapper/nobody"), -ENOENT);
	assert_says("no mapped device '/dev/mapper/nobody'");
	assert_int_equal(map("top", 8, "device:nobody"), -ENOENT);
	assert_says("no mapped device 'nobody'");
	assert_int_equal(map("top", 8, "/dev/dm-4711"), -ENOENT);
	assert_says("no mapped device '/dev/dm-4711'");
	assert_int_equal(map("top", 8, number), -ENXIO);
	assert_says("no mapped device '");
	assert_int_equal(verb(&f, DM_DO_CREATE, "empty", 0, why), 0);
	assert_int_equal(map("top", 8, "empty"), -ENXIO);
	assert_says("has no active table");
	below("base", "", 5);
	assert_int_equal(map("top", 2049, "base"), -EINVAL);
	assert_says("2048 sectors");
}

static void a_name_that_is_a_file_too_is_ambiguous(void **state)
{
	char path[PLACE_PATH], dir[PLACE_PATH], text[] = "0 8 linear base 0", dotted[] = "0 8 linear ./base 0";
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "x", .text = text, .cwd = dir };
	struct dm_cmd file = { .verb = DM_DO_CREATE, .name = "x", .text = dotted, .cwd = dir };

	(void)state;
	below("base", "", 5);
	place_file(path, "base", 1u << 20);
	place_path(dir, ".");
	assert_int_equal(run(&f, &c, why), -EINVAL);
	assert_says("write /dev/mapper/base or ./base");
	assert_int_equal(run(&f, &file, why), 0);
	assert_null(dm_find_name(f.world, "x")->active->stores[0]->device);
	dm_reply_free(&c.reply);
	dm_reply_free(&file.reply);
}

static void a_read_only_device_is_read_only_above_too(void **state)
{
	char text[] = "0 2048 linear memory,size=1M:below 0", above[] = "0 2048 linear ro 0";
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "ro", .flags = DM_WITH_READONLY, .text = text };
	struct dm_cmd top = { .verb = DM_DO_CREATE, .name = "top", .flags = DM_WITH_READONLY, .text = above };

	(void)state;
	assert_int_equal(run(&f, &c, why), 0);
	assert_int_equal(map("top", 2048, "ro"), -EACCES);
	assert_says("read-only");
	assert_int_equal(run(&f, &top, why), 0);
	dm_reply_free(&c.reply);
	dm_reply_free(&top.reply);
}

static void on_linux_only_writes_to_what_is_read_only_fail(void **state)
{
	char text[] = "0 2048 linear memory,size=1M:below 0", above[] = "0 2048 linear ro 0";
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "ro", .flags = DM_WITH_READONLY, .text = text };
	struct dm_cmd top = { .verb = DM_DO_CREATE, .name = "top", .flags = DM_WITH_LINUX, .text = above };
	uint8_t data[512] = "x";
	struct dm_device *d;

	(void)state;
	assert_int_equal(run(&f, &c, why), 0);
	assert_int_equal(run(&f, &top, why), 0);
	dm_reply_free(&c.reply);
	dm_reply_free(&top.reply);
	d = dm_find_name(f.world, "top");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 1, data), -EROFS);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, data), 0);
	assert_int_equal(data[0], 0);
	dm_close(d);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(bad_words_get_a_sentence),
		CASE(a_name_is_one_memory),
		CASE(holes_are_pages_never_written),
		CASE(a_huge_one_is_cheap),
		CASE(a_mapped_device_has_many_names),
		CASE(what_is_no_mapped_device_is_said_so),
		CASE(a_name_that_is_a_file_too_is_ambiguous),
		CASE(a_read_only_device_is_read_only_above_too), CASE(on_linux_only_writes_to_what_is_read_only_fail),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
