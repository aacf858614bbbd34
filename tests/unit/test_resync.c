/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions that are much smaller than what is worth a request: mirror and raid1 make many of them equal with one copy, and still
 * know of each for itself what became of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/seen.h"
#include "support/world.h"

enum { SECTORS = 16384, REGION = 8, REGIONS = SECTORS / REGION };
#define LEGS "0 16384 "
#define MIRROR LEGS "mirror core 1 8 2 leg0 0 leg1 0 1 handle_errors"
#define RAID1 LEGS "raid raid1 4 0 sync region_size 8 2 - leg0 - leg1"

static struct fixture f;
static struct dm_device *leg[2];

static int begin(void **state)
{
	(void)state;
	fixture_stop_clock();
	fixture_begin(&f, 2, AIO_AUTO);
	leg[0] = make_device(&f, "plain0", LEGS "linear memory,size=8M:m0 0");
	leg[1] = make_device(&f, "plain1", LEGS "linear memory,size=8M:m1 0");
	dm_open(leg[0]);
	dm_open(leg[1]);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dm_close(leg[0]);
	dm_close(leg[1]);
	fixture_end(&f);
	return 0;
}

static uint8_t contents[2][SECTORS * 512];

static void fill(unsigned n)
{
	size_t i;

	for (i = 0; i < sizeof(contents[n]); i++)
		contents[n][i] = (uint8_t)(i / 512 * 11 + i / 4096 + n);
	assert_int_equal(request(&f, leg[n], 0, DM_WRITE, 0, 0, SECTORS, contents[n]), 0);
}

static void look(void)
{
	unsigned n;

	for (n = 0; n < 2; n++)
		assert_int_equal(request(&f, leg[n], 0, DM_READ, 0, 0, SECTORS, contents[n]), 0);
}

static void assert_equal(void)
{
	look();
	assert_memory_equal(contents[0], contents[1], sizeof(contents[0]));
}

/* Until PART is in the status, seconds pass: how many. */
static unsigned seconds_until(const char *part)
{
	unsigned n = 0;

	while (!status_has(&f, "d", part)) {
		time_passes(&f, 1);
		settle_threads(&f);
		assert_true(++n < REGIONS);
	}
	return n;
}

/* 2048 regions of 4 KiB, and a leg that takes a second for each write: four copies of 64 regions at a time. */
static void assert_few_delays(const char *table, const char *part)
{
	fill(0);
	fill(1);
	make_device(&f, "leg0", LEGS "linear plain0 0");
	make_device(&f, "leg1", LEGS "delay plain1 0 0 plain1 0 1000");
	make_device(&f, "d", table);
	assert_in_range(seconds_until(part), 1, 3 * REGIONS / 64 / 4);
	assert_equal();
}

static void a_mirror_copies_small_regions_together(void **state)
{
	(void)state;
	assert_few_delays(MIRROR, " 2048/2048 ");
}

static void raid1_copies_small_regions_together(void **state)
{
	(void)state;
	assert_few_delays(RAID1, " AA 16384/16384 idle ");
}

/* Of the regions of one copy only that is not equal which could not be read. */
static void a_mirror_copies_what_can_be_read(void **state)
{
	uint8_t kept[REGION * 512];

	(void)state;
	fill(0);
	fill(1);
	memcpy(kept, contents[1] + 1000 * 512, sizeof(kept));
	make_device(&f, "leg0", "0 1000 linear plain0 0\n1000 8 error\n1008 15376 linear plain0 1008");
	make_device(&f, "leg1", LEGS "linear plain1 0");
	make_device(&f, "d", MIRROR);
	status_wait(&f, "d", " 2047/2048 ");
	look();
	assert_memory_equal(contents[1] + 1000 * 512, kept, sizeof(kept));
	memcpy(contents[1] + 1000 * 512, contents[0] + 1000 * 512, sizeof(kept));
	assert_memory_equal(contents[0], contents[1], sizeof(contents[0]));
}

/* No leg has all regions of a copy, but each region is on one. */
static void raid1_takes_each_region_from_where_it_is(void **state)
{
	(void)state;
	fill(0);
	fill(1);
	make_device(&f, "leg0", "0 1000 linear plain0 0\n1000 8 flakey plain0 1000 0 1 1 error_reads\n1008 15376 linear plain0 1008");
	make_device(&f, "leg1", "0 1040 linear plain1 0\n1040 8 flakey plain1 1040 0 1 1 error_reads\n1048 15336 linear plain1 1048");
	make_device(&f, "d", RAID1);
	status_wait(&f, "d", " AA 16384/16384 idle ");
	assert_equal();
}

/* While the first leg is copied it dies, and what was read of it cannot be written to the other one, which is the last. */
static void raid1_gives_up_what_the_last_leg_does_not_take(void **state)
{
	(void)state;
	gate_shut();
	make_device(&f, "leg0", "0 512 linear plain0 0\n512 512 gate\n1024 7168 linear plain0 1024\n8192 8192 error");
	make_device(&f, "leg1", "0 512 linear plain1 0\n512 512 error\n1024 15360 linear plain1 1024");
	make_device(&f, "d", LEGS "raid raid1 4 0 sync region_size 512 2 - leg0 - leg1");
	status_wait(&f, "d", " D");
	while (!gate_held())
		settle_threads(&f);
	gate_open(&f);
	status_wait(&f, "d", " idle ");
	assert_true(status_has(&f, "d", " D"));
}

