/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * integrity: what was written is read, in each mode; any bit that is changed below is noticed; the power is cut after each write, and no
 * sector is lost or torn; and superblocks and journals that are damaged.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/integrity/format.h"

#define SECTORS 512u
#define KEY "00112233445566778899aabbccddeeff"
#define SMALL "journal_sectors:300 interleave_sectors:64 fix_padding"

/* WORDS, the number of options among them, and what a block has in sectors. */
static const struct way {
	const char *name, *mode, *words;
	unsigned options, block;
} ways[] = {
	{ "journal", "J", "internal_hash:crc32c " SMALL, 4, 1 },
	{ "journal, sha256, blocks of 4096", "J", "internal_hash:sha256 block_size:4096 " SMALL, 5, 8 },
	{ "journal, encrypted and signed", "J", "internal_hash:crc32 journal_crypt:cbc(aes):" KEY " journal_mac:hmac(sha256):" KEY " legacy_recalculate " SMALL, 7, 1 },
	{ "journal, a stream", "J", "internal_hash:xxhash64 journal_crypt:ctr(aes):" KEY " fix_hmac journal_mac:hmac(sha1):" KEY " " SMALL, 7, 1 },
	{ "journal, another device", "J", "internal_hash:crc32c meta_device:disk:1 journal_sectors:300", 3, 1 },
	{ "bitmap", "B", "internal_hash:crc32c sectors_per_bit:8 bitmap_flush_interval:1000 " SMALL, 6, 1 },
	{ "bitmap, blocks of 1024", "B", "internal_hash:hmac(sha256):" KEY " block_size:1024 sectors_per_bit:2 legacy_recalculate " SMALL, 7, 2 },
	{ "direct", "D", "internal_hash:crc32c " SMALL, 4, 1 },
};

#define WAYS (sizeof(ways) / sizeof(*ways))

static struct fixture f;
static struct dm_device *d;
static const struct way *way;
static uint8_t model[SECTORS][512];
static uint32_t seed;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static const char *line(const char *mode, const char *more)
{
	static char text[512];

	snprintf(text, sizeof(text), "0 %u integrity disk:0 0 - %s %u %s%s%s", SECTORS, mode, way->options + !!*more, way->words, *more ? " " : "", more);
	return text;
}

static void world_begin(void)
{
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
}

static void open_with(const char *mode, const char *more)
{
	world_begin();
	d = make_device(&f, "d", line(mode, more));
	dm_open(d);
}

static void world_end(void)
{
	dm_close(d);
	fixture_end(&f);
}

static int io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count, void *data)
{
	return request(&f, d, next_random(2), op, flags, sector, count, data);
}

/* What `status` says: mismatches, sectors, and where recalculating is. */
static void status(unsigned long long at[3])
{
	char *text = rows(&f, DM_DO_STATUS, "d", 0), *third;
	int n;

	third = strstr(text, "integrity ");
	n = sscanf(third ? third + strlen("integrity ") : text, "%llu %llu %llu", &at[0], &at[1], &at[2]);
	if (n < 2)
		fail_msg("what does this status say? %s", text);
	if (n == 2)
		at[2] = at[1];		/* it is not recalculating */
	free(text);
}

static void wait_for_tags(void)
{
	unsigned long long at[3];

	do {
		settle_threads(&f);
		status(at);
	} while (at[2] != at[1]);
}

/* A device of zeros, all of whose tags are right. */
static void format(void)
{
	disk_reset();
	memset(model, 0, sizeof(model));
	open_with("D", "recalculate");
	wait_for_tags();
	world_end();
}

static void check(void)
{
	static uint8_t data[SECTORS][512];
	unsigned i;

	assert_int_equal(io(DM_READ, 0, 0, SECTORS, data), 0);
	for (i = 0; i < SECTORS; i++)
		if (memcmp(data[i], model[i], 512))
			fail_msg("%s: sector %u has other data", way->name, i);
}

