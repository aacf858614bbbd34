/* SPDX-License-Identifier: BSD-2-Clause */
/* switch: where each region goes, at first and after messages; messages that are wrong change nothing. */
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

#define PATHS 300u		/* more than 8 bits hold */
#define REGIONS 700u

static struct fixture f;
static struct dm_device *d;
static char why[ERR_TEXT];

static int begin(void **state)
{
	(void)state;
	d = NULL;
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (d)
		dm_close(d);
	fixture_end(&f);
	return 0;
}

/* PATHS paths to the same disk, so that path p of region r is sector p * REGIONS + r there, which says p. */
static void make(unsigned paths)
{
	static uint8_t sector[512];
	char line[16384], *at = line;
	struct dm_device *below;
	unsigned p, r, step = paths > 4 ? REGIONS - 1 : 1;	/* of many paths the edges will do */

	snprintf(line, sizeof(line), "0 %u linear memory,size=128M:a 0", PATHS * REGIONS);
	below = make_device(&f, "below", line);
	dm_open(below);
	for (p = 0; p < paths; p++)
		for (r = 0; r < REGIONS; r += step) {
			memcpy(sector, &p, sizeof(p));
			assert_int_equal(request(&f, below, 0, DM_WRITE, 0, p * REGIONS + r, 1, sector), 0);
		}
	dm_close(below);
	at += sprintf(at, "0 %u switch %u 1 0", REGIONS, paths);
	for (p = 0; p < paths; p++)
		at += sprintf(at, " /dev/mapper/below %u", p * REGIONS);
	d = make_device(&f, "it", line);
	dm_open(d);
}

static unsigned path_of(unsigned region)
{
	uint8_t sector[512];
	unsigned p;

	assert_int_equal(request(&f, d, region % 2, DM_READ, 0, region, 1, sector), 0);
	memcpy(&p, sector, sizeof(p));
	return p;
}

static int say(const char *message)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "it", .message = message };
	int r = run(&f, &c, why);

	dm_reply_free(&c.reply);
	return r;
}

static void paths_are(unsigned first, const char *digits)
{
	for (; *digits; digits++, first++)
		assert_int_equal(path_of(first), *digits - '0');
}

static void the_paths_take_turns_at_first(void **state)
{
	(void)state;
	make(3);
	paths_are(0, "012012012012");
	paths_are(690, "0120120120");
}

static void a_message_maps_regions(void **state)
{
	(void)state;
	make(3);
	assert_int_equal(say("set_region_mappings 0:0 :1 :2 :0 :1 :2 :1"), 0);
	paths_are(0, "0120121");
	paths_are(7, "12012");
	assert_int_equal(say("set_region_mappings 10:1 :2 R2,10"), 0);
	paths_are(15, "0121212121212121212");
	paths_are(34, "120");
	assert_int_equal(say("set_region_mappings 2bb:2"), 0);
	paths_are(698, "22");
}

/* Paths of 9 bits, neighbours in one word: what is set for one leaves the others as they were. */
static void hundreds_of_paths_keep_apart(void **state)
{
	(void)state;
	make(PATHS);
	assert_int_equal(path_of(0), 0);
	assert_int_equal(path_of(REGIONS - 1), (REGIONS - 1) % PATHS);
	assert_int_equal(say("set_region_mappings 0:12b 2bb:0"), 0);
	assert_int_equal(path_of(0), 299);
	assert_int_equal(path_of(REGIONS - 1), 0);
	assert_int_equal(say("set_region_mappings 0:1 :12b :12b :12b 0:100"), 0);
	assert_int_equal(path_of(0), 256);
	assert_int_equal(say("set_region_mappings 1:0 :0 2bb:12b 2ba:7"), 0);
	assert_int_equal(path_of(0), 256);
	assert_int_equal(path_of(REGIONS - 1), 299);
}

/* All regions in one message, which has far more words than a command line usually has. */
static void a_message_has_as_many_words_as_it_likes(void **state)
{
	char message[8 * REGIONS], *at = message + sprintf(message, "set_region_mappings 0:2");
	unsigned r;

	(void)state;
	make(3);
	for (r = 1; r < REGIONS; r++)
		at += sprintf(at, " :%u", r / 7 % 3);
	assert_int_equal(say(message), 0);
	for (r = 1; r < REGIONS; r++)
		assert_int_equal(path_of(r), r / 7 % 3);
}

