/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phase of a transition in which it is recorded: it fails, hangs and is given up, by its caller or at the world's end;
 * and no request passes before it is over. The device d has the line a, whose hooks a test observes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "support/hooks.h"
#include "support/pending.h"
#include "support/recorder.h"

static struct fixture f;
static struct recorder r;
static struct dm_device *d;

static void start(struct pending *p, enum dm_verb v, const char *name)
{
	pending_start(&f, p, (struct dm_cmd){ .verb = v, .name = name });
}

static int end_of(struct pending *p)
{
	return pending_wait(&f, p);
}

static void until_recorded(void)
{
	while (!r.waiting)
		settle_threads(&f);
}

static void begin(bool durable)
{
	hooks_reset();
	recorder_init(&r);
	fixture_begin(&f, 2, AIO_AUTO);
	recorder_restore(&f, &r);
	d = make_device(&f, "d", "0 64 hooks a");
	dm_open(d);
	r.r.durable = durable;
	hooks_called();
}

static void end(void)
{
	hooks_reset();
	r.r.durable = false;
	dm_close(d);
	fixture_end(&f);
	recorder_free(&r);
	assert_int_equal(hooks_lines(), 0);
}

static enum dm_verb prepare(bool swap)
{
	r.r.durable = false;
	if (swap)
		assert_int_equal(reload(&f, "d", "0 32 hooks n", NULL), 0);
	hooks_called();
	r.r.durable = true;
	return swap ? DM_DO_RESUME : DM_DO_SUSPEND;
}

static const char *const undone[] = {
	"a.presuspend a.postsuspend a.preresume a.resume",
	"a.presuspend a.postsuspend n.preresume n.resume n.presuspend n.postsuspend a.preresume a.resume",
};

/* Requests meet the old table, and the record is what it was. */
static void expect_as_it_was(const char *before, bool swap)
{
	uint8_t data[512] = { 0 };
	char *now;

	while (dm_device_moving(d))
		loop_turn(f.loop, -1);
	assert_int_equal(d->state, DM_ACTIVE);
	assert_int_equal(d->active->sectors, 64);
	assert_int_equal(!!d->inactive, swap);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 40, 1, data), 0);
	assert_string_equal(hooks_called(), undone[swap]);
	now = recorder_all(&r);
	assert_string_equal(now, before);
	free(now);
}

static void what_is_not_recorded_is_undone(void **state)
{
	struct pending p;
	char *before;
	int swap;

	(void)state;
	for (swap = 0; swap < 2; swap++) {
		enum dm_verb v;

		begin(false);
		v = prepare(swap);
		r.r.durable = false;
		before = recorder_all(&r);
		r.fail = -EROFS;
		start(&p, v, "d");
		assert_int_equal(end_of(&p), -EROFS);
		assert_non_null(strstr(p.c.reply.err.text, "the recorder refuses; 'd' stays as it was"));
		expect_as_it_was(before, swap);
		r.fail = 0;
		assert_int_equal(verb(&f, v, "d", 0, NULL), 0);
		free(before);
		end();
	}
}

/* The frame is there, but not on the disk: requests wait, so does the answer. */
static void no_request_passes_before_the_record_is_durable(void **state)
{
	static uint8_t data[512];
	struct job job;
	struct pending p;

	(void)state;
	begin(true);
	start(&p, prepare(true), "d");
	until_recorded();
	assert_non_null(strstr(recorder_value(&r, "device/1"), "active 2\n"));
	job_start(&f, &job, d, 1, DM_READ, 0, 0, 1, data);
	settle_threads(&f);
	settle_threads(&f);
	assert_false(job.over);
	assert_false(p.over);
	recorder_sync(&f, &r, 0);
	assert_int_equal(job_wait(&job), 0);
	while (!p.over && !r.waiting)
		loop_turn(f.loop, -1);
	recorder_sync(&f, &r, 0);
	assert_int_equal(end_of(&p), 0);
	assert_int_equal(d->active->sectors, 32);
	end();
}

static void a_disk_that_fails_turns_it_back(void **state)
{
	struct pending p;
	char *before;
	int swap;

	(void)state;
	for (swap = 0; swap < 2; swap++) {
		enum dm_verb v;

		begin(true);
		v = prepare(swap);
		before = recorder_all(&r);
		start(&p, v, "d");
		until_recorded();
		recorder_sync(&f, &r, -EIO);
		until_recorded();
		recorder_sync(&f, &r, 0);
		while (!p.over && !r.waiting)
			loop_turn(f.loop, -1);
		recorder_sync(&f, &r, 0);
		assert_int_equal(end_of(&p), -EIO);
		expect_as_it_was(before, swap);
		free(before);
		end();
	}
}

