/* SPDX-License-Identifier: BSD-2-Clause */
/* dust: what its messages say and do, and what reads and writes of bad blocks get. The kernel's documentation is what it follows. */
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

#define MANY 5000u

static struct fixture f;
static struct dm_device *d;

/* Blocks of 8 sectors; sector 0 of "it" is in the middle of block 2 of the disk. */
static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	d = make_device(&f, "it", "0 96 dust memory,size=1M:a 20 4096");
	dm_open(d);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(d);
	fixture_end(&f);
	return 0;
}

/* What the message answers, or the sentence of its failure. */
static const char *say(const char *message, int *code)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "it", .message = message };
	static char said[ERR_TEXT];
	char why[ERR_TEXT];

	*code = run(&f, &c, why);
	snprintf(said, sizeof(said), "%s", *code ? why : c.reply.said.s ? c.reply.said.s : "");
	dm_reply_free(&c.reply);
	return said;
}

static void tells(const char *message, const char *answer)
{
	int code;
	const char *said = say(message, &code);

	if (code || strcmp(said, answer))
		fail_msg("'%s' is answered with '%s' and not '%s'", message, said, answer);
}

static void refuses(const char *message, const char *part)
{
	int code;
	const char *why = say(message, &code);

	if (code != -EINVAL || !strstr(why, part))
		fail_msg("'%s' is refused with '%s', without '%s'", message, why, part);
}

static int io(enum dm_op op, uint64_t sector, uint64_t count)
{
	static uint8_t data[96 * 512];

	return request(&f, d, sector % 2, op, 0, sector, count, op == DM_READ || op == DM_WRITE ? data : NULL);
}

static void status_is(const char *words)
{
	char *now = rows(&f, DM_DO_STATUS, "it", 0), expected[128];

	snprintf(expected, sizeof(expected), "0 96 dust memory,size=1048576:a %s\n", words);
	assert_string_equal(now, expected);
	free(now);
}

static void messages_answer_as_documented(void **state)
{
	(void)state;
	tells("countbadblocks", "countbadblocks: 0 badblock(s) found");
	tells("clearbadblocks", "dust_clear_badblocks: no badblocks found");
	tells("listbadblocks", "");
	tells("addbadblock 2", "");
	tells("ADDBADBLOCK 1", "");
	tells("addbadblock 60 3", "");
	tells("countbadblocks", "countbadblocks: 3 badblock(s) found");
	tells("listbadblocks", "1\n2\n60\n");
	tells("queryblock 60", "dust_query_block: block 60 found in badblocklist");
	tells("queryblock 61", "dust_query_block: block 61 not found in badblocklist");
	tells("removebadblock 2", "");
	tells("listbadblocks", "1\n60\n");
	tells("addbadblock 2", "");
	tells("countbadblocks", "countbadblocks: 3 badblock(s) found");
	tells("clearbadblocks", "dust_clear_badblocks: badblocks cleared");
	tells("countbadblocks", "countbadblocks: 0 badblock(s) found");
	tells("listbadblocks", "");
}

static void messages_that_are_wrong_get_a_sentence(void **state)
{
	(void)state;
	tells("addbadblock 7", "");
	refuses("addbadblock 7", "block 7 is a bad block already");
	refuses("removebadblock 8", "block 8 is not a bad block");
	refuses("addbadblock", "addbadblock needs the number of a block, and may have");
	refuses("removebadblock", "removebadblock needs the number of a block and nothing else");
	refuses("removebadblock 7 1", "removebadblock needs the number of a block and nothing else");
	refuses("queryblock", "queryblock needs the number of a block");
	refuses("addbadblock 8 1 1", "addbadblock needs the number of a block");
	refuses("addbadblock x", "'x' is not the number of a block");
	refuses("addbadblock -1", "'-1' is not the number of a block");
	refuses("addbadblock 8 256", "'256' is not a number of writes that fail (0 to 255)");
	refuses("addbadblock 256", "block 256 is out of range: 'memory,size=1048576:a' has blocks 0 to 255 of 8 sectors");
	refuses("queryblock 18446744073709551615", "is out of range");
	refuses("enable now", "enable takes no arguments");
	refuses("nonsense", "'nonsense' is not a message of target dust: addbadblock, ");
	tells("listbadblocks", "7\n");
	status_is("bypass verbose");
}

