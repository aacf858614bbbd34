/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raid1 with metadata that is resumed more than once: what was refused is refused again, and what could not be read is not believed
 * later.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/raid/format.h"

#define LINE "0 512 raid raid1 3 0 region_size 16 2 disk:0 disk:1 "

static struct fixture f;
static char why[ERR_TEXT];

static int begin(void **state)
{
	(void)state;
	disk_reset();
	return 0;
}

static void world_begin(void)
{
	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
}

/* The array of the disks 1 and 3 is made, and its legs are equal. */
static void made_before(void)
{
	world_begin();
	make_device(&f, "d", LINE "disk:2 disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	fixture_end(&f);
}

static int resume(void)
{
	return verb(&f, DM_DO_RESUME, "d", 0, why);
}

static struct raid_super super_of(unsigned disk)
{
	struct raid_super s;

	assert_true(raid_super_read(&s, disk_bytes(disk)));
	return s;
}

/* --- a resume that was refused ----------------------------------------------------------------------------------------------- */

/* As long as this is so, each resume says PART. */
static void is_refused_twice(const char *part)
{
	unsigned i;

	world_begin();
	make_device(&f, "d", "0 512 zero");
	assert_int_equal(reload(&f, "d", LINE "disk:2 disk:3", NULL), 0);
	for (i = 0; i < 2; i++) {
		assert_int_not_equal(resume(), 0);
		if (!strstr(why, part))
			fail_msg("resume %u: %s", i, why);
	}
}

static void what_was_refused_is_refused_again(void **state)
{
	uint64_t events;

	(void)state;
	made_before();
	memset(disk_bytes(2), 0, 512);
	events = super_of(0).events;
	is_refused_twice("have no superblock");
	fixture_end(&f);
	assert_int_equal(super_of(0).events, events);
}

/* What was damaged is right again: all is read, and what is marked is copied. */
static void what_is_right_again_is_read(void **state)
{
	uint8_t header[64];

	(void)state;
	made_before();
	memset(disk_bytes(1) + 100 * 512, 'x', 512);
	raid_bit_set(disk_bytes(0) + RBM_AT, 100 / 16, true);
	memcpy(header, disk_bytes(2) + RBM_AT, sizeof(header));
	memset(disk_bytes(2) + RBM_AT, 0xff, sizeof(header));
	is_refused_twice("bitmap");
	memcpy(disk_bytes(2) + RBM_AT, header, sizeof(header));
	assert_int_equal(resume(), 0);
	status_wait(&f, "d", " AA 512/512 idle ");
	fixture_end(&f);
	assert_int_equal(disk_bytes(3)[100 * 512], 'x');
}

/* --- a leg that could not be read -------------------------------------------------------------------------------------------- */

/* The second leg's superblock cannot be read at first, and is there later; then it is resumed once more. */
static void second_cannot_be_read(void)
{
	world_begin();
	make_device(&f, "meta", "0 2048 error");
	make_device(&f, "d", "0 512 raid raid1 3 0 region_size 16 2 disk:0 disk:1 meta disk:3");
	status_wait(&f, "d", " AD 512/512 idle ");
	assert_int_equal(reload(&f, "meta", "0 2048 linear disk:2 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "meta", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(resume(), 0);
}

/* It had been rebuilt only in part. */
static void a_leg_that_could_not_be_read_gets_all(void **state)
{
	struct raid_super s;

	(void)state;
	made_before();
	s = super_of(2);
	s.leg_recovered = 0;
	raid_super_write(&s, disk_bytes(2), 512);
	memset(disk_bytes(3) + 300 * 512, 'n', 512);
	second_cannot_be_read();
	status_wait(&f, "d", " AA 512/512 idle ");
	fixture_end(&f);
	assert_memory_equal(disk_bytes(1), disk_bytes(3), 512 * 512);
}

/* The same, but it is a later daemon that can read it. */
static void a_leg_that_failed_half_rebuilt_gets_all(void **state)
{
	struct raid_super s;

	(void)state;
	made_before();
	s = super_of(0);
	s.failed[0] = 1u << 1;
	raid_super_write(&s, disk_bytes(0), 512);
	s = super_of(2);
	s.leg_recovered = 256;
	raid_super_write(&s, disk_bytes(2), 512);
	memset(disk_bytes(3) + 300 * 512, 'n', 512);
	world_begin();
	make_device(&f, "d", LINE "disk:2 disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	fixture_end(&f);
	assert_memory_equal(disk_bytes(1), disk_bytes(3), 512 * 512);
}

/* Somebody has put another disk there: rebuild has to say so. */
static void a_leg_without_superblock_stays_dead(void **state)
{
	(void)state;
	made_before();
	memset(disk_bytes(2), 0, DISK_SECTORS * 512);
	memset(disk_bytes(3), 'n', DISK_SECTORS * 512);
	second_cannot_be_read();
	status_wait(&f, "d", " AD 512/512 idle ");
	fixture_end(&f);
	assert_int_equal(disk_bytes(3)[0], 'n');
}

/* --- metadata that are cut short ---------------------------------------------------------------------------------------------- */

static void meta_is(const char *table)
{
	assert_int_equal(reload(&f, "meta", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "meta", 0, NULL), 0);
}

/* A write to sector 48 ends with EINTR, because one of the metadata did. */
static void a_write_is_cut_short(struct dm_device *d)
{
	uint8_t data[512] = { 'x' };
	struct job j;

	meta_is("0 2048 gate");
	gate_shut();
	job_start(&f, &j, d, 0, DM_WRITE, 0, 48, 1, data);
	while (!gate_held())
		settle_threads(&f);
	gate_end(&f, -EINTR);
	assert_int_equal(job_wait(&j), -EINTR);
	meta_is("0 2048 linear disk:2 0");
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 48, 1, data), 0);
	dm_close(d);
}

static void a_write_whose_mark_is_cut_short_ends_so(void **state)
{
	(void)state;
	made_before();
	world_begin();
	make_device(&f, "meta", "0 2048 linear disk:2 0");
	make_device(&f, "d", "0 512 raid raid1 3 0 region_size 16 2 disk:0 disk:1 meta disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	a_write_is_cut_short(open_device(&f, "d"));
	assert_true(raid_bit(disk_bytes(2) + RBM_AT, 48 / 16));
	status_wait(&f, "d", " AA 512/512 idle ");
	fixture_end(&f);
}

/* That a leg is dead has to be recorded before a write ends; if that is cut short, it is recorded by the next one. */
static void a_death_is_recorded_in_the_end(void **state)
{
	struct raid_super s;

	(void)state;
	made_before();
	world_begin();
	make_device(&f, "meta", "0 2048 linear disk:2 0");
	make_device(&f, "leg", "0 512 linear disk:1 0");
	make_device(&f, "d", "0 512 raid raid1 3 0 region_size 512 2 disk:0 leg meta disk:3");
	status_wait(&f, "d", " AA 512/512 idle ");
	assert_int_equal(request(&f, open_device(&f, "d"), 0, DM_WRITE, 0, 0, 1, (uint8_t[512]){ 0 }), 0);
	assert_int_equal(reload(&f, "leg", "0 512 error", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "leg", 0, NULL), 0);
	a_write_is_cut_short(dm_find_name(f.world, "d"));
	s = super_of(2);
	assert_true(raid_super_failed(&s, 0));
	fixture_end(&f);
}

/* --- what no bitmap can say -------------------------------------------------------------------------------------------------- */

static void a_region_has_to_fit_into_the_header(void **state)
{
	(void)state;
	world_begin();
	make_device(&f, "one", "0 8388608 zero");
	make_device(&f, "two", "0 8388608 zero");
	assert_int_not_equal(create(&f, "d", "0 8388608 raid raid1 3 0 region_size 8388608 2 disk:0 one disk:2 two", why), 0);
	assert_non_null(strstr(why, "with metadata devices 4194304 is the most"));
	make_device(&f, "d", "0 8388608 raid raid1 4 0 nosync region_size 4194304 2 disk:0 one disk:2 two");
	make_device(&f, "three", "0 8388608 zero");
	make_device(&f, "e", "0 8388608 raid raid1 4 0 nosync region_size 8388608 2 - three - -");
	fixture_end(&f);
}

#define T(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(what_was_refused_is_refused_again), T(what_is_right_again_is_read), T(a_leg_that_could_not_be_read_gets_all),
		T(a_leg_that_failed_half_rebuilt_gets_all),
		T(a_leg_without_superblock_stays_dead), T(a_write_whose_mark_is_cut_short_ends_so),
		T(a_death_is_recorded_in_the_end), T(a_region_has_to_fit_into_the_header),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("raid again", tests, NULL, NULL);
}
