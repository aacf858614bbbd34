/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phases of transitions that are not hooks of a table (for those: test_moves.c): freezing file systems, requests in
 * flight, the flush. Each fails, hangs and is given up, by its caller or at the world's end. The device d has the line
 * a, whose hooks a test observes, one that holds flushes, and one that holds requests.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "core/path/held.h"
#include "support/hooks.h"
#include "support/pending.h"
#include "support/world.h"

#define OLD "0 32 hooks a\n32 16 dam\n48 16 gate"
#define NEW "0 64 hooks n"

static struct fixture f;
static struct dm_device *d;

/* --- a line that holds flushes ------------------------------------------------------------------------------------- */

static atomic_int dam_answers;		/* DM_DONE, -errno, or DM_HELD */
static struct dm_req *_Atomic dammed;

static int dam_ctr(struct dm_target *t, struct dm_args *a)
{
	(void)t;
	return dm_args_end(a);
}

static int dam_map(const struct dm_target *t, struct dm_req *r)
{
	(void)t;
	(void)r;
	return DM_DONE;
}

static int dam_flush(const struct dm_target *t, struct dm_req *r)
{
	int answer = atomic_load(&dam_answers);

	(void)t;
	if (answer == DM_HELD)
		atomic_store(&dammed, r);
	return answer;
}

static const struct dm_type dam_type = {
	.name = "dam", .usage = "", .about = "holds flushes", .size = 8, .ctr = dam_ctr, .map = dam_map, .flush = dam_flush,
};

static bool flush_hangs(void)
{
	return atomic_load(&dammed);
}

static void flush_ends(void)
{
	atomic_store(&dam_answers, DM_DONE);
	dm_go_on(atomic_exchange(&dammed, NULL), DM_DONE);
}

/* --- a front that freezes ------------------------------------------------------------------------------------------ */

static struct {
	unsigned freezes, thaws;
	bool hangs;		/* freeze() gets its answer from the test */
	int err;		/* otherwise this one, at once */
	struct loop_msg msg;
	bool on;
} ice;

static void ice_answer(struct loop_msg *m)
{
	struct err e = ERR_INIT;

	(void)m;
	if (ice.err)
		err_set(&e, ice.err, "it is too warm");
	dm_freeze_done(d, &e);
}

static bool ice_post(void)
{
	ice.msg.run = ice_answer;
	loop_post(f.loop, &ice.msg);
	return true;
}

static bool ice_freeze(struct dm_front *front, struct dm_device *device)
{
	(void)front;
	if (device != d || !ice.on)
		return false;
	ice.freezes++;
	return ice.hangs || ice_post();
}

static bool ice_thaw(struct dm_front *front, struct dm_device *device)
{
	(void)front;
	(void)device;
	ice.thaws++;
	ice.err = 0;
	return ice_post();
}

static struct dm_front ice_front = { .name = "ice", .freeze = ice_freeze, .thaw = ice_thaw };

static bool freeze_hangs(void)
{
	return ice.freezes && ice.hangs;
}

static void freeze_ends(void)
{
	ice.hangs = false;
	ice_answer(NULL);
}

/* --- commands ----------------------------------------------------------------------------------------------------------- */

static void start(struct pending *p, enum dm_verb v)
{
	pending_start(&f, p, (struct dm_cmd){ .verb = v, .name = "d" });
}

static int end_of(struct pending *p)
{
	return pending_wait(&f, p);
}

static void until(bool (*so)(void))
{
	while (!so())
		settle_threads(&f);
}

static bool quiet(void)
{
	return (!dm_find_name(f.world, "d") || !dm_device_moving(d)) && list_empty(&f.world->retiring);
}

static void begin(void)
{
	hooks_reset();
	fixture_begin(&f, 2, AIO_AUTO);
	list_append(&f.world->fronts, &ice_front.node);
	memset(&ice, 0, sizeof(ice));
	atomic_store(&dam_answers, DM_DONE);
	d = make_device(&f, "d", OLD);
	dm_open(d);
	hooks_called();
}

static void end(void)
{
	hooks_reset();
	while (d && d->open_count)
		dm_close(d);
	list_remove(&ice_front.node);
	fixture_end(&f);
	assert_int_equal(hooks_lines(), 0);
}

/* Requests meet the old table, and the new one is where it was. */
static void expect_as_it_was(bool swap)
{
	uint8_t data[512] = { 0 };

	until(quiet);
	assert_int_equal(d->state, DM_ACTIVE);
	assert_int_equal(d->active->n, 3);
	assert_int_equal(!!d->inactive, swap);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, data), 0);
	assert_string_equal(hooks_called(), "a.presuspend a.resume");
}

/* --- the phases --------------------------------------------------------------------------------------------------------- */

static bool request_hangs(void)
{
	return d->gate == DM_GATE_SHUT && gate_held();
}

enum phase { FREEZE, DRAIN, FLUSH, PHASES };

static struct job under_way;

static void phase_hangs(enum phase p)
{
	static uint8_t data[512];

	if (p == FREEZE) {
		ice.on = ice.hangs = true;
	} else if (p == DRAIN) {
		gate_shut();
		job_start(&f, &under_way, d, 1, DM_WRITE, 0, 48, 1, data);
	} else {
		atomic_store(&dam_answers, DM_HELD);
	}
}

