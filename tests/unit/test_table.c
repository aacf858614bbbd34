/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables as a whole: order, gaps, overflows, blocks, comments, words; how requests are split and stacked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/table/build.h"
#include "support/world.h"

static struct fixture f;
static char why[ERR_TEXT];

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 1, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	return 0;
}

struct refusal {
	const char *table;
	int code;
	const char *sentence;	/* a part of it */
};

static void what_is_wrong_with_a_table_is_said(void **state)
{
	static const struct refusal bad[] = {
		{ "", -EINVAL, "the table is empty" },
		{ "# nothing\n\n", -EINVAL, "the table is empty" },
		{ "1 8 zero", -EINVAL, "table line 1: zero: a table begins at sector 0, not at 1" },
		{ "0 8 zero\n9 8 zero", -EINVAL, "table line 2: zero: a gap: the line before it ends at sector 8 and this one starts at 9" },
		{ "0 8 zero\n7 8 zero", -EINVAL, "table line 2: zero: an overlap" },
		{ "8 8 zero\n0 8 zero", -EINVAL, "table line 1" },
		{ "0 0 zero", -EINVAL, "its length is 0 sectors" },
		{ "0 18446744073709551615 zero", -EINVAL, "beyond the last sector" },
		{ "0 18446744073709551616 zero", -EINVAL, "table line 1: the length '18446744073709551616' is larger than 64 bits" },
		{ "0 8 zero\n8 36028797018963968 zero", -EINVAL, "table line 2" },
		{ "0", -EINVAL, "the length is missing" },
		{ "0 8", -EINVAL, "the target is missing" },
		{ "x 8 zero", -EINVAL, "the start 'x' is not a number" },
		{ "0 8K zero", -EINVAL, "the length '8K' is not a number" },
		{ "0 8 nosuch 1 2", -ENOPKG, "table line 1: unknown target 'nosuch'; there are: linear, striped, zero, error" },
		{ "0 8 thin-pool", -ENOPKG, "(Linux has that one; dmuse lacks it)" },
		{ "0 8 zero 1", -EINVAL, "table line 1: zero: word 1 '1' is one too many" },
		{ "0 8 linear", -EINVAL, "word 1 <device>: it is missing" },
		{ "0 8 linear memory,size=1M:m", -EINVAL, "word 2 <offset>: it is missing" },
		{ "0 8 linear memory,size=1M:m 2048", -EINVAL, "8 sectors from 2048 do not fit: " },
		{ "0 8 linear memory,size=1M:m 2041", -EINVAL, "do not fit" },
		{ "0 8 linear memory,size=1M:m 18446744073709551615", -EINVAL, "do not fit" },
		{ "0 8 linear memory,size=1M:m 0 x", -EINVAL, "word 3 'x' is one too many" },
		{ "0 8 linear 'memory,size=1M:m 0", -EINVAL, "a quote is not closed" },
		{ "0 8 linear /no/such/dir/file 0", -ENOENT, "table line 1: linear <device> <offset>: word 1 <device>: " },
		{ "0 9 linear memory,size=1M,logical=4096:m 0", -EINVAL, "must be multiples of 8 sectors" },
		{ "0 8 linear memory,size=1M,logical=4096:m 1", -EINVAL, "must be multiples of 8 sectors" },
		{ "0 9 zero\n9 8 linear memory,size=1M,logical=4096:m 0", -EINVAL, "table line 1: zero: its length of 9 sectors is not a multiple of 8" },
		{ "0 96 striped 0 8", -EINVAL, "word 1 <#stripes>: 0 is out of range" },
		{ "0 96 striped 3 0 memory,size=1M:a 0", -EINVAL, "word 2 <chunk>: 0 is out of range" },
		{ "0 96 striped 2 8 memory,size=1M:a 0", -EINVAL, "2 stripes need 4 words <device> <offset> after it, but there are 2" },
		{ "0 97 striped 2 8 memory,size=1M:a 0 memory,size=1M:b 0", -EINVAL, "97 sectors cannot be divided evenly among 2 stripes" },
		{ "0 98 striped 2 8 memory,size=1M:a 0 memory,size=1M:b 0", -EINVAL, "not a multiple of the chunk size 8" },
		{ "0 32 striped 2 4 memory,size=1M:a 0 memory,size=1M,logical=4096:b 0", -EINVAL, "its chunks of 4 sectors are not a multiple of 8: one of its devices has blocks of 4096 bytes" },
		{ "0 48 striped 2 12 memory,size=1M:a 0 memory,size=1M,logical=4096:b 0", -EINVAL, "its chunks of 12 sectors" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int r = create(&f, "x", bad[i].table, why);

		if (r != bad[i].code || !strstr(why, bad[i].sentence))
			fail_msg("%s: %d, %s", bad[i].table, r, why);
	}
	assert_int_equal(f.world->n_devices, 0);
	assert_true(list_empty(&f.world->stores));
}

static void comments_blanks_and_returns_are_fine(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(create(&f, "x", "# a comment\n\n  0   8\tzero \r\n\t8 8 error memory 5 6\n", why), 0);
	text = rows(&f, DM_DO_TABLE, "x", 0);
	assert_string_equal(text, "0 8 zero\n8 8 error\n");
	free(text);
}

static void sizes_are_for_those_who_ask(void **state)
{
	char table[] = "0 64K linear memory,size=1M:m 4K";
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "x", .text = table, .flags = DM_WITH_SIZES };
	char *text;

	(void)state;
	assert_int_equal(run(&f, &c, why), 0);
	dm_reply_free(&c.reply);
	text = rows(&f, DM_DO_TABLE, "x", 0);
	assert_string_equal(text, "0 128 linear memory,size=1048576:m 8\n");
	free(text);
}