static void status_says_what_is_enabled(void **state)
{
	(void)state;
	status_is("bypass verbose");
	tells("enable", "");
	status_is("fail_read_on_bad_block verbose");
	tells("quiet", "");
	status_is("fail_read_on_bad_block quiet");
	tells("disable", "");
	tells("disable", "");
	status_is("bypass quiet");
	tells("quiet", "");
	status_is("bypass verbose");
}

static void bad_blocks_matter_only_when_enabled(void **state)
{
	(void)state;
	tells("addbadblock 3", "");
	assert_int_equal(io(DM_READ, 0, 96), 0);
	assert_int_equal(io(DM_WRITE, 0, 96), 0);
	tells("countbadblocks", "countbadblocks: 1 badblock(s) found");
	tells("enable", "");
	assert_int_equal(io(DM_READ, 0, 96), -EIO);
	tells("disable", "");
	assert_int_equal(io(DM_READ, 0, 96), 0);
}

/* Block 3 is sectors 24 to 31 of the disk, 4 to 11 of the device. */
static void reads_fail_that_touch_a_bad_block(void **state)
{
	(void)state;
	tells("addbadblock 3", "");
	tells("enable", "");
	assert_int_equal(io(DM_READ, 0, 4), 0);
	assert_int_equal(io(DM_READ, 3, 2), -EIO);
	assert_int_equal(io(DM_READ, 4, 1), -EIO);
	assert_int_equal(io(DM_READ, 11, 1), -EIO);
	assert_int_equal(io(DM_READ, 11, 40), -EIO);
	assert_int_equal(io(DM_READ, 12, 84), 0);
	tells("countbadblocks", "countbadblocks: 1 badblock(s) found");
	tells("removebadblock 3", "");
	assert_int_equal(io(DM_READ, 0, 96), 0);
}

static void a_write_makes_a_block_good(void **state)
{
	(void)state;
	tells("addbadblock 3", "");
	tells("addbadblock 5", "");
	tells("addbadblock 9", "");
	tells("enable", "");
	assert_int_equal(io(DM_WRITE, 5, 1), 0);
	tells("listbadblocks", "5\n9\n");
	assert_int_equal(io(DM_READ, 4, 8), 0);
	assert_int_equal(io(DM_DISCARD, 0, 48), 0);
	tells("listbadblocks", "9\n");
	assert_int_equal(io(DM_ZEROES, 0, 96), 0);
	tells("listbadblocks", "");
	tells("addbadblock 3", "");
	assert_int_equal(io(DM_READ, 4, 8), -EIO);
}

/* The first writes fail, and all that lies beside the block is written. */
static void as_many_writes_fail_as_was_said(void **state)
{
	uint8_t data[96 * 512], got[512];

	(void)state;
	tells("addbadblock 3 2", "");
	tells("enable", "");
	memset(data, 7, sizeof(data));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 96, data), -EIO);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 3, 1, got), 0);
	assert_int_equal(got[0], 7);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 12, 1, got), 0);
	assert_int_equal(got[0], 7);
	assert_int_equal(io(DM_WRITE, 4, 1), -EIO);
	assert_int_equal(io(DM_READ, 4, 1), -EIO);
	tells("countbadblocks", "countbadblocks: 1 badblock(s) found");
	tells("disable", "");
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 4, 1, got), 0);
	assert_int_equal(got[0], 0);
	tells("enable", "");
	assert_int_equal(io(DM_WRITE, 4, 1), 0);
	assert_int_equal(io(DM_READ, 4, 1), 0);
	tells("countbadblocks", "countbadblocks: 0 badblock(s) found");
}

static void the_error_names_the_block(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_STATUS, .name = "it" };

	(void)state;
	tells("addbadblock 3", "");
	tells("enable", "");
	assert_int_equal(io(DM_READ, 0, 96), -EIO);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_non_null(strstr(c.reply.warnings.s, "block 3 is one of the bad blocks of target dust"));
	dm_reply_free(&c.reply);
}

static void a_bad_block_is_no_hole(void **state)
{
	struct job j;

	(void)state;
	tells("enable", "");
	job_start(&f, &j, d, 0, DM_EXTENT, 0, 0, 96, NULL);
	assert_int_equal(job_wait(&j), 0);
	assert_true(j.req.flags & DM_HOLE);
	tells("addbadblock 3", "");
	job_start(&f, &j, d, 0, DM_EXTENT, 0, 0, 96, NULL);
	assert_int_equal(job_wait(&j), 0);
	assert_false(j.req.flags & (DM_HOLE | DM_ZERO));
}

