/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures that are reported to lines: for which leg of a stripe they count, and which events they raise. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

#define THREADS 3
#define CHUNK 8u

static struct fixture f;
static uint8_t data[128 * 512];

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, THREADS, AIO_AUTO);
	assert_int_equal(create(&f, "bad", "0 64 error", NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

/* An open device with this table. */
static struct dm_device *made(const char *name, const char *table)
{
	struct dm_device *d = make_device(&f, name, table);

	dm_open(d);
	return d;
}

/* What a command returns that is run directly after the answer: nothing has to be waited for. */
static void expect(const char *name, const char *legs, uint32_t events)
{
	char *status = rows(&f, DM_DO_STATUS, name, 0), *last = strrchr(status, ' ') + 1;

	last[strcspn(last, "\n")] = 0;
	assert_string_equal(last, legs);
	assert_int_equal(info(&f, name).event_nr, events);
	free(status);
}

static int reads(struct dm_device *d, uint64_t sector, uint64_t count)
{
	return request(&f, d, 0, DM_READ, 0, sector, count, data);
}

static void a_leg_that_fails_is_told(void **state)
{
	struct dm_device *d = made("d", "0 48 striped 3 8 memory,size=8M:a 0 bad 0 memory,size=8M:b 0");

	(void)state;
	assert_int_equal(reads(d, 0, CHUNK), 0);
	assert_int_equal(reads(d, 2 * CHUNK, CHUNK), 0);
	expect("d", "AAA", 0);
	assert_int_equal(reads(d, CHUNK, 1), -EIO);
	expect("d", "ADA", 1);
	assert_int_equal(request(&f, d, 1, DM_DISCARD, 0, 0, 48, NULL), -EIO);
	expect("d", "ADA", 2);
	assert_int_equal(request(&f, d, 2, DM_WRITE, DM_FUA, CHUNK, CHUNK, data), -EIO);
	expect("d", "ADA", 3);
	dm_close(d);
}

static void what_is_none_is_not_counted(void **state)
{
	struct dm_device *d = made("d", "0 32 striped 2 8 bad 0 bad 16"), *e = made("e", "0 8 error\n8 16 striped 2 8 bad 0 bad 8");

	(void)state;
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(reads(d, 31, 2), -EIO);	/* it is the device's own end */
	assert_int_equal(reads(d, 32, 1), -EIO);
	request(&f, d, 0, DM_EXTENT, 0, 0, 32, NULL);
	assert_int_equal(request(&f, d, 0, DM_READ, DM_AHEAD, 0, 16, data), -EIO);
	assert_int_equal(reads(e, 0, CHUNK), -EIO);	/* another line's */
	expect("d", "AA", 0);
	expect("e", "AA", 0);
	dm_close(d);
	dm_close(e);
}

/* Each piece that fails counts, with all its legs; after a number of them a leg raises no more events. */
static void events_come_to_an_end(void **state)
{
	struct dm_device *d = made("d", "0 64 striped 2 8 bad 0 memory,size=8M:a 0"), *e;
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(reads(d, 0, 64), -EIO);	/* four chunks of the leg: 12 failures */
	expect("d", "DA", 12);
	for (i = 0; i < 10; i++)
		assert_int_equal(reads(d, i, 1), i < CHUNK ? -EIO : 0);
	expect("d", "DA", 14);
	e = made("e", "0 32 striped 2 8 bad 0 bad 16");
	assert_int_equal(reads(e, 0, 1), -EIO);
	expect("e", "DD", 1);
	dm_close(d);
	dm_close(e);
}

static void a_new_table_begins_anew(void **state)
{
	struct dm_device *d = made("d", "0 16 striped 2 8 bad 0 bad 8");

	(void)state;
	reads(d, 0, 1);
	verb(&f, DM_DO_SUSPEND, "d", 0, NULL);
	verb(&f, DM_DO_RESUME, "d", 0, NULL);
	expect("d", "DD", 1);
	reload(&f, "d", "0 16 striped 2 8 bad 0 memory,size=8M:a 8", NULL);
	verb(&f, DM_DO_RESUME, "d", 0, NULL);
	expect("d", "AA", info(&f, "d").event_nr);
	dm_close(d);
}

/* Deeper than a request's own path, with pieces on the way. */
static void every_line_of_a_stack_is_told(void **state)
{
	static char last[8] = "bad";
	char name[8], table[64];
	unsigned i;

	(void)state;
	for (i = 0; i < 2 * DM_DEPTH + 1; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		snprintf(table, sizeof(table), i == 2 ? "0 8 striped 2 4 %s 0 %s 4" : "0 8 striped 1 8 %s 0", last, last);
		dm_close(made(name, table));
		strcpy(last, name);
	}
	dm_open(dm_find_name(f.world, last));
	assert_int_equal(reads(dm_find_name(f.world, last), 0, 8), -EIO);
	for (i = 0; i < 2 * DM_DEPTH + 1; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		expect(name, i == 2 ? "DD" : "D", i <= 2 ? 2 : 1);
	}
	dm_close(dm_find_name(f.world, last));
}

/* A line that holds a request has not sent it on: its failure is not an event, of that line or any other. */
static void a_held_request_that_fails_is_no_failure_below(void **state)
{
	struct dm_device *d = made("d", "0 16 gate"), *e = made("e", "0 8 linear d 0\n8 8 striped 2 4 d 8 d 12");
	struct job jobs[3];

	(void)state;
	gate_shut();
	job_start(&f, &jobs[0], d, 0, DM_READ, 0, 0, 1, data);
	job_start(&f, &jobs[1], e, 1, DM_READ, 0, 0, 1, data);
	job_start(&f, &jobs[2], e, 2, DM_READ, 0, 4, 8, data);
	settle_threads(&f);
	assert_int_equal(gate_held(), 4);
	gate_end(&f, -EIO);
	assert_int_equal(job_wait(&jobs[0]), -EIO);
	assert_int_equal(job_wait(&jobs[1]), -EIO);
	assert_int_equal(job_wait(&jobs[2]), -EIO);
	assert_int_equal(info(&f, "d").event_nr, 0);
	assert_int_equal(info(&f, "e").event_nr, 1);	/* its striped line sent two on, and counts those */
	dm_close(d);
	dm_close(e);
}

static bool woken;

static void wait_over(struct dm_cmd *c)
{
	woken = !c->reply.err.code;
	dm_reply_free(&c->reply);
}

static void who_waits_is_woken(void **state)
{
	struct dm_device *d = made("d", "0 16 striped 2 8 bad 0 bad 8");
	struct dm_cmd c = { .verb = DM_DO_WAIT, .name = "d", .done = wait_over };

	(void)state;
	woken = false;
	dm_do(f.world, &c);
	settle_threads(&f);
	assert_false(woken);
	assert_int_equal(reads(d, 0, 16), -EIO);
	settle_threads(&f);
	assert_true(woken);
	dm_close(d);
}

/* Failures on all threads at once, and the devices are removed before their events were looked at. */
static void devices_may_go_meanwhile(void **state)
{
	struct job jobs[THREADS][8];
	struct dm_device *d;
	unsigned i, k, round;

	(void)state;
	for (round = 0; round < 200; round++) {
		d = made("d", "0 32 striped 2 8 bad 0 bad 16");
		for (i = 0; i < THREADS; i++)
			for (k = 0; k < 8; k++)
				job_start(&f, &jobs[i][k], d, i, DM_READ, 0, k, 1 + 2 * k, data + k * 20 * 512);
		for (i = 0; i < THREADS; i++)
			for (k = 0; k < 8; k++)
				assert_int_equal(job_wait(&jobs[i][k]), -EIO);
		if (round % 2)	/* each leg counts for itself, and the threads may come to them in any order: 14 of each at most */
			assert_in_range(info(&f, "d").event_nr, 1, 2 * 14);
		dm_close(d);
		assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_leg_that_fails_is_told, begin, end),
		cmocka_unit_test_setup_teardown(what_is_none_is_not_counted, begin, end),
		cmocka_unit_test_setup_teardown(events_come_to_an_end, begin, end),
		cmocka_unit_test_setup_teardown(a_new_table_begins_anew, begin, end),
		cmocka_unit_test_setup_teardown(every_line_of_a_stack_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_held_request_that_fails_is_no_failure_below, begin, end),
		cmocka_unit_test_setup_teardown(who_waits_is_woken, begin, end),
		cmocka_unit_test_setup_teardown(devices_may_go_meanwhile, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