static void change(void)
{
	uint64_t sector = next_random(SECTORS / way->block - 40) * way->block, count = (1 + next_random(300 / way->block > 40 ? 40 : 30)) * way->block;
	uint32_t flags = next_random(4) ? 0 : DM_FUA;
	unsigned i;

	if (!next_random(5)) {
		memset(model[sector], 0, count * 512);
		assert_int_equal(io(DM_ZEROES, flags, sector, count, NULL), 0);
		return;
	}
	for (i = 0; i < count; i++)
		memset(model[sector + i], (int)next_random(256), 512);
	assert_int_equal(io(DM_WRITE, flags, sector, count, model[sector]), 0);
}

/* --- data ----------------------------------------------------------------------------------------------------------------- */

static void what_was_written_is_read(void **state)
{
	unsigned round, i;

	way = *state;
	seed = 7;
	format();
	for (round = 0; round < 4; round++) {
		open_with(way->mode, "");
		for (i = 0; i < 60; i++) {
			change();
			if (!next_random(8))
				assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), 0);
			if (!next_random(8))
				check();
			if (!next_random(10))
				time_passes(&f, 20);
		}
		check();
		if (round == 2) {
			assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
			assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
			check();
		}
		world_end();
	}
	open_with("D", "");
	check();
	world_end();
}

#define MANY 60u

static void many_at_a_time(void **state)
{
	static uint8_t data[MANY][64][512];
	static struct job jobs[MANY];
	unsigned round, i;
	uint8_t got[512];

	way = *state;
	seed = 3;
	format();
	open_with(way->mode, "");
	for (round = 0; round < 10; round++) {
		for (i = 0; i < MANY; i++) {
			memset(data[i], (int)(round * MANY + i), sizeof(data[i]));
			job_start(&f, &jobs[i], d, i % 2, i % 3 ? DM_WRITE : DM_READ, 0, next_random(SECTORS / 8 - 8) * 8, 64, data[i]);
		}
		for (i = 0; i < MANY; i++)
			assert_int_equal(job_wait(&jobs[i]), 0);
	}
	for (i = 0; i < SECTORS; i += way->block)
		if (way->block == 1)
			assert_int_equal(io(DM_READ, 0, i, 1, got), 0);
	world_end();
}

/* --- bits that change ------------------------------------------------------------------------------------------------------ */

static void place(struct iformat *at)
{
	struct iformat_sb sb;

	iformat_sb_read(&sb, disk_bytes(strstr(way->words, "meta_device") ? 1 : 0));
	*at = (struct iformat){ .meta = strstr(way->words, "meta_device"), .data_sectors = DISK_SECTORS, .meta_sectors = DISK_SECTORS, .log2_buffer = 7 };
	assert_int_equal(iformat_measure(at, &sb), 0);
	assert_int_equal(iformat_place(at, &sb), 0);
}

static uint8_t *place_of(const struct iformat *at, bool tag, uint64_t block)
{
	uint64_t sector = block * at->block;

	if (!tag)
		return disk_bytes(0) + iformat_data(at, sector) * 512 + next_random(at->block * 512);
	return disk_bytes(at->meta ? 1 : 0) + at->initial * 512 + iformat_tag(at, sector) + next_random(at->tag_size);
}

static void a_bit_that_is_changed_is_noticed(void **state)
{
	uint8_t data[8][512], *byte, bit;
	unsigned long long at[3];
	struct iformat where;
	unsigned i;

	way = *state;
	seed = 5;
	format();
	open_with(way->mode, "");
	for (i = 0; i < 20; i++)
		change();
	world_end();
	place(&where);
	for (i = 0; i < 40; i++) {
		uint64_t block = next_random(SECTORS / way->block);

		bit = (uint8_t)(1u << next_random(8));
		byte = place_of(&where, i % 2, block);
		*byte ^= bit;
		open_with(i % 4 ? way->mode : "D", "");
		memset(data, 'x', sizeof(data));
		assert_int_equal(io(DM_READ, 0, block * way->block, way->block, data), -EILSEQ);
		assert_int_equal(data[0][0], 0);
		status(at);
		assert_int_equal(at[0], 1);
		world_end();
		*byte ^= bit;
	}
	open_with(way->mode, "");
	check();
	world_end();
}