static void a_new_table_knows_no_bad_blocks(void **state)
{
	(void)state;
	tells("addbadblock 3", "");
	tells("enable", "");
	assert_int_equal(reload(&f, "it", "0 96 dust memory,size=1M:a 20 4096", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "it", 0, NULL), 0);
	status_is("bypass verbose");
	tells("countbadblocks", "countbadblocks: 0 badblock(s) found");
}

static uint32_t next_random(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)*seed * below) >> 32);
}

/* Blocks come and go in any order, and are written to; a plain array says what is right. */
static void many_blocks_come_and_go(void **state)
{
	static bool bad[200];
	uint32_t seed = 1, i, block, n = 0;
	char message[64];

	(void)state;
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "it", 0, NULL), 0);
	d = make_device(&f, "it", "0 200 dust memory,size=1M:a 0 512");
	dm_open(d);
	tells("enable", "");
	tells("quiet", "");
	for (i = 0; i < MANY; i++) {
		block = next_random(&seed, 200);
		if (next_random(&seed, 3) == 0) {
			assert_int_equal(io(DM_WRITE, block, 1), 0);
			n -= bad[block];
			bad[block] = false;
			continue;
		}
		assert_int_equal(io(DM_READ, block, 1), bad[block] ? -EIO : 0);
		snprintf(message, sizeof(message), "%s %u", bad[block] ? "removebadblock" : "addbadblock", block);
		tells(message, "");
		bad[block] = !bad[block];
		n += bad[block] ? 1u : -1u;
	}
	snprintf(message, sizeof(message), "countbadblocks: %u badblock(s) found", n);
	tells("countbadblocks", message);
}

/* Io threads write to the blocks that messages add; nothing is lost or found twice. */
static void messages_and_requests_do_not_disturb_each_other(void **state)
{
	static struct job jobs[96];
	static uint8_t data[96][512];
	char message[64];
	unsigned round, i;
	int code;

	(void)state;
	tells("enable", "");
	tells("quiet", "");
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 96; i++)
			job_start(&f, &jobs[i], d, i % 2, i % 3 ? DM_WRITE : DM_READ, 0, i, 1, data[i]);
		for (i = 3; i < 14; i++) {
			snprintf(message, sizeof(message), "addbadblock %u", i);
			say(message, &code);	/* it may be bad still */
		}
		for (i = 0; i < 96; i++)
			job_wait(&jobs[i]);
	}
	assert_int_equal(io(DM_WRITE, 0, 96), 0);
	tells("countbadblocks", "countbadblocks: 0 badblock(s) found");
}

static void wrong_words_get_a_sentence(void **state)
{
	static const struct { const char *line, *says; } rows[] = {
		{ "0 96 dust memory,size=1M:a 0 256", "word 3 <block size>: 256 is out of range: 512 to 1073741824" },
		{ "0 96 dust memory,size=1M:a 0 1536", "word 3 <block size>: 1536 bytes are not a power of 2" },
		{ "0 96 dust memory,size=1M:a 0 65536", "word 3 <block size>: 65536 bytes are more than the line's 96 sectors" },
		{ "0 96 dust memory,size=1M:a 0", "word 3 <block size>: it is missing" },
		{ "0 96 dust memory,size=1M:a 0 512 1", "word 4 '1' is one too many" },
	};
	char why[ERR_TEXT];
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(create(&f, "other", rows[i].line, why), -EINVAL);
		if (!strstr(why, rows[i].says))
			fail_msg("'%s': %s", rows[i].line, why);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_answer_as_documented),
		TEST(messages_that_are_wrong_get_a_sentence),
		TEST(status_says_what_is_enabled),
		TEST(bad_blocks_matter_only_when_enabled),
		TEST(reads_fail_that_touch_a_bad_block),
		TEST(a_write_makes_a_block_good),
		TEST(as_many_writes_fail_as_was_said),
		TEST(the_error_names_the_block),
		TEST(a_bad_block_is_no_hole),
		TEST(a_new_table_knows_no_bad_blocks),
		TEST(many_blocks_come_and_go),
		TEST(messages_and_requests_do_not_disturb_each_other),
		TEST(wrong_words_get_a_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dust", tests, NULL, NULL);
}