static void check_explains_and_touches_nothing(void **state)
{
	char table[] = "0 8 zero\n8 8 linear memory,size=1M:m 16";
	struct dm_cmd c = { .verb = DM_DO_CHECK, .text = table };

	(void)state;
	assert_int_equal(run(&f, &c, why), 0);
	assert_int_equal(c.reply.n, 2);
	assert_string_equal(c.reply.rows[0].params, "sectors 0 to 7 (4 KiB): zero");
	assert_non_null(strstr(c.reply.rows[1].params, "sectors 8 to 15 (4 KiB): linear on "));
	assert_non_null(strstr(c.reply.rows[1].params, "sectors 16 to 23 of 2048"));
	dm_reply_free(&c.reply);
	assert_int_equal(f.world->n_devices, 0);
	assert_true(list_empty(&f.world->stores));
}

static void every_sector_finds_its_line(void **state)
{
	struct text t = TEXT_INIT;
	struct dm_device *d;
	uint64_t at = 0, sector;
	size_t i;

	(void)state;
	for (i = 0; i < 100; i++) {
		text_printf(&t, "%llu %zu zero\n", (unsigned long long)at, 1 + i % 7);
		at += 1 + i % 7;
	}
	assert_int_equal(create(&f, "x", t.s, why), 0);
	text_free(&t);
	d = dm_find_name(f.world, "x");
	assert_int_equal(d->active->n, 100);
	for (sector = 0; sector < at; sector++) {
		const struct dm_target *line = &d->active->targets[dm_table_find(d->active, sector)];

		assert_true(sector >= line->start && sector < line->start + line->len);
	}
}

static void a_stack_of_twelve_still_reaches_the_disk(void **state)
{
	char name[16], table[64];
	uint8_t data[512], back[512];
	struct dm_device *d;
	int i;

	(void)state;
	create(&f, "d0", "0 64 linear memory,size=64K:m 64", why);
	for (i = 1; i <= 12; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		snprintf(table, sizeof(table), "0 64 linear /dev/mapper/d%d 0", i - 1);
		assert_int_equal(create(&f, name, table, why), 0);
	}
	d = dm_find_name(f.world, "d12");
	dm_open(d);
	memset(data, 7, sizeof(data));
	assert_int_equal(request(&f, d, 0, DM_WRITE, DM_FUA, 5, 1, data), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 5, 1, back), 0);
	assert_memory_equal(data, back, 512);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	dm_close(d);
	d = dm_find_name(f.world, "d0");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 5, 1, back), 0);
	assert_memory_equal(data, back, 512);
	dm_close(d);
}

/* The gate's destructor checks that (support/world.c). */
static void small_private_parts_move_with_their_lines(void **state)
{
	(void)state;
	assert_int_equal(create(&f, "x", "0 8 gate\n8 8 gate\n16 8 gate\n24 8 gate\n32 8 gate\n40 8 gate", why), 0);
	assert_int_equal(create(&f, "y", "0 8 gate\n8 8 gate\n16 8 gate\n24 8 gate\n32 8 gate\n40 8 gate x", why), -EINVAL);
}

