/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror: what becomes of requests while legs fail, are slow, or are suspended. Legs are memory; where a test needs one to hold
 * or refuse requests, its sectors 512 to 1023 are the target `gate`.
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

#include "support/world.h"

#define GATED 512u		/* the first sector that a leg's gate has */

static struct fixture f;
static struct dm_device *d, *leg[2];

static int begin(void **state)
{
	unsigned i;

	(void)state;
	fixture_stop_clock();
	fixture_begin(&f, 2, AIO_AUTO);
	gate_shut();
	gate_open(&f);
	leg[0] = make_device(&f, "leg0", "0 4096 linear memory,size=2M:m0 0");
	leg[1] = make_device(&f, "leg1", "0 4096 linear memory,size=2M:m1 0");
	for (i = 0; i < 2; i++)
		dm_open(leg[i]);
	return 0;
}

static int end(void **state)
{
	unsigned i;

	(void)state;
	gate_open(&f);		/* of a test that has failed */
	if (d)
		dm_close(d);
	d = NULL;
	for (i = 0; i < 2; i++)
		dm_close(leg[i]);
	fixture_end(&f);
	return 0;
}

static void mirror(const char *table)
{
	d = make_device(&f, "d", table);
	dm_open(d);
}

/* Sectors 512 to 1023 of leg N are held or refused by the gate. */
static void put_gate(unsigned n)
{
	char table[200];

	snprintf(table, sizeof(table), "0 512 linear memory,size=2M:m%u 0\n512 512 gate\n1024 3072 linear memory,size=2M:m%u 1024", n, n);
	assert_int_equal(reload(&f, n ? "leg1" : "leg0", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, n ? "leg1" : "leg0", 0, NULL), 0);
}

static uint32_t events(void)
{
	return info(&f, "d").event_nr;
}

static void fill(uint8_t *data, unsigned sectors, int byte)
{
	memset(data, byte, (size_t)sectors * 512);
}

static int io(struct dm_device *where, enum dm_op op, uint64_t sector, uint64_t count, void *data)
{
	return request(&f, where, 0, op, 0, sector, count, data);
}

/* COUNT sectors of WHERE from SECTOR on are all BYTE. */
static void assert_holds(struct dm_device *where, uint64_t sector, uint64_t count, int byte)
{
	uint8_t got[64 * 512], want[64 * 512];

	assert_true(count <= 64);
	fill(want, (unsigned)count, byte);
	assert_int_equal(io(where, DM_READ, sector, count, got), 0);
	assert_memory_equal(got, want, count * 512);
}

static void put(struct dm_device *where, uint64_t sector, uint64_t count, int byte)
{
	uint8_t data[64 * 512];

	fill(data, (unsigned)count, byte);
	assert_int_equal(io(where, DM_WRITE, sector, count, data), 0);
}

/* --- what it is for ------------------------------------------------------------------------------------------------------- */

static void legs_become_equal_and_that_is_an_event(void **state)
{
	(void)state;
	put(leg[0], 0, 64, 'a');
	put(leg[0], 3584, 64, 'z');
	mirror("0 4096 mirror core 1 128 2 leg0 0 leg1 0");
	status_wait(&f, "d", " 32/32 1 AA 1 core");
	while (!events())	/* it is raised after what it tells of */
		settle_threads(&f);
	assert_holds(leg[1], 0, 64, 'a');
	assert_holds(leg[1], 3584, 64, 'z');
	put(d, 10, 30, 'n');
	assert_holds(leg[0], 10, 30, 'n');
	assert_holds(leg[1], 10, 30, 'n');
	assert_holds(d, 10, 30, 'n');
}