/* --- power cuts ------------------------------------------------------------------------------------------------------------ */

#define STEPS 10u
#define REACH 128u

static struct {
	uint32_t allowed[REACH];		/* a bit for each step whose data a sector may have; bit 0: none */
	uint8_t last[REACH];
} cut;

static void step_data(uint8_t out[512], unsigned step, uint64_t sector)
{
	memset(out, (int)step, 512);
	memcpy(out, &sector, sizeof(sector));
	memcpy(out + 504, &sector, sizeof(sector));
}

static void step_write(unsigned step)
{
	static uint8_t data[REACH][512];
	uint64_t count = (1 + next_random(24 / way->block)) * way->block, sector = next_random((REACH - 24) / way->block) * way->block, i;
	uint32_t flags = next_random(3) ? 0 : DM_FUA;

	for (i = 0; i < count; i++) {
		step_data(data[i], step, sector + i);
		cut.allowed[sector + i] |= 1u << step;
	}
	if (io(DM_WRITE, flags, sector, count, data) || disk_is_cut())
		return;
	memset(&cut.last[sector], (int)step, count);
	for (i = 0; flags && i < count; i++)
		cut.allowed[sector + i] = 1u << step;
}

static void run_steps(void)
{
	unsigned step, i;

	seed = 11;
	memset(cut.last, 0, sizeof(cut.last));
	for (i = 0; i < REACH; i++)
		cut.allowed[i] = 1;
	for (step = 1; step <= STEPS; step++) {
		if (step % 4) {
			step_write(step);
		} else if (!io(DM_FLUSH, 0, 0, 0, NULL) && !disk_is_cut()) {
			for (i = 0; i < REACH; i++)
				cut.allowed[i] = 1u << cut.last[i];
		}
		if (step == 6)
			time_passes(&f, 20);
	}
}

static bool is_allowed(uint64_t sector, const uint8_t got[512])
{
	static const uint8_t zeros[512];
	uint8_t want[512];
	unsigned step;

	if ((cut.allowed[sector] & 1) && !memcmp(got, zeros, 512))
		return true;
	for (step = 1; step <= STEPS; step++) {
		step_data(want, step, sector);
		if ((cut.allowed[sector] >> step & 1) && !memcmp(got, want, 512))
			return true;
	}
	return false;
}

/* EILSEQ: a block may fail to be read, but what is read is right. */
static void check_promise(unsigned writes, bool may_fail)
{
	uint8_t data[8][512];
	uint64_t sector, i;
	int err;

	for (sector = 0; sector < REACH; sector += way->block) {
		err = io(DM_READ, 0, sector, way->block, data);
		if (err == -EILSEQ && may_fail)
			continue;
		if (err)
			fail_msg("%s: cut after write %u: sector %u cannot be read: %d", way->name, writes, (unsigned)sector, err);
		for (i = 0; i < way->block; i++)
			if (!is_allowed(sector + i, data[i]))
				fail_msg("%s: cut after write %u: sector %u has other data", way->name, writes, (unsigned)(sector + i));
	}
}

static uint8_t *formatted[2];

/* The device as it was formatted. */
static void format_again(void)
{
	unsigned i;

	disk_reset();
	for (i = 0; i < 2; i++)
		memcpy(disk_bytes(i), formatted[i], DISK_SECTORS * 512u);
}

static void format_once(void)
{
	unsigned i;

	format();
	for (i = 0; i < 2; i++) {
		formatted[i] = malloc(DISK_SECTORS * 512u);
		memcpy(formatted[i], disk_bytes(i), DISK_SECTORS * 512u);
	}
}

static void crash_after(unsigned writes, enum disk_luck luck)
{
	format_again();
	disk_cut_after(writes);
	open_with(way->mode, "");
	run_steps();
	world_end();
	disk_power_on(luck);
}

static unsigned writes_of_a_run(void)
{
	format_again();
	open_with(way->mode, "");
	run_steps();
	world_end();
	return disk_writes();
}

