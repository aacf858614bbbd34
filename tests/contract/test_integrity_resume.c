/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * integrity: what a line makes of the disks when it is resumed: recalculating that goes on, a device that has grown, a bitmap or a
 * superblock that is damaged, and mode R, which writes nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "core/device/device.h"
#include "targets/integrity/journal.h"

#define KEY "00112233445566778899aabbccddeeff"
#define SECTORS 512u
#define HMAC "B 4 internal_hash:hmac(sha256):" KEY " meta_device:disk:1 journal_sectors:300 sectors_per_bit:8"
#define CRC "4 internal_hash:crc32c meta_device:disk:1 journal_sectors:300 sectors_per_bit:8"

static struct fixture f;
static struct dm_device *d;
static uint8_t data[SECTORS][512], seen[SECTORS][512];

static void begin(const char *below)
{
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 1, AIO_AUTO);
	make_device(&f, "below", below);
}

static const char *words_of(unsigned sectors, const char *rest)
{
	static char line[512];

	snprintf(line, sizeof(line), "0 %u integrity device:below 0 - %s", sectors, rest);
	return line;
}

static void open_line(const char *below, unsigned sectors, const char *rest)
{
	begin(below);
	d = make_device(&f, "d", words_of(sectors, rest));
	dm_open(d);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n >= k && !strcmp(text + n - k, end);
}

static void wait_for(const char *end)
{
	for (;;) {
		char *text = rows(&f, DM_DO_STATUS, "d", 0);
		bool is_there = ends_with(text, end);

		free(text);
		if (is_there)
			return;
		settle_threads(&f);
	}
}

static void all_is_read(unsigned sectors)
{
	memset(seen, 0x77, sizeof(seen));
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, sectors, seen), 0);
	assert_memory_equal(seen, data, sectors * 512);
}

/* Mode B was not closed, with all bits set of SECTORS sectors; REST: mode and options. */
static void make_unclean(unsigned sectors, const char *rest)
{
	char below[64];

	disk_reset();
	snprintf(below, sizeof(below), "0 %u linear disk:0 0", sectors);
	open_line(below, sectors, rest);
	memset(data, 'u', sizeof(data));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, sectors, data), 0);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	disk_crash(&f, d);
}

/* --- recalculating goes on --------------------------------------------------------------------------------------------------- */

#define HALF "0 256 linear disk:0 0\n256 256 error"

static void below_is(const char *table)
{
	assert_int_equal(reload(&f, "below", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "below", 0, NULL), 0);
}

/* What a line recalculates after a crash goes on when it is resumed, also with a key, by which it could not be begun from outside. */
static void a_suspend_does_not_end_it(void **state)
{
	char why[ERR_TEXT] = "";

	(void)state;
	make_unclean(SECTORS, HMAC);
	open_line(HALF, SECTORS, HMAC);
	wait_for(" 256\n");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	below_is("0 512 linear disk:0 0");
	if (verb(&f, DM_DO_RESUME, "d", 0, why))
		fail_msg("%s", why);
	wait_for(" 512\n");
	all_is_read(SECTORS);
	disk_world_end(&f, d);
}

static struct dm_target *line_of(struct dm_device *of)
{
	return of->active ? &of->active->targets[0] : &of->inactive->targets[0];
}

/* Nor does another program that takes the line over; but a line that is loaded later does not begin what it finds. */
static void a_hand_over_does_not_end_it(void **state)
{
	struct text saved = TEXT_INIT;
	char why[ERR_TEXT] = "";
	struct dm_target *t;

	(void)state;
	make_unclean(SECTORS, HMAC);
	open_line(HALF, SECTORS, HMAC);
	wait_for(" 256\n");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	t = line_of(d);
	assert_non_null(t->type->save);
	assert_int_equal(t->type->save(t, true, &saved, NULL), 0);
	disk_world_end(&f, d);
	begin("0 512 linear disk:0 0");
	assert_int_equal(create(&f, "d", words_of(SECTORS, HMAC), why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "legacy_recalculate"));
	assert_int_equal(verb(&f, DM_DO_CREATE, "d", 0, NULL), 0);
	assert_int_equal(reload(&f, "d", words_of(SECTORS, HMAC), NULL), 0);
	d = dm_find_name(f.world, "d");
	dm_open(d);
	t = line_of(d);
	assert_int_equal(t->type->restore(t, saved.s, saved.len, NULL), 0);
	if (verb(&f, DM_DO_RESUME, "d", 0, why))
		fail_msg("%s", why);
	wait_for(" 512\n");
	all_is_read(SECTORS);
	disk_world_end(&f, d);
	text_free(&saved);
}