/* Many writes to the same few sectors, on two io threads, with other sizes: whichever is the last, it is the last on both legs. */
static void overlapping_writes_leave_the_legs_equal(void **state)
{
	enum { MANY = 200 };
	static struct job jobs[MANY];
	static uint8_t data[MANY][24 * 512], got[2][64 * 512];
	unsigned i, n;

	(void)state;
	mirror("0 4096 mirror core 2 512 nosync 2 leg0 0 leg1 0");
	for (i = 0; i < MANY; i++) {
		fill(data[i], 24, (int)i);
		n = 1 + i * 7 % 24;
		job_start(&f, &jobs[i], d, i % 2, DM_WRITE, 0, i * 13 % 40, n, data[i]);
	}
	for (i = 0; i < MANY; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(io(leg[i], DM_READ, 0, 64, got[i]), 0);
	assert_memory_equal(got[0], got[1], sizeof(got[0]));
}

/* Of two writes that overlap the second one is not sent before the first one has ended. */
static void a_write_waits_for_one_that_it_overlaps(void **state)
{
	uint8_t one[8 * 512], two[8 * 512], other[512];
	struct job jobs[3];

	(void)state;
	put_gate(1);
	mirror("0 4096 mirror core 2 512 nosync 2 leg0 0 leg1 0");
	gate_shut();
	fill(one, 8, '1');
	fill(two, 8, '2');
	fill(other, 1, 'o');
	job_start(&f, &jobs[0], d, 0, DM_WRITE, 0, GATED, 8, one);
	while (!gate_held())
		settle_threads(&f);
	job_start(&f, &jobs[1], d, 1, DM_WRITE, 0, GATED + 4, 8, two);
	settle_threads(&f);
	assert_int_equal(gate_held(), 1);
	job_start(&f, &jobs[2], d, 1, DM_WRITE, 0, GATED + 30, 1, other);
	while (gate_held() < 2)
		settle_threads(&f);
	assert_holds(leg[0], GATED, 8, '1');
	gate_open(&f);
	assert_int_equal(job_wait(&jobs[0]), 0);
	assert_int_equal(job_wait(&jobs[1]), 0);
	assert_int_equal(job_wait(&jobs[2]), 0);
	assert_holds(leg[0], GATED + 4, 8, '2');
}

/* A write to a region that is being copied waits for the copy; others do not. */
static void a_write_waits_for_the_copy_of_its_region(void **state)
{
	uint8_t data[512], far[512];
	struct job jobs[2];

	(void)state;
	put_gate(1);
	gate_shut();
	mirror("0 4096 mirror core 1 512 2 leg0 0 leg1 0");
	while (gate_held() < 1)
		settle_threads(&f);
	fill(data, 1, 'w');
	fill(far, 1, 'f');
	job_start(&f, &jobs[0], d, 0, DM_WRITE, 0, GATED, 1, data);
	job_start(&f, &jobs[1], d, 0, DM_WRITE, 0, 2400, 1, far);
	assert_int_equal(job_wait(&jobs[1]), 0);
	settle_threads(&f);
	assert_false(jobs[0].over);
	status_wait(&f, "d", " 7/8 ");
	assert_false(jobs[0].over);
	gate_open(&f);
	assert_int_equal(job_wait(&jobs[0]), 0);
	status_wait(&f, "d", " 8/8 ");
	assert_holds(leg[0], GATED, 1, 'w');
}

/* --- failures --------------------------------------------------------------------------------------------------------------- */

/* A write that the second leg refuses; with the words FEATURES. */
static void refuse_a_write(struct job *j, uint8_t *data, const char *features)
{
	char table[200];

	put_gate(1);
	snprintf(table, sizeof(table), "0 4096 mirror core 2 512 nosync 2 leg0 0 leg1 0%s", features);
	mirror(table);
	gate_shut();
	fill(data, 8, 'w');
	job_start(&f, j, d, 0, DM_WRITE, 0, GATED, 8, data);
	while (!gate_held())
		settle_threads(&f);
	gate_end(&f, -EIO);
}

static void what_a_leg_refuses_is_held_until_the_next_table(void **state)
{
	uint8_t data[8 * 512];
	struct job j;

	(void)state;
	refuse_a_write(&j, data, " 1 handle_errors");
	status_wait(&f, "d", " 7/8 1 AD 1 core");
	while (!events())
		settle_threads(&f);
	assert_false(j.over);
	assert_holds(d, GATED, 8, 'w');
	put(d, 200, 8, 'x');
	assert_holds(leg[1], 200, 8, 'x');
	assert_int_equal(reload(&f, "d", "0 4096 linear leg0 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, NULL), 0);
	assert_false(j.over);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), 0);
	assert_holds(leg[0], GATED, 8, 'w');
}

static void without_noflush_it_fails(void **state)
{
	uint8_t data[8 * 512];
	struct job j;

	(void)state;
	refuse_a_write(&j, data, " 1 handle_errors");
	status_wait(&f, "d", " 7/8 1 AD 1 core");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), -EIO);
}