/* What was recorded is undone there, too, before a request passes. */
static void what_hangs_is_given_up(void **state)
{
	struct pending p;
	char *before;
	int swap;

	(void)state;
	for (swap = 0; swap < 2; swap++) {
		struct journal_wait *first;
		enum dm_verb v;

		begin(true);
		v = prepare(swap);
		before = recorder_all(&r);
		start(&p, v, "d");
		until_recorded();
		first = r.waiting;
		r.waiting = NULL;
		dm_cancel(&p.c);
		until_recorded();
		recorder_sync(&f, &r, 0);
		while (!p.over && !r.waiting)
			loop_turn(f.loop, -1);
		recorder_sync(&f, &r, 0);
		assert_int_equal(end_of(&p), -EINTR);
		expect_as_it_was(before, swap);
		r.waiting = first;
		recorder_sync(&f, &r, 0);
		settle_threads(&f);
		free(before);
		end();
	}
}

/* Nothing may pass the old table when the record has the new one. */
static void what_cannot_be_undone_there_stays_suspended(void **state)
{
	struct pending p;
	int swap;

	(void)state;
	for (swap = 0; swap < 2; swap++) {
		begin(true);
		start(&p, prepare(swap), "d");
		until_recorded();
		r.fail = -ENOSPC;
		dm_cancel(&p.c);
		recorder_sync(&f, &r, 0);
		while (!p.over && !r.waiting)
			loop_turn(f.loop, -1);
		recorder_sync(&f, &r, 0);
		assert_int_equal(end_of(&p), -EINTR);
		assert_non_null(strstr(p.c.reply.err.text, "'d' stays suspended: the recorder refuses"));
		while (dm_device_moving(d))
			loop_turn(f.loop, -1);
		assert_int_equal(d->state, DM_SUSPENDED);
		assert_int_equal(d->active->sectors, swap ? 32 : 64);
		r.fail = 0;
		r.r.durable = false;
		assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
		end();
	}
}

static void several_are_in_one_frame(void **state)
{
	static const char *const names[] = { "d", "e", "top" };
	struct dm_cmd c = { .verb = DM_DO_SUSPEND, .names = names, .n_names = 3 };
	unsigned frames;

	(void)state;
	begin(false);
	make_device(&f, "e", "0 8 zero");
	make_device(&f, "top", "0 8 linear d 0");
	frames = r.frames;
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_int_equal(r.frames, frames + 1);
	c = (struct dm_cmd){ .verb = DM_DO_RESUME, .names = names, .n_names = 3 };
	r.fail = -ENOSPC;
	assert_int_equal(run(&f, &c, NULL), -ENOSPC);
	assert_true(info(&f, "top").suspended && info(&f, "d").suspended && info(&f, "e").suspended);
	r.fail = 0;
	c = (struct dm_cmd){ .verb = DM_DO_RESUME, .names = names, .n_names = 3 };
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_int_equal(r.frames, frames + 2);
	end();
}

/* Another command is recorded while a device moves: as it was, as long as nothing is decided. */
static void a_frame_in_the_middle_of_a_swap_has_the_old_table(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_GEOMETRY, .name = "d", .geometry = { 1, 1, 1, 0 } };
	struct pending p;

	(void)state;
	begin(false);
	prepare(true);
	r.r.durable = false;
	hooks_tell("n.resume", HOOKS_HANG);
	start(&p, DM_DO_RESUME, "d");
	while (!hooks_hang())
		settle_threads(&f);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_non_null(strstr(recorder_value(&r, "device/1"), "geometry 1 1 1 0\nactive 1\ninactive 2\n"));
	hooks_end(0);
	assert_int_equal(end_of(&p), 0);
	assert_non_null(strstr(recorder_value(&r, "device/1"), "active 2\n"));
	assert_null(strstr(recorder_value(&r, "device/1"), "inactive"));
	assert_null(recorder_value(&r, "table/1"));
	end();
}

static void the_end_gives_up_what_hangs(void **state)
{
	struct pending p;

	(void)state;
	begin(true);
	start(&p, prepare(false), "d");
	until_recorded();
	dm_world_release(f.world);
	while (!p.over) {
		recorder_sync(&f, &r, 0);
		settle_threads(&f);
	}
	assert_int_equal(end_of(&p), -EINTR);
	while (dm_device_moving(d))
		loop_turn(f.loop, -1);
	assert_int_equal(d->state, DM_ACTIVE);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_recorded_is_undone),
		cmocka_unit_test(no_request_passes_before_the_record_is_durable),
		cmocka_unit_test(a_disk_that_fails_turns_it_back),
		cmocka_unit_test(what_hangs_is_given_up),
		cmocka_unit_test(what_cannot_be_undone_there_stays_suspended),
		cmocka_unit_test(several_are_in_one_frame),
		cmocka_unit_test(a_frame_in_the_middle_of_a_swap_has_the_old_table),
		cmocka_unit_test(the_end_gives_up_what_hangs),
	};

	fixture_add_type(&hooks_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