/* --- what is found on the disks ---------------------------------------------------------------------------------------------- */

/* It was not closed, and grows: what is new has no tags, so they are computed. */
static void an_unclean_device_may_grow(void **state)
{
	(void)state;
	make_unclean(256, "B " CRC);
	memset(data[256], 0, 256 * 512);
	open_line("0 512 linear disk:0 0", SECTORS, "B " CRC);
	all_is_read(SECTORS);
	wait_for(" 512\n");
	all_is_read(SECTORS);
	disk_world_end(&f, d);
}

/* Bits that stand for another number of sectors say nothing: all tags are computed, whatever the number is. */
static void a_bitmap_of_another_measure_is_not_looked_at(void **state)
{
	static const uint8_t log2[] = { 0, 4, 31, 55, 56, 200, 255 };
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(log2); i++) {
		make_unclean(SECTORS, "B " CRC);
		disk_bytes(1)[29] = log2[i];
		open_line("0 512 linear disk:0 0", SECTORS, "J " CRC);
		wait_for(" 512\n");
		all_is_read(SECTORS);
		disk_world_end(&f, d);
	}
}

/* Recalculating begins at a block, also if the superblock says something else. */
static void a_block_is_recalculated_as_a_whole(void **state)
{
	static const char words[] = "D 4 internal_hash:crc32c meta_device:disk:1 journal_sectors:300 block_size:4096";

	(void)state;
	disk_reset();
	open_line("0 512 linear disk:0 0", SECTORS, words);
	disk_world_end(&f, d);
	memset(data, 'b', sizeof(data));
	memcpy(disk_bytes(0), data, sizeof(data));
	disk_bytes(1)[24] |= IFORMAT_RECALCULATING;
	disk_bytes(1)[32] = 3;
	open_line("0 512 linear disk:0 0", SECTORS, words);
	wait_for(" 512\n");
	all_is_read(SECTORS);
	disk_world_end(&f, d);
}

/* A hole is no journal, however long the superblock says that it is: only its first section is read. */
static void a_hole_is_refused_at_its_first_section(void **state)
{
	static const char words[] = "J 2 internal_hash:crc32c meta_device:device:meta";
	struct iformat at = { .meta = true, .data_sectors = SECTORS, .meta_sectors = 1 << 20, .log2_buffer = 7 };
	char why[ERR_TEXT] = "", meta[128];
	struct iformat_sb sb;
	struct iformat_new n = { .block = 1, .tag_size = 4, .journal_sectors = 1 << 19 };

	(void)state;
	disk_reset();
	assert_int_equal(iformat_make(&at, &sb, &n, NULL), 0);
	iformat_sb_write(&sb, disk_bytes(1));
	begin("0 512 linear disk:0 0");
	snprintf(meta, sizeof(meta), "0 %u linear disk:1 0\n%u %u error", 8 + at.section_sectors, 8 + at.section_sectors,
		 (1u << 20) - 8 - at.section_sectors);
	make_device(&f, "meta", meta);
	assert_int_equal(create(&f, "d", words_of(SECTORS, words), why), -EIO);
	if (!strstr(why, "sector 0 of section 0 of the journal is none"))
		fail_msg("%s", why);
	fixture_end(&f);
}

/* More than the machine has. */
static void a_journal_longer_than_memory_is_refused(void **state)
{
	struct iformat at = { .block = 1, .section_sectors = 176, .per_section = 168, .sections = 1u << 24, .entries = 168ull << 24 };
	struct err e = ERR_INIT;
	struct jring *ring;

	(void)state;
	assert_int_equal(jring_new(&ring, &at, NULL, 50, NULL, NULL, &e), -ENOMEM);
	assert_non_null(strstr(e.text, "no memory for a journal of 2818572288 blocks"));
}

/* --- mode R ------------------------------------------------------------------------------------------------------------------ */

/* No superblock and no tags, whatever is on the disk, also where Linux writes them. */
static void mode_r_writes_nothing(void **state)
{
	static uint8_t before[DISK_SECTORS * 512];
	unsigned i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		disk_reset();
		open_line("0 512 linear disk:0 0", SECTORS, "D " CRC);
		disk_world_end(&f, d);
		if (i)
			disk_bytes(1)[24] |= IFORMAT_RECALCULATING;	/* from its first sector on */
		else
			memset(disk_bytes(1), 'x', DISK_SECTORS * 512);
		memcpy(before, disk_bytes(1), sizeof(before));
		memset(data, 0, sizeof(data));
		open_line("0 512 linear disk:0 0", SECTORS, "R 4 internal_hash:crc32c meta_device:disk:1 journal_sectors:300 recalculate");
		if (i)
			all_is_read(SECTORS);		/* nothing of it is verified */
		for (k = 0; k < 100; k++)
			settle_threads(&f);	/* long enough for two ranges to be recalculated */
		assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
		assert_memory_equal(disk_bytes(1), before, sizeof(before));
		disk_world_end(&f, d);
	}
}

