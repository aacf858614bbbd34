/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raid1 with max_write_behind: a write ends when the legs have it that are not write_mostly; nothing overtakes what is behind, a suspend
 * waits for it, and whatever fails, or when the power is cut, nothing is lost of what was reported.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "support/pending.h"
#include "targets/raid/format.h"

/* Leg 0 is disk 1, or the device "leg" on it; leg 1, which is write_mostly, is disk 3. Four writes may be behind. */
#define WORDS "0 512 raid raid1 7 0 region_size 16 write_mostly 1 max_write_behind 8 2 disk:0 %s disk:2 %s"
#define MOST 4u

static struct fixture f;
static struct dm_device *d;

static void world_begin(const char *first, const char *second)
{
	char table[300];

	fixture_stop_clock();
	fixture_store = &disk_type;
	fixture_begin(&f, 2, AIO_AUTO);
	make_device(&f, "leg", strcmp(second, "leg") ? "0 2048 linear disk:1 0" : "0 2048 linear disk:3 0");
	make_device(&f, "gated", "0 64 linear disk:3 0\n64 64 gate\n128 1920 linear disk:3 128");
	snprintf(table, sizeof(table), WORDS, first, second);
	d = make_device(&f, "d", table);
	dm_open(d);
	status_wait(&f, "d", " AA 512/512 idle ");
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

static int put(uint64_t sector, uint32_t flags, int byte)
{
	uint8_t data[512];

	memset(data, byte, sizeof(data));
	return request(&f, d, 0, DM_WRITE, flags, sector, 1, data);
}

/* A write on the other thread. */
static void put_start(struct job *j, uint8_t data[512], uint64_t sector, int byte)
{
	memset(data, byte, 512);
	job_start(&f, j, d, 1, DM_WRITE, 0, sector, 1, data);
}

static uint8_t byte_at(unsigned disk, unsigned sector)
{
	uint8_t byte;

	disk_look(disk, sector * 512u, &byte, 1);
	return byte;
}

static bool is_marked(unsigned region)
{
	uint8_t bits[512];

	disk_look(0, RBM_AT, bits, sizeof(bits));
	return raid_bit(bits, region);
}

static void wait_until_it_has(unsigned disk, unsigned sector, int byte)
{
	while (byte_at(disk, sector) != byte)
		settle_threads(&f);
}

/* The device "leg" fails from sector 64 on. */
static void leg_fails(unsigned disk)
{
	char table[200];

	snprintf(table, sizeof(table), "0 64 linear disk:%u 0\n64 1984 error", disk);
	assert_int_equal(reload(&f, "leg", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "leg", 0, NULL), 0);
}

/* --- what it is for ---------------------------------------------------------------------------------------------------------- */

static void a_write_does_not_wait_for_the_slow_leg(void **state)
{
	unsigned i;

	(void)state;
	world_begin("disk:1", "disk:3");
	disk_hold(3);
	assert_int_equal(put(64, 0, 'x'), 0);
	assert_int_equal(byte_at(1, 64), 'x');
	assert_int_equal(byte_at(3, 64), 0);
	for (i = 0; i < 5; i++)
		time_passes(&f, 1);
	assert_true(is_marked(4));
	disk_let_go();
	wait_until_it_has(3, 64, 'x');
	for (i = 0; i < 1000 && is_marked(4); i++)
		time_passes(&f, 1);
	assert_false(is_marked(4));
	world_end();
}

static void one_that_it_overlaps_waits(void **state)
{
	uint8_t data[512];
	struct job j;

	(void)state;
	world_begin("disk:1", "disk:3");
	disk_hold(3);
	assert_int_equal(put(64, 0, 'x'), 0);
	put_start(&j, data, 64, 'y');
	assert_int_equal(put(65, 0, 'z'), 0);
	settle_threads(&f);
	assert_false(j.over);
	assert_int_equal(byte_at(1, 64), 'x');
	disk_let_go();
	assert_int_equal(job_wait(&j), 0);
	wait_until_it_has(3, 64, 'y');
	assert_int_equal(byte_at(1, 64), 'y');
	world_end();
}

static void only_so_many_are_behind(void **state)
{
	uint8_t data[512];
	struct job j;
	unsigned i;

	(void)state;
	world_begin("disk:1", "disk:3");
	disk_hold(3);
	for (i = 0; i < MOST; i++)
		assert_int_equal(put(i * 20, 0, 'x'), 0);
	put_start(&j, data, 100, 'y');
	while (disk_held() <= MOST)
		settle_threads(&f);
	settle_threads(&f);
	assert_false(j.over);
	disk_let_go();
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(byte_at(3, 100), 'y');
	world_end();
}

static void a_suspend_waits_for_it(void **state)
{
	static const char *const names[] = { "d" };
	struct pending p;

	(void)state;
	world_begin("disk:1", "disk:3");
	disk_hold(3);
	assert_int_equal(put(64, 0, 'x'), 0);
	pending_start(&f, &p, (struct dm_cmd){ .verb = DM_DO_SUSPEND, .names = names, .n_names = 1 });
	settle_threads(&f);
	settle_threads(&f);
	assert_false(p.over);
	disk_let_go();
	assert_int_equal(pending_wait(&f, &p), 0);
	assert_int_equal(byte_at(3, 64), 'x');
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	world_end();
}

/* --- failures ---------------------------------------------------------------------------------------------------------------- */

/* The other leg dies: what it had reported is read from the slow one, but not before that has it. */
static void a_read_does_not_overtake_it(void **state)
{
	uint8_t data[2][512];
	struct job jobs[2];

	(void)state;
	world_begin("leg", "disk:3");
	disk_hold(3);
	assert_int_equal(put(64, 0, 'x'), 0);
	leg_fails(1);
	put_start(&jobs[0], data[0], 100, 'y');	/* that leg refuses it, and perhaps this one has it */
	while (disk_held() < 2)
		settle_threads(&f);
	job_start(&f, &jobs[1], d, 0, DM_READ, 0, 64, 1, data[1]);
	settle_threads(&f);
	settle_threads(&f);
	assert_false(jobs[0].over || jobs[1].over);
	disk_let_go();
	assert_int_equal(job_wait(&jobs[0]), 0);
	assert_int_equal(job_wait(&jobs[1]), 0);
	assert_int_equal(data[1][0], 'x');
	status_wait(&f, "d", " DA ");
	assert_int_equal(byte_at(3, 100), 'y');
	world_end();
}

/* The same when the other leg is known to be dead. */
static void a_read_of_the_slow_leg_waits_for_it(void **state)
{
	uint8_t data[512];
	struct job j;

	(void)state;
	world_begin("leg", "gated");		/* the gate is open at first */
	gate_shut();
	assert_int_equal(put(64, 0, 'x'), 0);
	leg_fails(1);
	assert_int_equal(put(200, 0, 'y'), 0);
	status_wait(&f, "d", " DA ");
	job_start(&f, &j, d, 1, DM_READ, 0, 64, 1, data);
	settle_threads(&f);
	settle_threads(&f);
	assert_int_equal(gate_held(), 1);
	assert_false(j.over);
	gate_open(&f);
	assert_int_equal(job_wait(&j), 0);
	world_end();
}

static void the_slow_leg_dies_behind(void **state)
{
	struct raid_super s;

	(void)state;
	world_begin("disk:1", "leg");
	leg_fails(3);
	assert_int_equal(put(64, 0, 'x'), 0);
	status_wait(&f, "d", " AD ");
	assert_int_equal(put(65, 0, 'y'), 0);
	assert_true(raid_super_read(&s, disk_bytes(0)));
	assert_true(raid_super_failed(&s, 1));
	assert_true(is_marked(4));
	world_end();
}

/* --- a power cut --------------------------------------------------------------------------------------------------------------- */

enum { STEPS = 24, SECTORS = 96 };

/* Some durable writes; what each sector has to have, if they were reported before the cut. */
static void run_steps(int promised[SECTORS])
{
	unsigned i;

	memset(promised, 0, SECTORS * sizeof(*promised));
	for (i = 1; i <= STEPS; i++) {
		unsigned sector = i * 7 % SECTORS;

		assert_int_equal(put(sector, DM_FUA, (int)i), 0);
		promised[sector] = disk_is_cut() ? -1 : (int)i;
	}
}

static void cut_after(unsigned writes, enum disk_luck luck)
{
	int promised[SECTORS];
	unsigned sector;

	disk_reset();
	world_begin("disk:1", "disk:3");
	disk_cut_after(writes);
	run_steps(promised);
	world_end();
	disk_power_on(luck);
	world_begin("disk:1", "disk:3");
	assert_memory_equal(disk_bytes(1), disk_bytes(3), 512 * 512);
	for (sector = 0; sector < SECTORS; sector++)
		if (promised[sector] >= 0)
			assert_int_equal(byte_at(1, sector), promised[sector]);
	world_end();
}

static void what_was_reported_is_there_after_a_power_cut(void **state)
{
	unsigned writes;
	enum disk_luck luck;

	(void)state;
	for (writes = 0; writes < 3 * STEPS; writes++)
		for (luck = 0; luck < DISK_LUCKS; luck++)
			cut_after(writes, luck);
}

/* --- under load ---------------------------------------------------------------------------------------------------------------- */

static void all_is_equal_when_all_is_quiet(void **state)
{
	enum { MANY = 40 };
	static uint8_t data[MANY][16 * 512];
	struct job jobs[MANY];
	unsigned round, i;

	(void)state;
	world_begin("disk:1", "disk:3");
	for (round = 0; round < 30; round++) {
		for (i = 0; i < MANY; i++) {
			bool reads = i % 5 == 4;

			memset(data[i], (int)(round * MANY + i), sizeof(data[i]));
			job_start(&f, &jobs[i], d, i % 2, reads ? DM_READ : DM_WRITE, 0, i * 7 % 96, 1 + i % 16, data[i]);
		}
		for (i = 0; i < MANY; i++)
			assert_int_equal(job_wait(&jobs[i]), 0);
	}
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_memory_equal(disk_bytes(1), disk_bytes(3), 512 * 512);
	world_end();
}

#define T(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_write_does_not_wait_for_the_slow_leg), T(one_that_it_overlaps_waits), T(only_so_many_are_behind), T(a_suspend_waits_for_it),
		T(a_read_does_not_overtake_it), T(a_read_of_the_slow_leg_waits_for_it), T(the_slow_leg_dies_behind), T(what_was_reported_is_there_after_a_power_cut),
		T(all_is_equal_when_all_is_quiet),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("raid1, writes behind", tests, NULL, NULL);
}