static void no_sector_is_lost_or_torn(void **state)
{
	unsigned writes, i, luck;

	way = *state;
	format_once();
	writes = writes_of_a_run();
	for (i = 0; i <= writes; i++)
		for (luck = 0; luck < DISK_LUCKS; luck++) {
			crash_after(i, luck);
			open_with(way->mode, "");
			check_promise(i, *way->mode == 'D');
			wait_for_tags();
			check_promise(i, *way->mode == 'D');
			world_end();
			if (*way->mode == 'J' && luck == DISK_SOME) {
				open_with("D", "");
				check_promise(i, false);
				world_end();
			}
		}
	free(formatted[0]);
	free(formatted[1]);
}

/* A crash while the journal is replayed, or the bitmap left: it is done again. */
static void a_second_crash_does_no_harm(void **state)
{
	unsigned writes, i, again;

	way = *state;
	format_once();
	writes = writes_of_a_run();
	for (i = writes / 2; i <= writes; i += 3)
		for (again = 0; again < 60; again += 1 + again / 4) {
			crash_after(i, DISK_SOME);
			disk_cut_after(again);
			world_begin();
			if (!create(&f, "d", line(i % 2 ? way->mode : "D", ""), NULL))
				wait_for_tags();
			fixture_end(&f);
			disk_power_on(DISK_SOME);
			open_with(way->mode, "");
			wait_for_tags();
			check_promise(i, *way->mode == 'D');
			world_end();
		}
	free(formatted[0]);
	free(formatted[1]);
}

/* Any bit of a journal that is to be replayed: the device is refused, or has old data or new ones; never others. */
static void a_bit_of_the_journal_is_changed(void **state)
{
	unsigned writes, i, refused = 0;
	struct iformat where;
	char why[ERR_TEXT];

	way = *state;
	format_once();
	place(&where);
	writes = writes_of_a_run();
	for (i = 0; i < 60; i++) {
		uint32_t at;

		crash_after(writes * 2 / 3, DISK_ALL);
		seed = i;
		at = next_random(i % 2 ? (uint32_t)where.initial * 512 - 4096 : 40 * 512);
		at = i % 4 ? at : at / 512 * 512 + 504 + at % 8;		/* of a commit id */
		disk_bytes(where.meta ? 1 : 0)[4096 + at] ^= (uint8_t)(1u << next_random(8));
		world_begin();
		if (create(&f, "d", line(way->mode, ""), why)) {
			assert_true(*why);
			refused++;
			fixture_end(&f);
			continue;
		}
		d = dm_find_name(f.world, "d");
		dm_open(d);
		check_promise(i, true);
		world_end();
	}
	assert_true(refused > 0 || *way->mode != 'J');
	free(formatted[0]);
	free(formatted[1]);
}

/* --- superblocks ----------------------------------------------------------------------------------------------------------- */

static void a_damaged_superblock_gets_a_sentence(void **state)
{
	char why[ERR_TEXT];
	uint8_t byte;
	unsigned i;

	way = *state;
	format_once();
	seed = 1;
	for (i = 0; i < 300; i++) {
		format_again();
		byte = (uint8_t)next_random(64);
		disk_bytes(strstr(way->words, "meta_device") ? 1 : 0)[byte] = (uint8_t)next_random(256);
		world_begin();
		if (create(&f, "d", line(i % 3 ? way->mode : "R", ""), why))
			assert_true(*why);
		fixture_end(&f);
	}
	free(formatted[0]);
	free(formatted[1]);
}

static void what_is_no_superblock_is_left_alone(void **state)
{
	uint8_t before[4096];
	char why[ERR_TEXT];

	(void)state;
	way = &ways[0];
	disk_reset();
	disk_bytes(0)[4095] = 1;
	memcpy(before, disk_bytes(0), sizeof(before));
	world_begin();
	assert_int_equal(create(&f, "d", line("J", ""), why), -EINVAL);
	assert_non_null(strstr(why, "neither a superblock nor 4096 bytes of zeros"));
	fixture_end(&f);
	assert_memory_equal(before, disk_bytes(0), sizeof(before));
}