static void leg0_is(const char *table)
{
	assert_int_equal(reload(&f, "leg0", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "leg0", 0, NULL), 0);
}

/* What the good leg refuses is on the one that is being made anew, which has got that region already: it gets it once more. */
static void raid1_undoes_what_only_a_new_leg_took(void **state)
{
	uint8_t data[512], old[512];
	unsigned i;

	(void)state;
	memset(old, 'o', sizeof(old));
	assert_int_equal(request(&f, leg[0], 0, DM_WRITE, 0, 0, 1, old), 0);
	make_device(&f, "leg0", LEGS "linear plain0 0");
	make_device(&f, "leg1", LEGS "linear plain1 0");
	make_device(&f, "d", "0 1024 raid raid1 7 0 rebuild 1 max_recovery_rate 32 region_size 8 2 - leg0 - leg1");
	do {
		settle_threads(&f);
		assert_int_equal(request(&f, leg[1], 0, DM_READ, 0, 0, 1, data), 0);
	} while (memcmp(data, old, sizeof(data)));
	for (i = 0; i < 4; i++)
		time_passes(&f, 1);		/* it is copied, and others are not */
	assert_false(status_has(&f, "d", " AA "));
	leg0_is("0 8 error\n8 16376 linear plain0 8");
	memset(data, 'x', sizeof(data));
	assert_int_equal(request(&f, open_device(&f, "d"), 0, DM_WRITE, 0, 0, 1, data), -EIO);
	assert_true(status_has(&f, "d", " Aa "));
	leg0_is(LEGS "linear plain0 0");
	for (i = 0; i < 100 && !status_has(&f, "d", " AA 1024/1024 idle "); i++)
		time_passes(&f, 1);
	status_wait(&f, "d", " AA 1024/1024 idle ");
	assert_int_equal(request(&f, leg[1], 0, DM_READ, 0, 0, 1, data), 0);
	assert_memory_equal(data, old, sizeof(data));
	dm_close(dm_find_name(f.world, "d"));
}

/* Each region counts for itself, also beside one that cannot be read. */
static void raid1_compares_small_regions_together(void **state)
{
	static const unsigned differs[] = { 80, 84, 96, 5000, 16383 };
	unsigned i;

	(void)state;
	fill(0);
	memcpy(contents[1], contents[0], sizeof(contents[1]));
	for (i = 0; i < sizeof(differs) / sizeof(differs[0]); i++)
		contents[1][differs[i] * 512] ^= 1;
	assert_int_equal(request(&f, leg[1], 0, DM_WRITE, 0, 0, SECTORS, contents[1]), 0);
	make_device(&f, "leg0", LEGS "linear plain0 0");
	make_device(&f, "leg1", "0 88 delay plain1 0 1000\n88 8 flakey plain1 88 0 1 1 error_reads\n96 16288 delay plain1 96 1000");
	make_device(&f, "d", LEGS "raid raid1 4 0 nosync region_size 8 2 - leg0 - leg1");
	tell(&f, "d", "check");
	/* 16 regions at a time, and those beside the one that cannot be read alone. */
	assert_in_range(seconds_until(" AA 16384/16384 idle 32 "), REGIONS / 16 / 4, 3 * REGIONS / 16 / 4);
	tell(&f, "d", "repair");
	seconds_until(" AA 16384/16384 idle 0 ");
	assert_equal();
}

/* Writes go on while regions are copied; those that meet a copy wait for it. */
static void writes_during_copies_leave_the_legs_equal(void **state)
{
	enum { MANY = 300 };
	static struct job jobs[MANY];
	static uint8_t data[MANY][8 * 512];
	struct dm_device *d;
	unsigned i;

	(void)state;
	fill(0);
	fill(1);
	make_device(&f, "leg0", LEGS "linear plain0 0");
	make_device(&f, "leg1", LEGS "delay plain1 0 0 plain1 0 1000");
	d = make_device(&f, "d", MIRROR);
	dm_open(d);
	for (i = 0; i < MANY; i++) {
		memset(data[i], (int)i, sizeof(data[i]));
		job_start(&f, &jobs[i], d, i % 2, DM_WRITE, 0, i * 7919u % (SECTORS - 8), 1 + i % 8, data[i]);
	}
	seconds_until(" 2048/2048 ");
	for (i = 0; i < MANY; i++) {
		while (!jobs[i].over) {
			time_passes(&f, 1);
			settle_threads(&f);
		}
		assert_int_equal(job_wait(&jobs[i]), 0);
	}
	dm_close(d);
	assert_equal();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mirror_copies_small_regions_together),
		TEST(raid1_copies_small_regions_together),
		TEST(a_mirror_copies_what_can_be_read),
		TEST(raid1_takes_each_region_from_where_it_is),
		TEST(raid1_gives_up_what_the_last_leg_does_not_take),
		TEST(raid1_undoes_what_only_a_new_leg_took),
		TEST(raid1_compares_small_regions_together),
		TEST(writes_during_copies_leave_the_legs_equal),
	};

	return cmocka_run_group_tests_name("resync", tests, NULL, NULL);
}