/* --- others ------------------------------------------------------------------------------------------------------------------ */

/* How long a new journal is, is decided when there is one. On Linux a line may be loaded before the device below has a table. */
static void a_new_journal_suits_the_device_as_it_is_then(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_RELOAD, .name = "d", .flags = DM_WITH_LINUX, .cwd = "/" };
	char why[ERR_TEXT] = "", *text;

	(void)state;
	fixture_stop_clock();
	fixture_begin(&f, 1, AIO_AUTO);
	assert_int_equal(verb(&f, DM_DO_CREATE, "below", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_CREATE, "d", 0, NULL), 0);
	assert_int_equal(reload(&f, "below", "0 65536 linear memory,size=32M:disk 0", NULL), 0);
	c.text = text = strdup(words_of(SECTORS, "J 1 internal_hash:crc32c"));
	if (run(&f, &c, why))
		fail_msg("%s", why);
	dm_reply_free(&c.reply);
	free(text);
	assert_int_equal(verb(&f, DM_DO_RESUME, "below", 0, NULL), 0);
	if (verb(&f, DM_DO_RESUME, "d", 0, why))
		fail_msg("%s", why);
	text = rows(&f, DM_DO_TABLE, "d", 0);
	if (!strstr(text, "journal_sectors:352 "))	/* two sections, of 65536 / 128 sectors */
		fail_msg("%s", text);
	free(text);
	fixture_end(&f);
}

/* The journal that takes the place of the bitmap is signed and encrypted as any other. */
static void after_mode_b_there_is_a_journal(void **state)
{
	static const char *const seals[] = {
		"journal_crypt:cbc(aes):" KEY " journal_mac:hmac(sha256):" KEY, "journal_crypt:ctr(aes):" KEY " journal_mac:hmac(sha1):" KEY " fix_hmac",
	};
	char words[512];
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		disk_reset();
		memset(data, 'j', sizeof(data));
		snprintf(words, sizeof(words), "B %u internal_hash:crc32c meta_device:disk:1 journal_sectors:600 %s", 5 + i, seals[i]);
		open_line("0 512 linear disk:0 0", SECTORS, words);
		assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, SECTORS, data), 0);
		disk_world_end(&f, d);
		*words = 'J';
		open_line("0 512 linear disk:0 0", SECTORS, words);
		all_is_read(SECTORS);
		disk_world_end(&f, d);
	}
}

/* A misspelt option may have a key behind it. */
static void no_sentence_shows_a_key(void **state)
{
	static const char *const options[] = {
		"journal_mca:hmac(sha256):" KEY, "internalhash:" KEY, KEY, "internal_hash:" KEY, "block_size:" KEY, "journal_crypt:" KEY,
		"journal_crypt:cbc(aes):" KEY "0", "journal_mac:hmac(sha256)" KEY,
	};
	char why[ERR_TEXT], words[256];
	unsigned i;

	(void)state;
	disk_reset();
	begin("0 512 linear disk:0 0");
	for (i = 0; i < sizeof(options) / sizeof(*options); i++) {
		snprintf(words, sizeof(words), "J 1 %s", options[i]);
		assert_int_not_equal(create(&f, "d", words_of(SECTORS, words), why), 0);
		if (strstr(why, "00112"))
			fail_msg("%s", why);
	}
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_suspend_does_not_end_it),
		cmocka_unit_test(a_hand_over_does_not_end_it),
		cmocka_unit_test(an_unclean_device_may_grow),
		cmocka_unit_test(a_bitmap_of_another_measure_is_not_looked_at),
		cmocka_unit_test(a_block_is_recalculated_as_a_whole),
		cmocka_unit_test(a_hole_is_refused_at_its_first_section),
		cmocka_unit_test(a_journal_longer_than_memory_is_refused),
		cmocka_unit_test(mode_r_writes_nothing),
		cmocka_unit_test(a_new_journal_suits_the_device_as_it_is_then),
		cmocka_unit_test(after_mode_b_there_is_a_journal),
		cmocka_unit_test(no_sentence_shows_a_key),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