static uint8_t *kept[2];

static void disks_keep(void)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		kept[i] = malloc(DISK_SECTORS * 512u);
		memcpy(kept[i], disk_bytes(i), DISK_SECTORS * 512u);
	}
}

static void disks_back(void)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		memcpy(disk_bytes(i), kept[i], DISK_SECTORS * 512u);
		free(kept[i]);
	}
}

static void blocks_are_right_or_fail(unsigned bit)
{
	uint8_t data[8][512];
	unsigned i;

	for (i = 0; i < SECTORS; i += way->block)
		if (!io(DM_READ, 0, i, way->block, data) && memcmp(data, model[i], way->block * 512u))
			fail_msg("%s: bit %u: sector %u has other data", way->name, bit, i);
}

/* Any bit of a superblock: the device is refused, or what is read is right. */
static void a_bit_of_the_superblock_is_changed(void **state)
{
	char why[ERR_TEXT];
	unsigned i, opened = 0;
	uint8_t *sb;

	way = *state;
	seed = 2;
	format();
	open_with(way->mode, "");
	for (i = 0; i < 20; i++)
		change();
	world_end();
	sb = disk_bytes(strstr(way->words, "meta_device") ? 1 : 0);
	for (i = 0; i < 64 * 8; i++) {
		disks_keep();
		sb[i / 8] ^= (uint8_t)(1u << i % 8);
		world_begin();
		if (create(&f, "d", line(i % 3 ? way->mode : "D", ""), why)) {
			assert_true(*why);
			fixture_end(&f);
		} else {
			opened++;
			d = dm_find_name(f.world, "d");
			dm_open(d);
			blocks_are_right_or_fail(i);
			world_end();
		}
		disks_back();
	}
	assert_true(opened > 0);
}

/* Of a bitmap that is to be used after a crash: old data or new ones, or an error; never others. */
static void a_bit_of_the_bitmap_is_changed(void **state)
{
	unsigned writes, i;

	way = *state;
	format_once();
	writes = writes_of_a_run();
	for (i = 0; i < 128; i++) {
		crash_after(writes * 2 / 3, DISK_SOME);
		disk_bytes(0)[4096 + i / 8] ^= (uint8_t)(1u << i % 8);
		open_with(way->mode, "");
		check_promise(i, true);
		wait_for_tags();
		check_promise(i, true);
		world_end();
	}
	free(formatted[0]);
	free(formatted[1]);
}

/* --- nonsense --------------------------------------------------------------------------------------------------------------- */

/* A line with some characters changed gets a sentence, or is loaded. */
static void changed_lines_get_a_sentence(void **state)
{
	static const char letters[] = "0123456789 -:(),acdehijmnorst_";
	char text[512], why[ERR_TEXT];
	unsigned i, n;

	way = *state;
	seed = 4;
	format();
	open_with(way->mode, "");
	for (i = 0; i < 1500; i++) {
		n = (unsigned)snprintf(text, sizeof(text), "%s", line(way->mode, i % 2 ? "" : "recalculate"));
		for (unsigned at = next_random(4) + 1; at; at--)
			text[16 + next_random(n - 16)] = letters[next_random(sizeof(letters) - 1)];
		if (!reload(&f, "d", text, why))
			verb(&f, DM_DO_CLEAR, "d", 0, NULL);
		else
			assert_memory_equal(why, "table line 1: integrity ", 24);
	}
	check();
	world_end();
}

/* Bytes that are none of ours, in a superblock that is nearly one, in the journal, or in tags; and the device is used all the same. */
static void damage(uint8_t *at)
{
	unsigned i, where = next_random(3), n = 1 + next_random(12);

	for (i = 0; i < n; i++) {
		if (where == 0)
			at[8 + next_random(56)] = (uint8_t)next_random(next_random(2) ? 8 : 256);
		else if (where == 1)
			at[4096 + next_random(300 * 512)] = (uint8_t)next_random(256);
		else
			memset(at + 4096 + next_random(300) * 512, (int)next_random(256), 512);
	}
}