static bool (*const hangs[PHASES])(void) = { freeze_hangs, request_hangs, flush_hangs };

static void phase_ends(enum phase p)
{
	if (p == FREEZE) {
		freeze_ends();
	} else if (p == DRAIN) {
		gate_open(&f);
		assert_int_equal(job_wait(&under_way), 0);
	} else {
		flush_ends();
	}
}

static enum dm_verb prepare(bool swap)
{
	if (swap)
		assert_int_equal(reload(&f, "d", NEW, NULL), 0);
	return swap ? DM_DO_RESUME : DM_DO_SUSPEND;
}

static void what_fails_is_undone(void **state)
{
	struct pending p;
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		bool swap = i % 2, freeze = i < 2;
		enum dm_verb v;

		begin();
		v = prepare(swap);
		ice.on = true;
		ice.err = freeze ? -EIO : 0;
		atomic_store(&dam_answers, freeze ? DM_DONE : -ENOSPC);
		start(&p, v);
		assert_int_equal(end_of(&p), freeze ? -EIO : -ENOSPC);
		assert_non_null(strstr(p.c.reply.err.text, freeze ? "it is too warm" : "'d' continues as before (--noflush omits the flush)"));
		expect_as_it_was(swap);
		assert_int_equal(ice.thaws, !freeze);
		assert_int_equal(d->moving.freeze_state, DM_THAWED);
		ice.err = 0;
		atomic_store(&dam_answers, DM_DONE);
		assert_int_equal(verb(&f, v, "d", 0, NULL), 0);
		assert_int_equal(d->state, swap ? DM_ACTIVE : DM_SUSPENDED);
		end();
	}
}

static void what_hangs_is_given_up(void **state)
{
	struct pending p;
	unsigned i;

	(void)state;
	for (i = 0; i < 2 * PHASES; i++) {
		enum phase phase = i / 2;
		enum dm_verb v;

		begin();
		v = prepare(i % 2);
		phase_hangs(phase);
		start(&p, v);
		until(hangs[phase]);
		assert_false(p.over);
		dm_cancel(&p.c);
		assert_int_equal(end_of(&p), -EINTR);
		expect_as_it_was(i % 2);
		phase_ends(phase);
		until(quiet);
		settle_threads(&f);
		assert_int_equal(ice.thaws, phase == FREEZE);
		while (d->moving.freeze_state != DM_THAWED)
			loop_turn(f.loop, -1);
		ice.on = false;
		assert_int_equal(verb(&f, v, "d", 0, NULL), 0);
		end();
	}
}

/* What was being frozen for a suspend that was given up need not be frozen twice. */
static void the_next_suspend_takes_over_a_freeze(void **state)
{
	struct pending p, q;

	(void)state;
	begin();
	phase_hangs(FREEZE);
	start(&p, DM_DO_SUSPEND);
	until(freeze_hangs);
	dm_cancel(&p.c);
	assert_int_equal(end_of(&p), -EINTR);
	until(quiet);
	start(&q, DM_DO_SUSPEND);
	settle_threads(&f);
	assert_false(q.over);
	phase_ends(FREEZE);
	assert_int_equal(end_of(&q), 0);
	assert_int_equal(ice.freezes, 1);
	assert_int_equal(ice.thaws, 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(ice.thaws, 1);
	end();
}

/* Nobody waits for it, but it is on its way through the table, which stays until it has ended. */
static void a_flush_that_was_given_up_keeps_its_table(void **state)
{
	struct pending p, q;

	(void)state;
	begin();
	phase_hangs(FLUSH);
	start(&p, DM_DO_SUSPEND);
	until(flush_hangs);
	dm_cancel(&p.c);
	assert_int_equal(end_of(&p), -EINTR);
	until(quiet);
	dm_close(d);
	start(&q, DM_DO_REMOVE);
	settle_threads(&f);
	settle_threads(&f);
	assert_false(q.over);
	assert_int_equal(hooks_lines(), 1);
	flush_ends();
	assert_int_equal(end_of(&q), 0);
	assert_int_equal(hooks_lines(), 0);
	d = NULL;
	end();
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

static void the_end_gives_up_what_hangs(void **state)
{
	static const char *const hooks[] = { "a.presuspend", "a.postsuspend" };
	struct pending p;
	unsigned i;

	(void)state;
	for (i = 0; i < PHASES + 2; i++) {
		begin();
		if (i < PHASES)
			phase_hangs(i);
		else
			hooks_tell(hooks[i - PHASES], HOOKS_HANG);
		start(&p, DM_DO_SUSPEND);
		until(i < PHASES ? hangs[i] : hooks_hang);
		dm_world_release(f.world);
		assert_int_equal(end_of(&p), -EINTR);
		if (i < PHASES)
			phase_ends(i);
		else
			hooks_end(0);
		until(quiet);
		assert_int_equal(d->state, DM_ACTIVE);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fails_is_undone),
		cmocka_unit_test(what_hangs_is_given_up),
		cmocka_unit_test(the_next_suspend_takes_over_a_freeze),
		cmocka_unit_test(a_flush_that_was_given_up_keeps_its_table),
		cmocka_unit_test(the_end_gives_up_what_hangs),
	};

	fixture_add_type(&hooks_type);
	fixture_add_type(&dam_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