static void a_message_that_is_refused_changes_nothing(void **state)
{
	static const struct { const char *words, *says; } rows[] = {
		{ "0:2 1:0 x", "'x' is neither <region>:<path> nor :<path> nor R<mappings>,<times>" },
		{ "0:2 :", "':' is neither" },
		{ "0:2 1", "'1' is neither" },
		{ "0:2 0x1:0", "'0x1:0' is neither" },
		{ "0:2 1:-1", "'1:-1' is neither" },
		{ "0:2 1: 0", "'1:' is neither" },
		{ "0:2 1:10000000000000000", "'1:10000000000000000' is neither" },
		{ "0:2 1:3", "path 3 is out of range: there are paths 0 to 2" },
		{ "0:2 2bc:0", "region 2bc is out of range: there are regions 0 to 2bb" },
		{ "0:2 2bb:0 :0", "region 2bc is out of range" },
		{ "0:2 R", "'R' is neither" },
		{ "0:2 R1", "'R1' is neither" },
		{ "0:2 R1,", "'R1,' is neither" },
		{ "0:2 R,1", "'R,1' is neither" },
		{ "0:2 R1,2,3", "'R1,2,3' is neither" },
		{ "0:2 R0,1", "'R0,1': there are no 0 mappings up to region 0" },
		{ "0:2 R2,1", "'R2,1': there are no 2 mappings up to region 0" },
		{ "0:2 R1,2bc", "region 2bc is out of range" },
		{ "1:2 R1,ffffffffffffffff", "region ffffffffffffffff is out of range" },
	};
	char message[128];
	unsigned i;

	(void)state;
	make(3);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(message, sizeof(message), "set_region_mappings %s", rows[i].words);
		assert_int_equal(say(message), -EINVAL);
		if (!strstr(why, rows[i].says))
			fail_msg("'%s': %s", rows[i].words, why);
		paths_are(0, "0120");
	}
	assert_int_equal(say("nonsense 0:2"), -EINVAL);
	assert_non_null(strstr(why, "'nonsense' is not a message of target switch: set_region_mappings"));
}

static void wrong_words_get_a_sentence(void **state)
{
	static const struct { const char *line, *says; } rows[] = {
		{ "0 700 switch 0 1 0", "word 1 <#paths>: 0 is out of range: 1 to 65535" },
		{ "0 700 switch 1 0 0 /dev/mapper/below 0", "word 2 <region size>: 0 is out of range" },
		{ "0 700 switch 1 1 1 /dev/mapper/below 0", "word 3 <#optional words>: 1 is out of range: 0 to 0" },
		{ "0 700 switch 2 1 0 /dev/mapper/below 0", "2 paths need 4 words <device> <offset>, but there are 2" },
		{ "0 700 switch 1 1 0 /dev/mapper/below 0 /dev/mapper/below 0", "1 paths need 2 words" },
		{ "0 700 switch 1 1 0 /dev/mapper/below 209301", "700 sectors from 209301 do not fit: " },
	};
	unsigned i;

	(void)state;
	make(3);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(create(&f, "other", rows[i].line, why), -EINVAL);
		if (!strstr(why, rows[i].says))
			fail_msg("'%s': %s", rows[i].line, why);
	}
}

/* Not with what an allocator makes of it, which may be the end. */
static void more_regions_than_memory_can_have_are_refused(void **state)
{
	(void)state;
	assert_int_equal(create(&f, "huge", "0 18014398509481983 zero", NULL), 0);
	assert_int_equal(create(&f, "it", "0 18014398509481983 switch 2 1 0 /dev/mapper/huge 0 /dev/mapper/huge 0", why), -EINVAL);
	assert_non_null(strstr(why, "no memory for 18014398509481983 regions"));
}

/* Bytes of this process that are in memory. */
static size_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	size_t size, pages;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%zu %zu", &size, &pages), 2);
	fclose(file);
	return pages * 4096;
}

/* A map of 2^30 regions is 128 MiB; what no message has set takes none of it. */
static void a_region_takes_memory_when_it_is_set(void **state)
{
	static uint8_t sector[512];
	char line[96];
	size_t before;

	(void)state;
	assert_int_equal(create(&f, "huge", "0 1073741824 zero", NULL), 0);
	before = resident();
	snprintf(line, sizeof(line), "0 1073741824 switch 2 1 0 /dev/mapper/huge 0 /dev/mapper/huge 0");
	d = make_device(&f, "it", line);
	dm_open(d);
	assert_int_equal(say("set_region_mappings 3fffffff:0"), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 1073741823, 1, sector), 0);
#ifndef __SANITIZE_THREAD__	/* it clears what is allocated by writing to it */
	assert_true(resident() < before + (64u << 20));
#else
	(void)before;
#endif
}

/* Else one message would keep all others waiting. */
static void a_message_repeats_for_some_regions_only(void **state)
{
	char line[128];

	(void)state;
	assert_int_equal(create(&f, "huge", "0 1073741824 zero", NULL), 0);
	snprintf(line, sizeof(line), "0 1073741824 switch 2 1 0 /dev/mapper/huge 0 /dev/mapper/huge 0");
	d = make_device(&f, "it", line);
	dm_open(d);
	assert_int_equal(say("set_region_mappings 0:1 R1,400000"), 0);
	assert_int_equal(say("set_region_mappings 0:1 R1,400001"), -E2BIG);
	assert_non_null(strstr(why, "'R1,400001': one message repeats mappings for at most 400000 regions"));
	assert_int_equal(say("set_region_mappings 0:1 R1,200000 R1,200001"), -E2BIG);
	assert_int_equal(say("set_region_mappings 0:1 R1,3ffffffe"), -E2BIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_paths_take_turns_at_first),
		TEST(a_message_maps_regions),
		TEST(hundreds_of_paths_keep_apart),
		TEST(a_message_has_as_many_words_as_it_likes),
		TEST(a_message_that_is_refused_changes_nothing),
		TEST(wrong_words_get_a_sentence),
		TEST(more_regions_than_memory_can_have_are_refused),
		TEST(a_region_takes_memory_when_it_is_set),
		TEST(a_message_repeats_for_some_regions_only),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("switch", tests, NULL, NULL);
}