static void with_keep_log_it_is_on_the_others(void **state)
{
	uint8_t data[8 * 512];
	struct job j;

	(void)state;
	refuse_a_write(&j, data, " 2 handle_errors keep_log");
	assert_int_equal(job_wait(&j), 0);
	assert_true(status_has(&f, "d", " 7/8 1 AD 1 core"));
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	status_wait(&f, "d", " 8/8 1 AA 1 core");
}

/* The world ends, or the device below is taken away: no leg is to blame, and the region is copied again. */
static void an_interrupted_write_fails_no_leg(void **state)
{
	static const int why[] = { -ESHUTDOWN, -EINTR };
	uint8_t data[8 * 512];
	struct job j;
	unsigned i;

	(void)state;
	put_gate(1);
	mirror("0 4096 mirror core 2 512 nosync 2 leg0 0 leg1 0 1 handle_errors");
	for (i = 0; i < 2; i++) {
		gate_shut();
		fill(data, 8, 'w');
		job_start(&f, &j, d, 0, DM_WRITE, 0, GATED, 8, data);
		while (!gate_held())
			settle_threads(&f);
		gate_end(&f, why[i]);
		assert_int_equal(job_wait(&j), why[i]);
		status_wait(&f, "d", " 8/8 1 AA 1 core");
	}
}

static void what_one_leg_cannot_read_another_one_can(void **state)
{
	uint8_t got[8 * 512], want[8 * 512];
	struct job j;

	(void)state;
	put(leg[0], GATED, 8, 'r');
	put(leg[1], GATED, 8, 'r');
	put_gate(0);
	mirror("0 4096 mirror core 2 512 nosync 2 leg0 0 leg1 0");
	gate_shut();
	job_start(&f, &j, d, 0, DM_READ, 0, GATED, 8, got);
	while (!gate_held())
		settle_threads(&f);
	gate_end(&f, -EIO);
	assert_int_equal(job_wait(&j), 0);
	fill(want, 8, 'r');
	assert_memory_equal(got, want, sizeof(want));
	assert_true(status_has(&f, "d", " 1 RA 1 core"));
}

/* Both legs refuse. */
static void without_any_leg_requests_fail(void **state)
{
	uint8_t data[8 * 512];
	struct job j;

	(void)state;
	put_gate(0);
	put_gate(1);
	mirror("0 4096 mirror core 2 512 nosync 2 leg0 0 leg1 0 1 handle_errors");
	gate_shut();
	fill(data, 8, 'w');
	job_start(&f, &j, d, 0, DM_WRITE, 0, GATED, 8, data);
	while (gate_held() < 2)
		settle_threads(&f);
	gate_end(&f, -EIO);
	assert_int_equal(job_wait(&j), -EIO);
	assert_true(status_has(&f, "d", " 1 DD 1 core"));
	assert_int_equal(io(d, DM_READ, GATED, 8, data), -EIO);
}

/* The copy of its region has failed, so a write that waited for that is held; a suspend ends it. */
static void a_write_is_held_where_the_copy_has_failed(void **state)
{
	uint8_t data[512];
	struct job j;

	(void)state;
	put_gate(1);
	gate_shut();
	mirror("0 4096 mirror core 1 512 2 leg0 0 leg1 0 1 handle_errors");
	while (!gate_held())
		settle_threads(&f);
	fill(data, 1, 'w');
	job_start(&f, &j, d, 0, DM_WRITE, 0, GATED, 1, data);
	settle_threads(&f);
	gate_end(&f, -EIO);
	status_wait(&f, "d", " 1 AS 1 core");
	assert_false(j.over);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), -EIO);
}