static void whatever_is_on_the_disks(void **state)
{
	static const char *const modes[] = { "J", "B", "D", "R" };
	static uint8_t data[SECTORS][512];
	char why[ERR_TEXT];
	unsigned i, k;

	way = *state;
	format_once();
	for (i = 0; i < 150; i++) {
		crash_after(20, DISK_SOME);
		seed = 1000 + i;
		damage(disk_bytes(strstr(way->words, "meta_device") ? 1 : 0));
		world_begin();
		if (create(&f, "d", line(modes[next_random(4)], next_random(3) ? "" : "recalculate"), why)) {
			assert_true(*why);
			fixture_end(&f);
			continue;
		}
		d = dm_find_name(f.world, "d");
		dm_open(d);
		for (k = 0; k < 12; k++)
			io(k % 3 ? DM_READ : DM_WRITE, 0, next_random(SECTORS / 64) * 64, 64, data);
		io(DM_FLUSH, 0, 0, 0, NULL);
		world_end();
	}
	free(formatted[0]);
	free(formatted[1]);
}

/* --- another key ----------------------------------------------------------------------------------------------------------- */

static void another_key_reads_nothing(void **state)
{
	static const char words[] = "0 512 integrity disk:0 0 - D 4 internal_hash:hmac(sha256):%s interleave_sectors:64 journal_sectors:300 fix_padding";
	char right[256], wrong[256];
	uint8_t data[512];

	(void)state;
	disk_reset();
	snprintf(right, sizeof(right), words, KEY);
	snprintf(wrong, sizeof(wrong), words, "00112233445566778899aabbccddeefe");
	world_begin();
	d = make_device(&f, "d", right);
	dm_open(d);
	memset(data, 'k', sizeof(data));
	assert_int_equal(io(DM_WRITE, 0, 5, 1, data), 0);
	assert_int_equal(io(DM_READ, 0, 5, 1, data), 0);
	world_end();
	world_begin();
	d = make_device(&f, "d", wrong);
	dm_open(d);
	assert_int_equal(io(DM_READ, 0, 5, 1, data), -EILSEQ);
	assert_int_equal(data[0], 0);
	world_end();
}

/* --- what Linux 6.12 has made ---------------------------------------------------------------------------------------------- */

/* Of a disk of 32768 sectors: the options, and what was on it then. */
static void devices_are_as_large_as_on_linux(void **state)
{
	static const struct {
		unsigned block, tag, journal, interleave;
		bool padding;
		unsigned journal_then, provided;
	} all[] = {
		{ 1, 4, 352, 1024, true, 352, 32152 }, { 1, 8, 352, 1024, true, 352, 31896 }, { 1, 20, 352, 1024, true, 312, 31208 },
		{ 1, 32, 352, 1024, true, 352, 30488 }, { 8, 4, 1100, 256, false, 784, 15872 }, { 2, 40, 352, 2048, false, 240, 28680 },
		{ 1, 4, 1056, 1024, false, 1056, 25304 }, { 2, 32, 1056, 1024, false, 912, 25448 }, { 1, 4, 256, 32768, false, 176, 32328 },
		{ 1, 8, 256, 32768, false, 176, 32072 },
	};
	struct iformat at;
	struct iformat_sb sb;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct iformat_new n = { .block = all[i].block, .tag_size = all[i].tag, .journal_sectors = all[i].journal, .interleave = all[i].interleave,
					 .fix_padding = all[i].padding };

		at = (struct iformat){ .data_sectors = 32768, .meta_sectors = 32768, .log2_buffer = 7 };
		assert_int_equal(iformat_make(&at, &sb, &n, NULL), 0);
		assert_int_equal(iformat_place(&at, &sb), 0);
		assert_int_equal(at.initial - IFORMAT_SB_SECTORS, all[i].journal_then);
		assert_int_equal(at.provided, all[i].provided);
	}
}