/* Both slots of each device, and two lines in each, lead down: following every way would take years. */
static void a_ladder_of_forty_is_climbed_once(void **state)
{
	struct dm_device *d;
	char name[16], table[128];
	int i;

	(void)state;
	for (i = 0; i <= 40; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		snprintf(table, sizeof(table), "0 32 linear /dev/mapper/d%d 0\n32 32 linear /dev/mapper/e%d 0", i - 1, i - 1);
		if (i == 0)
			strcpy(table, "0 64 linear memory,size=64K:m 64");
		assert_int_equal(create(&f, name, table, why), 0);
		assert_int_equal(reload(&f, name, table, why), 0);
		name[0] = 'e';
		assert_int_equal(create(&f, name, table, why), 0);
	}
	assert_int_equal(reload(&f, "d0", "0 64 linear /dev/mapper/d40 0", why), -EINVAL);
	assert_non_null(strstr(why, "'d40' leads back to it"));
	d = dm_find_name(f.world, "d40");
	dm_open(d);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d40", 0, why), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d40", 0, why), -EBUSY);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d0", 0, why), -EBUSY);
	dm_close(d);
}

static void striped_deals_chunks_in_turn(void **state)
{
	static uint8_t data[96 * 512], leg[64 * 512];
	struct dm_device *d, *l;
	unsigned i;

	(void)state;
	create(&f, "s", "0 96 striped 3 8 memory,size=64K:a 0 memory,size=64K:b 16 memory,size=64K:c 32", why);
	create(&f, "b", "0 64 linear memory:b 0", why);
	for (i = 0; i < 96; i++)
		memset(&data[i * 512], (int)i, 512);
	d = dm_find_name(f.world, "s");
	l = dm_find_name(f.world, "b");
	dm_open(d);
	dm_open(l);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 96, data), 0);
	assert_int_equal(request(&f, l, 0, DM_READ, 0, 0, 64, leg), 0);
	for (i = 0; i < 32; i++)	/* chunks 1, 4, 7 and 10 are on the second leg */
		assert_int_equal(leg[(16 + i) * 512], (1 + 3 * (i / 8)) * 8 + i % 8);
	assert_int_equal(leg[15 * 512], 0);
	assert_int_equal(leg[48 * 512], 0);
	/* A long discard reaches each leg as one range, and no other sector. */
	assert_int_equal(request(&f, d, 0, DM_ZEROES, 0, 9, 30, NULL), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 96, data), 0);
	for (i = 0; i < 96; i++)
		assert_int_equal(data[i * 512], i >= 9 && i < 39 ? 0 : i);
	dm_close(d);
	dm_close(l);
}

static void a_device_without_a_table_fails_io(void **state)
{
	uint8_t data[512];
	struct dm_device *d;

	(void)state;
	verb(&f, DM_DO_CREATE, "d", 0, NULL);
	d = dm_find_name(f.world, "d");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, data), -EIO);
	dm_close(d);
}

static void four_kilobyte_blocks_are_kept(void **state)
{
	static uint8_t data[8 * 512];
	struct dm_device *d;

	(void)state;
	assert_int_equal(create(&f, "d", "0 64 linear memory,size=64K,logical=4096:m 0", why), 0);
	d = dm_find_name(f.world, "d");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 8, 8, data), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 8, 4, data), -EINVAL);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 1, 8, data), -EINVAL);
	dm_close(d);
}

/* Also of one that was refused before it was known that there is a key in it. */
static void no_line_is_left_in_memory(void **state)
{
	struct dm_build_opts o = { .cwd = "/" };
	struct err e = ERR_INIT;
	struct dm_table *table;
	struct dm_build *b;

	(void)state;
	assert_int_equal(dm_build_begin(&b, f.world, &o, &e), 0);
	assert_int_not_equal(dm_build_line(b, 0, 8, "integrity", "nowhere x - J 1 internal_hash:hmac(sha256):5ec2e75ec2e75ec2"), 0);
	assert_non_null(dm_build_scratch(b, "", 0));
	assert_null(memmem(b->scratch.s, b->scratch.room, "5ec2e7", strlen("5ec2e7")));
	dm_build_end(b, &table);
	assert_null(table);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_wrong_with_a_table_is_said),
		CASE(comments_blanks_and_returns_are_fine),
		CASE(sizes_are_for_those_who_ask),
		CASE(check_explains_and_touches_nothing),
		CASE(every_sector_finds_its_line),
		CASE(a_stack_of_twelve_still_reaches_the_disk),
		CASE(small_private_parts_move_with_their_lines),
		CASE(a_ladder_of_forty_is_climbed_once),
		CASE(striped_deals_chunks_in_turn),
		CASE(a_device_without_a_table_fails_io),
		CASE(four_kilobyte_blocks_are_kept),
		CASE(no_line_is_left_in_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