/* The second leg's sectors 512 to 1023 fail, or none do. */
static void second_fails(bool fails)
{
	assert_int_equal(reload(&f, "leg1", fails ? "0 512 linear memory,size=2M:m1 0\n512 512 error\n1024 3072 linear memory,size=2M:m1 1024" :
					    "0 4096 linear memory,size=2M:m1 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "leg1", 0, NULL), 0);
}

/* All legs were equal; the region is copied again, and the leg refuses that, too. It is as if it had refused a write. */
static void a_leg_that_refuses_a_discard_and_the_copy_is_dead(void **state)
{
	uint8_t data[512];
	uint32_t before;
	struct job j;

	(void)state;
	mirror("0 4096 mirror core 2 512 nosync 2 leg0 0 leg1 0 1 handle_errors");
	before = events();
	second_fails(true);
	assert_int_not_equal(io(d, DM_DISCARD, GATED, 8, NULL), 0);
	status_wait(&f, "d", " 7/8 1 AD 1 core");
	while (events() == before)
		settle_threads(&f);
	fill(data, 1, 'w');
	job_start(&f, &j, d, 0, DM_WRITE, 0, GATED, 1, data);
	settle_threads(&f);
	assert_false(j.over);
	assert_int_equal(reload(&f, "d", "0 4096 linear leg0 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), 0);
}

/* A mirror whose log is on a mirror: that marks go, which is written when it is suspended, is not held there. */
static void a_suspend_does_not_wait_for_the_leg_of_a_log(void **state)
{
	(void)state;
	make_device(&f, "log0", "0 64 linear memory,size=2M:l0 0");
	make_device(&f, "log1", "0 64 linear memory,size=2M:l1 0");
	make_device(&f, "log", "0 64 mirror core 2 16 nosync 2 log0 0 log1 0 1 handle_errors");
	mirror("0 4096 mirror disk 3 log 512 nosync 2 leg0 0 leg1 0 1 handle_errors");
	put(d, 0, 8, 'm');
	assert_int_equal(reload(&f, "log1", "0 64 error", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "log1", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, NULL), 0);
	assert_true(status_has(&f, "log", " 1 AD 1 core"));
	assert_int_equal(reload(&f, "log", "0 64 linear log0 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "log", DM_WITH_NOFLUSH, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "log", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_true(status_has(&f, "d", " 8/8 1 AA 3 disk "));
	dm_close(d);
	d = NULL;
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
}

/* A write is held because of a leg that could not be made equal; that is back, and is. */
static void what_is_held_goes_on_when_all_legs_are_equal(void **state)
{
	uint8_t data[512];
	struct job j;

	(void)state;
	second_fails(true);
	mirror("0 4096 mirror core 1 512 2 leg0 0 leg1 0 1 handle_errors");
	status_wait(&f, "d", " 7/8 1 AS 1 core");
	fill(data, 1, 'w');
	job_start(&f, &j, d, 0, DM_WRITE, 0, GATED, 1, data);
	settle_threads(&f);
	assert_false(j.over);
	second_fails(false);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), 0);
	status_wait(&f, "d", " 8/8 1 AA 1 core");
	assert_holds(leg[1], GATED, 1, 'w');
}

/*
 * The copy of the second region waits for the first leg; that of all others is over. It goes on in the moment in which the second leg
 * refuses a write to the third region: whichever comes first, that is not forgiven.
 */
static void fail_as_legs_become_equal(void)
{
	uint8_t data[512];
	struct job j;

	gate_shut();
	mirror("0 4096 mirror core 1 512 2 leg0 0 leg1 0 1 handle_errors");
	status_wait(&f, "d", " 7/8 ");
	assert_int_equal(reload(&f, "leg1", "0 1024 linear memory,size=2M:m1 0\n1024 512 error\n1536 2560 linear memory,size=2M:m1 1536", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "leg1", 0, NULL), 0);
	fill(data, 1, 'w');
	job_start(&f, &j, d, 1, DM_WRITE, 0, 1024, 1, data);
	gate_open(&f);
	status_wait(&f, "d", " 7/8 1 AD ");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(job_wait(&j), -EIO);
}

static void a_leg_that_fails_as_all_become_equal_is_not_forgiven(void **state)
{
	unsigned i;

	(void)state;
	put_gate(0);
	for (i = 0; i < 20; i++) {
		second_fails(false);
		fail_as_legs_become_equal();
		dm_close(d);
		d = NULL;
		assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
	}
}

/* --- words ------------------------------------------------------------------------------------------------------------------- */

static void wrong_words_get_a_sentence(void **state)
{
	static const struct { const char *words, *part; } wrong[] = {
		{ "core 1 3 2 leg0 0 leg1 0", "power of two" },
		{ "core 1 8192 2 leg0 0 leg1 0", "power of two" },
		{ "core 1 16 2 leg0 0 leg0 0", "legs 1 and 2 share sectors" },
		{ "core 1 16 2 leg0 0", "<device>: it is missing" },
		{ "core 1 16 1 leg0 0", "out of range" },
		{ "core 3 16 sync x 2 leg0 0 leg1 0", "out of range" },
		{ "core 2 16 perhaps 2 leg0 0 leg1 0", "neither sync nor nosync" },
		{ "paper 1 16 2 leg0 0 leg1 0", "no log that there is" },
		{ "disk 2 leg1 16 2 leg0 0 leg1 0", "leg 2 and the log share sectors" },
		{ "disk 2 small 2 2 leg0 0 leg1 0", "needs" },
		{ "core 1 16 2 leg0 0 leg1 0 1 keep_log", "keep_log needs handle_errors" },
		{ "core 1 16 2 leg0 0 leg1 0 1 ignore_errors", "no feature of a mirror" },
		{ "core 1 16 2 leg0 0 leg1 0 1 handle_errors x", "one too many" },
	};
	char table[200], why[ERR_TEXT];
	unsigned i;

	(void)state;
	assert_int_equal(create(&f, "small", "0 2 linear memory,size=2M:s 0", NULL), 0);
	assert_int_equal(create(&f, "big0", "0 4294967296 zero", NULL), 0);
	assert_int_equal(create(&f, "big1", "0 4294967296 zero", NULL), 0);
	assert_int_not_equal(create(&f, "d", "0 4294967296 mirror core 1 4294967296 2 big0 0 big1 0", why), 0);
	assert_non_null(strstr(why, "2147483648 is the most"));
	make_device(&f, "big", "0 4294967296 mirror core 2 2147483648 nosync 2 big0 0 big1 0");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(table, sizeof(table), "0 4096 mirror %s", wrong[i].words);
		assert_int_not_equal(create(&f, "d", table, why), 0);
		if (!strstr(why, wrong[i].part))
			fail_msg("%s: %s", wrong[i].words, why);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(legs_become_equal_and_that_is_an_event), T(overlapping_writes_leave_the_legs_equal),
		T(a_write_waits_for_one_that_it_overlaps), T(a_write_waits_for_the_copy_of_its_region),
		T(what_a_leg_refuses_is_held_until_the_next_table), T(without_noflush_it_fails),
		T(with_keep_log_it_is_on_the_others), T(an_interrupted_write_fails_no_leg),
		T(what_one_leg_cannot_read_another_one_can), T(without_any_leg_requests_fail),
		T(a_write_is_held_where_the_copy_has_failed), T(a_leg_that_refuses_a_discard_and_the_copy_is_dead),
		T(what_is_held_goes_on_when_all_legs_are_equal), T(a_suspend_does_not_wait_for_the_leg_of_a_log),
		T(a_leg_that_fails_as_all_become_equal_is_not_forgiven), T(wrong_words_get_a_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mirror", tests, NULL, NULL);
}