/* A sector of that text, as tests/kernel/words.sh has them. */
static void text_sector(uint8_t out[512], unsigned number)
{
	char line[513];

	snprintf(line, sizeof(line), "%-511u\n", number);
	memcpy(out, line, 512);
}

static void write_texts(void)
{
	uint8_t data[16][512];
	unsigned i;

	for (i = 0; i < 16; i++)
		text_sector(data[i], i);
	assert_int_equal(io(DM_WRITE, 0, 0, 16, data), 0);
	assert_int_equal(io(DM_FLUSH, 0, 0, 0, NULL), 0);
}

static void bytes_of(const char *hex, uint8_t *out)
{
	for (; *hex; hex += 2)
		sscanf(hex, "%2hhx", out++);
}

/* Of the first sectors, whose numbers they have as a text. */
static void tags_are_those_of_linux(void **state)
{
	static const struct {
		const char *hash, *tags;
	} all[] = {
		{ "crc32", "b212a4988edc8b2d8b888a29b746a59c81208821bdeea794b8baa69084748925" },
		{ "crc32c", "f3f5bbb2171151fd3b3c6e2ddfd884629210fc8876f416c75ad92917be3dc358" },
		{ "xxhash64", "d008d387d5d78268217f9a67432da7c573914a427fe8523724ad13f5f33cfb17" },
		{ "sha256", "89984feb8b71e59fbe855c3a0a0707664b11f3a5aaaa12e4f34e5053b9eaf3c2" },
		{ "hmac(sha256):" KEY, "2d8719f137a06dcf1145f2b84ebbe0221b293b01d10524e635d4f4e90985cd45" },
	};
	struct iformat at;
	uint8_t right[32];
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		disk_reset();
		snprintf(text, sizeof(text), "0 512 integrity disk:0 0 - D 4 internal_hash:%s journal_sectors:352 interleave_sectors:256 fix_padding", all[i].hash);
		world_begin();
		d = make_device(&f, "d", text);
		dm_open(d);
		write_texts();
		world_end();
		bytes_of(all[i].tags, right);
		way = &ways[0];
		place(&at);
		assert_memory_equal(disk_bytes(0) + at.initial * 512, right, sizeof(right));
	}
}

/* The first sector of entries, after the first commit. */
static void the_journal_is_that_of_linux(void **state)
{
	uint8_t right[56];

	(void)state;
	disk_reset();
	world_begin();
	d = make_device(&f, "d", "0 512 integrity disk:0 0 - J 4 internal_hash:crc32c journal_sectors:1056 interleave_sectors:256 fix_padding");
	dm_open(d);
	write_texts();
	bytes_of("0000000000000000202020202020200af3f5bbb2000000000800000000000000202020202020200a313f34c60000000000000000ffffffff", right);
	assert_memory_equal(disk_bytes(0) + 4096, right, sizeof(right));
	bytes_of("2222222222222222", right);
	assert_memory_equal(disk_bytes(0) + 4096 + 504, right, 8);
	bytes_of("2a22222222222222", right);
	assert_memory_equal(disk_bytes(0) + 4096 + 8 * 512 + 504, right, 8);
	world_end();
}

