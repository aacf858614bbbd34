/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raid1 with metadata: regions are marked before they are written to; no write ends before it is recorded that a leg is dead; what a
 * leg lacks is copied to it, and no more; reads that fail are corrected; check and repair; writes that overlap; and what is made of
 * superblocks and bitmaps, whatever is in them.
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
#include "support/seen.h"
#include "targets/raid/assemble.h"

#define LINE "0 512 raid raid1 3 0 region_size 16 2 disk:0 disk:1 disk:2 "
#define REGIONS 32u

static struct fixture f;
static struct dm_device *d;

static void world_begin(void)
{
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	make_device(&f, "leg", "0 2048 linear disk:3 0");
}

static void array_begin(const char *words)
{
	char table[300];

	snprintf(table, sizeof(table), "%s%s", LINE, words);
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

static bool is_marked(unsigned disk, unsigned region)
{
	uint8_t bits[512];

	disk_look(disk, RBM_AT, bits, sizeof(bits));
	return raid_bit(bits, region);
}

static uint8_t first_byte(unsigned disk, unsigned sector)
{
	uint8_t byte;

	disk_look(disk, sector * 512u, &byte, 1);
	return byte;
}

static bool none_is_marked(void)
{
	unsigned i;

	for (i = 0; i < REGIONS; i++)
		if (is_marked(0, i) || is_marked(2, i))
			return false;
	return true;
}

static void rest(void)
{
	unsigned i;

	for (i = 0; i < 1000 && !none_is_marked(); i++)
		time_passes(&f, 1);
	assert_true(none_is_marked());
}

static int put(uint64_t sector, uint64_t count, int byte)
{
	uint8_t data[64 * 512];

	assert_true(count <= 64);
	memset(data, byte, count * 512);
	return request(&f, d, 0, DM_WRITE, 0, sector, count, data);
}

static void assert_reads(uint64_t sector, uint64_t count, int byte)
{
	uint8_t data[64 * 512], want[64 * 512];

	memset(want, byte, sizeof(want));
	assert_int_equal(request(&f, d, 0, DM_READ, 0, sector, count, data), 0);
	assert_memory_equal(data, want, count * 512);
}

/* The second leg's sectors 64 to 127 fail, or none do. */
static void leg_fails(bool fails)
{
	const char *table = fails ? "0 64 linear disk:3 0\n64 64 error\n128 1920 linear disk:3 128" : "0 2048 linear disk:3 0";

	assert_int_equal(reload(&f, "leg", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "leg", 0, NULL), 0);
}

static void resume_again(void)
{
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
}

/* --- marks ------------------------------------------------------------------------------------------------------------------ */

static void a_region_is_marked_before_it_is_written_to(void **state)
{
	uint8_t data[512];
	struct job j;

	(void)state;
	world_begin();
	array_begin("disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	rest();
	memset(data, 'x', sizeof(data));
	disk_hold(2);
	job_start(&f, &j, d, 0, DM_WRITE, 0, 3 * 16, 1, data);
	while (!disk_held())
		settle_threads(&f);
	assert_int_equal(first_byte(1, 3 * 16), 0);
	assert_int_equal(first_byte(3, 3 * 16), 0);
	disk_let_go();
	assert_int_equal(job_wait(&j), 0);
	assert_true(is_marked(0, 3) && is_marked(2, 3));
	assert_false(is_marked(0, 4));
	assert_int_equal(disk_bytes(1)[3 * 16 * 512], 'x');
	assert_int_equal(disk_bytes(3)[3 * 16 * 512], 'x');
	rest();
	world_end();
}

/* Legs differ everywhere, and go on differing but for what is marked. */
static void only_what_is_marked_is_copied(void **state)
{
	(void)state;
	world_begin();
	array_begin("disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	world_end();
	memset(disk_bytes(1), 'a', 512 * 512);
	memset(disk_bytes(3), 'b', 512 * 512);
	raid_bit_set(disk_bytes(2) + RBM_AT, 5, true);
	world_begin();
	array_begin("disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	assert_int_equal(disk_bytes(3)[5 * 16 * 512], 'a');
	assert_int_equal(disk_bytes(3)[6 * 16 * 512 - 1], 'a');
	assert_int_equal(disk_bytes(3)[5 * 16 * 512 - 1], 'b');
	assert_int_equal(disk_bytes(3)[6 * 16 * 512], 'b');
	world_end();
}

/* --- failures --------------------------------------------------------------------------------------------------------------- */

static void no_write_ends_before_the_death_of_a_leg_is_recorded(void **state)
{
	struct raid_super s;
	uint8_t data[512];
	struct job j;

	(void)state;
	world_begin();
	array_begin("leg");
	status_wait(&f, "d", " AA 512/512 idle ");
	assert_int_equal(put(64, 1, 'w'), 0);	/* it is marked */
	leg_fails(true);
	memset(data, 'x', sizeof(data));
	disk_hold(0);
	job_start(&f, &j, d, 0, DM_WRITE, 0, 64, 1, data);
	status_wait(&f, "d", " AD ");
	while (!disk_held())
		settle_threads(&f);
	settle_threads(&f);
	assert_false(j.over);
	disk_let_go();
	assert_int_equal(job_wait(&j), 0);
	assert_true(raid_super_read(&s, disk_bytes(0)));
	assert_true(raid_super_failed(&s, 1));
	assert_int_equal(info(&f, "d").event_nr, 2);	/* synchronous, dead */
	world_end();
}

static void a_leg_that_is_back_gets_what_it_lacks(void **state)
{
	(void)state;
	world_begin();
	array_begin("leg");
	status_wait(&f, "d", " AA 512/512 idle ");
	rest();
	leg_fails(true);
	assert_int_equal(put(64, 4, 'x'), 0);
	assert_int_equal(put(256, 4, 'y'), 0);
	status_wait(&f, "d", " AD 512/512 idle ");
	assert_int_equal(disk_bytes(3)[256 * 512], 0);
	memset(disk_bytes(3) + 400 * 512, 'n', 512);	/* nobody knows of that */
	leg_fails(false);
	resume_again();
	status_wait(&f, "d", " AA 512/512 idle ");
	assert_int_equal(disk_bytes(3)[64 * 512], 'x');
	assert_int_equal(disk_bytes(3)[256 * 512], 'y');
	assert_int_equal(disk_bytes(3)[400 * 512], 'n');
	rest();
	world_end();
}

/* The same when it comes back in another world. */
static void a_leg_that_was_away_gets_what_it_lacks(void **state)
{
	(void)state;
	world_begin();
	array_begin("disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	rest();
	world_end();
	world_begin();
	d = make_device(&f, "d", "0 512 raid raid1 3 0 region_size 16 2 disk:0 disk:1 - -");
	dm_open(d);
	status_wait(&f, "d", " A- 512/512 idle ");
	assert_int_equal(put(64, 4, 'x'), 0);
	world_end();
	memset(disk_bytes(3) + 400 * 512, 'n', 512);
	world_begin();
	array_begin("disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	assert_int_equal(disk_bytes(3)[64 * 512], 'x');
	assert_int_equal(disk_bytes(3)[400 * 512], 'n');
	world_end();
}

static void write_flushed(uint64_t sector, uint64_t count, int byte)
{
	assert_int_equal(put(sector, count, byte), 0);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
}

/* As soon as all legs count as good, the power goes. */
static void equal_and_cut(void)
{
	status_wait(&f, "d", " AA 512/512 idle ");
	disk_cut_now();
	world_end();
	disk_power_on(DISK_NONE);
}

/* The second leg is new, and gets all. As soon as it counts as good, no power cut takes anything from it. */
static void a_leg_is_good_when_its_copies_are_durable(void **state)
{
	(void)state;
	world_begin();
	array_begin("disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	write_flushed(100, 64, 'x');
	world_end();
	memset(disk_bytes(2), 0, DISK_SECTORS * 512);
	memset(disk_bytes(3), 0, DISK_SECTORS * 512);
	disk_cut_after(1u << 30);
	world_begin();
	d = make_device(&f, "d", "0 512 raid raid1 5 0 region_size 16 rebuild 1 2 disk:0 disk:1 disk:2 disk:3");
	dm_open(d);
	equal_and_cut();
	assert_int_equal(first_byte(3, 100), 'x');
	assert_int_equal(first_byte(3, 163), 'x');
}

/* Legs that differ are made equal: the same. */
static void legs_are_equal_when_that_is_durable(void **state)
{
	(void)state;
	memset(disk_bytes(1), 'x', DISK_SECTORS * 512);
	disk_cut_after(1u << 30);
	world_begin();
	array_begin("disk:3");
	equal_and_cut();
	assert_int_equal(first_byte(3, 0), 'x');
	assert_int_equal(first_byte(3, 511), 'x');
}

static void the_last_leg_stays(void **state)
{
	(void)state;
	world_begin();
	d = make_device(&f, "d", "0 512 raid raid1 3 0 region_size 16 2 - - disk:2 leg");
	dm_open(d);
	leg_fails(true);
	assert_int_equal(put(64, 1, 'x'), -EIO);
	status_wait(&f, "d", " -A 512/512 idle ");
	assert_int_equal(put(32, 1, 'x'), 0);
	assert_reads(32, 1, 'x');
	world_end();
}

/* What the second leg cannot read is read from the first; written back, it kills the leg, because that fails, too. */
static void a_read_that_fails_is_tried_elsewhere(void **state)
{
	uint8_t data[2][512];
	struct job jobs[2];
	unsigned i;

	(void)state;
	world_begin();
	array_begin("leg");
	status_wait(&f, "d", " AA 512/512 idle ");
	assert_int_equal(put(64, 1, 'x'), 0);
	leg_fails(true);
	disk_hold(1);		/* so that the second read goes to the other leg */
	for (i = 0; i < 2; i++)
		job_start(&f, &jobs[i], d, 0, DM_READ, 0, 64, 1, data[i]);
	while (!disk_held())
		settle_threads(&f);
	disk_let_go();
	for (i = 0; i < 2; i++) {
		assert_int_equal(job_wait(&jobs[i]), 0);
		assert_int_equal(data[i][0], 'x');
	}
	status_wait(&f, "d", " AD 512/512 idle ");
	world_end();
}

/* --- check and repair ------------------------------------------------------------------------------------------------------- */

static void check_counts_and_repair_mends(void **state)
{
	(void)state;
	world_begin();
	array_begin("disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	disk_bytes(3)[100 * 512] ^= 1;
	disk_bytes(3)[500 * 512] ^= 1;
	tell(&f, "d", "check");
	status_wait(&f, "d", " AA 512/512 idle 32 ");
	assert_int_equal(disk_bytes(3)[100 * 512], 1);
	tell(&f, "d", "repair");
	status_wait(&f, "d", " AA 512/512 idle 0 ");
	assert_memory_equal(disk_bytes(1), disk_bytes(3), 512 * 512);
	tell(&f, "d", "check");
	status_wait(&f, "d", " AA 512/512 idle 0 ");
	world_end();
}

/* Writes to the same sectors from two threads, with flushes between them. */
static void writes_that_overlap_leave_legs_equal(void **state)
{
	enum { MANY = 40 };
	static uint8_t data[MANY][24 * 512];
	struct job jobs[MANY];
	unsigned round, i;
	uint32_t events;

	(void)state;
	world_begin();
	array_begin("disk:3");
	for (round = 0; round < 20; round++) {
		for (i = 0; i < MANY; i++) {
			memset(data[i], (int)(round * MANY + i), sizeof(data[i]));
			job_start(&f, &jobs[i], d, i % 2, DM_WRITE, 0, i * 7 % 96, 1 + i % 24, data[i]);
		}
		for (i = 0; i < MANY; i++)
			assert_int_equal(job_wait(&jobs[i]), 0);
	}
	status_wait(&f, "d", " AA 512/512 idle ");
	assert_memory_equal(disk_bytes(1), disk_bytes(3), 512 * 512);
	events = info(&f, "d").event_nr;
	tell(&f, "d", "check");
	while (info(&f, "d").event_nr == events)
		settle_threads(&f);
	assert_true(status_has(&f, "d", " AA 512/512 idle 0 "));
	world_end();
}

/* --- what no reader may believe ---------------------------------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static uint64_t any_number(void)
{
	static const uint64_t some[] = { 0, 1, 2, 3, 511, 512, 513, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX };

	return next_random(2) ? some[next_random(sizeof(some) / sizeof(some[0]))] : next_random(UINT32_MAX);
}

static void any_super(struct raid_found *found)
{
	uint8_t raw[512];
	unsigned i;

	for (i = 0; i < sizeof(raw); i++)
		raw[i] = next_random(3) ? 0 : (uint8_t)next_random(256);
	memcpy(raw, "DmRd", next_random(8) ? 4 : 0);
	if (next_random(4)) {
		struct raid_super s = {
			.legs = (uint32_t)any_number(), .position = (uint32_t)any_number(), .events = any_number(), .level = 1, .new_level = 1,
			.reshaped = RAID_ALL, .leg_recovered = any_number(), .synchronous = any_number(), .sectors = any_number(),
			.leg_sectors = any_number(), .failed = { any_number() },
		};

		raid_super_write(&s, raw, sizeof(raw));
	}
	found->failed = !next_random(8);
	found->has = !found->failed && raid_super_read(&found->super, raw);
}

/* Whatever the superblocks say: it is refused with a sentence, or there is a good leg, and none is good that is not there. */
static void any_superblocks_can_be_read(void **state)
{
	static struct dm_store store;
	unsigned round, i, n;

	(void)state;
	for (round = 0; round < 50000; round++) {
		struct raid_leg legs[4] = { 0 };
		struct raid_found found[4] = { 0 };
		struct raid_verdict v;
		struct err e = ERR_INIT;
		unsigned good = 0;

		n = 1 + next_random(4);
		for (i = 0; i < n; i++) {
			legs[i].data.store = next_random(6) ? &store : NULL;
			legs[i].meta.store = legs[i].data.store && next_random(6) ? &store : NULL;
			legs[i].rebuild = legs[i].data.store && !next_random(6);
			if (legs[i].meta.store)
				any_super(&found[i]);
		}
		if (raid_assemble(legs, found, n, (enum raid_sync)next_random(3), 512, &v, &e)) {
			assert_true(e.text[0]);
			continue;
		}
		for (i = 0; i < n; i++) {
			bool is_good = atomic_load(&legs[i].state) == LEG_GOOD;

			good += is_good;
			if (is_good)
				assert_true(legs[i].data.store && !legs[i].rebuild && !found[i].failed);
		}
		assert_true(good);
	}
}

/* Any bitmap: nothing beyond its bytes is read, and a region that it does not have is marked. */
static void any_bitmap_can_be_read(void **state)
{
	unsigned round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		size_t bytes = 512 * (1 + next_random(3));
		uint8_t *raw = malloc(bytes);
		struct raid_bitmap b = { .events = any_number(), .sectors = any_number(), .region = (uint32_t)any_number() };
		struct err e = ERR_INIT;
		uint64_t from = any_number() % 100000;

		assert_non_null(raw);
		for (i = 0; i < bytes; i++)
			raw[i] = (uint8_t)next_random(256);
		if (next_random(2))
			b.region = 512u << next_random(20);
		if (next_random(8))
			raid_bitmap_write(&b, raw);
		if (raid_bitmap_read(&b, raw, bytes, &e))
			assert_true(e.text[0]);
		else if (raid_bits_have(&b, raw, bytes, from, from + 16) == false)
			assert_true(from + 16 <= b.sectors && !raid_bit(raw, from / (b.region / 512)));
		free(raw);
	}
}

/* The formats, byte by byte. */
static void formats_are_those_of_linux(void **state)
{
	struct raid_super s = {
		.legs = 2, .position = 1, .events = 5, .failed = { 2 }, .leg_recovered = RAID_ALL, .synchronous = 0x300, .level = 1,
		.new_level = 1, .reshaped = RAID_ALL, .sectors = 0x800, .leg_sectors = 0x800,
	};
	struct raid_bitmap b = { .events = 5, .cleared = 4, .sectors = 0x800, .region = 0x8000, .sleep = 5 };
	uint8_t raw[512];

	(void)state;
	memset(raw, 0xff, sizeof(raw));
	raid_super_write(&s, raw, sizeof(raw));
	assert_memory_equal(raw, "DmRd\1\0\0\0\2\0\0\0\1\0\0\0\5\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\3\0\0\0\0\0\0"
			    "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\10\0\0\0\0\0\0"
			    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 128);
	memset(raw, 0, RBM_HEADER);
	raid_bitmap_write(&b, raw);
	assert_memory_equal(raw, "bitm\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\0\10\0\0\0\0\0\0"
			    "\0\0\0\0\0\200\0\0\5\0\0\0\0\0\0\0", 64);
}

#define T(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_region_is_marked_before_it_is_written_to), T(only_what_is_marked_is_copied),
		T(no_write_ends_before_the_death_of_a_leg_is_recorded), T(a_leg_that_is_back_gets_what_it_lacks),
		T(a_leg_that_was_away_gets_what_it_lacks), T(a_leg_is_good_when_its_copies_are_durable),
		T(legs_are_equal_when_that_is_durable), T(the_last_leg_stays), T(a_read_that_fails_is_tried_elsewhere),
		T(check_counts_and_repair_mends), T(writes_that_overlap_leave_legs_equal), T(any_superblocks_can_be_read),
		T(any_bitmap_can_be_read), T(formats_are_those_of_linux),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("raid", tests, NULL, NULL);
}