/* As dm-integrity's sb_set_version(). */
static void the_version_is_the_lowest_that_has_it_all(void **state)
{
	static const struct {
		uint32_t flags;
		bool bitmap, meta;
		unsigned version;
	} all[] = {
		{ 0, false, false, 1 }, { 0, false, true, 2 }, { IFORMAT_RECALCULATING, false, false, 2 }, { 0, true, false, 3 },
		{ IFORMAT_DIRTY_BITMAP, false, true, 3 }, { IFORMAT_FIXED_PADDING, true, true, 4 },
		{ IFORMAT_FIXED_PADDING | IFORMAT_FIXED_HMAC, false, false, 5 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct iformat_sb sb = { .flags = all[i].flags };

		iformat_sb_set_version(&sb, all[i].bitmap, all[i].meta);
		assert_int_equal(sb.version, all[i].version);
	}
}

/* Else nothing could take its place. */
/* In mode B: what a flush that failed should have made durable is not taken for durable by the next write. */
static void a_bit_is_durable_before_its_data_also_after_a_flush_that_failed(void **state)
{
	uint8_t data[8][512];
	uint64_t at;

	(void)state;
	way = &ways[5];
	for (at = 0; at < SECTORS; at += 8) {
		format();
		open_with("B", "");
		disk_cut_after(UINT32_MAX / 2);
		memset(data, 0x5a, sizeof(data));
		disk_fail_flushes(-EIO);
		assert_int_equal(io(DM_WRITE, 0, at, 8, data), -EIO);
		disk_fail_flushes(0);
		assert_int_equal(io(DM_WRITE, 0, at, 8, data), 0);
		disk_cut_now();
		world_end();
		disk_power_on(DISK_SOME);
		open_with("B", "");
		wait_for_tags();
		assert_int_equal(io(DM_READ, 0, at, 8, data), 0);
		world_end();
	}
}

static void a_disk_that_has_failed_can_be_suspended_without_flush(void **state)
{
	static const char *const lines[] = {
		"0 512 integrity /dev/mapper/disk 0 - J 4 internal_hash:crc32c journal_sectors:352 interleave_sectors:256 fix_padding",
		"0 512 integrity /dev/mapper/disk 0 - B 4 internal_hash:crc32c journal_sectors:352 interleave_sectors:256 fix_padding",
	};
	char why[ERR_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		world_begin();
		make_device(&f, "disk", "0 4096 linear memory,size=2097152:disk 0");
		d = make_device(&f, "d", lines[i]);
		dm_open(d);
		assert_int_equal(io(DM_WRITE, 0, 8, 8, model[8]), 0);
		assert_int_equal(reload(&f, "disk", "0 4096 error", why), 0);
		assert_int_equal(verb(&f, DM_DO_RESUME, "disk", 0, why), 0);
		assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, why), -EIO);
		assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, why), 0);
		world_end();
	}
}

int main(void)
{
	static const struct {
		const char *name, *modes;
		void (*run)(void **state);
	} each[] = {
		{ "what was written is read", "JBD", what_was_written_is_read },
		{ "many requests at a time", "JBD", many_at_a_time },
		{ "a bit that is changed is noticed", "JBD", a_bit_that_is_changed_is_noticed },
		{ "no sector is lost or torn", "JBD", no_sector_is_lost_or_torn },
		{ "a second crash does no harm", "JB", a_second_crash_does_no_harm },
		{ "a bit of the journal is changed", "J", a_bit_of_the_journal_is_changed },
		{ "a damaged superblock gets a sentence", "JBD", a_damaged_superblock_gets_a_sentence },
		{ "a bit of the superblock is changed", "JBD", a_bit_of_the_superblock_is_changed },
		{ "a bit of the bitmap is changed", "B", a_bit_of_the_bitmap_is_changed },
		{ "changed lines get a sentence", "JBD", changed_lines_get_a_sentence },
		{ "whatever is on the disks", "JBD", whatever_is_on_the_disks },
	};
	static struct CMUnitTest tests[WAYS * 11 + 7];
	static char names[WAYS * 11][96];
	size_t n = 0, i, k;

	for (i = 0; i < WAYS; i++)
		for (k = 0; k < sizeof(each) / sizeof(*each); k++) {
			if (!strchr(each[k].modes, *ways[i].mode))
				continue;
			snprintf(names[n], sizeof(names[n]), "%s: %s", ways[i].name, each[k].name);
			tests[n] = (struct CMUnitTest){ names[n], each[k].run, NULL, NULL, (void *)(uintptr_t)&ways[i] };
			n++;
		}
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_is_no_superblock_is_left_alone);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(another_key_reads_nothing);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(devices_are_as_large_as_on_linux);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(tags_are_those_of_linux);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_journal_is_that_of_linux);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_version_is_the_lowest_that_has_it_all);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_bit_is_durable_before_its_data_also_after_a_flush_that_failed);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_disk_that_has_failed_can_be_suspended_without_flush);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("integrity", tests, n, NULL, NULL);
}
