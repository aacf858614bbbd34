/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world's end: after its release nothing begins any more, lines that have stopped are not asked for anything, and a device
 * that hangs keeps no other one from being stopped and flushed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "core/device/step.h"
#include "core/path/held.h"
#include "support/hooks.h"
#include "support/pending.h"
#include "support/world.h"

static struct fixture f;

/* `flushes NAME DEVICE OFFSET`: counts those that it is asked for, and notes whether its hooks had stopped it. */
struct flushes {
	struct dm_at at;
	_Atomic bool stopped;
};

static atomic_uint asked, asked_stopped;
static atomic_bool flush_hangs;
static struct dm_req *_Atomic hanging;

static int flushes_ctr(struct dm_target *t, struct dm_args *a)
{
	struct flushes *l = t->priv;

	l->at = dm_arg_at(a, t->len);
	atomic_store(&l->stopped, true);
	return dm_args_end(a);
}

static int flushes_map(const struct dm_target *t, struct dm_req *r)
{
	const struct flushes *l = t->priv;

	return dm_remap(r, &l->at, r->sector);
}

static int flushes_flush(const struct dm_target *t, struct dm_req *r)
{
	const struct flushes *l = t->priv;

	atomic_fetch_add(&asked, 1);
	atomic_fetch_add(&asked_stopped, atomic_load(&l->stopped));
	if (atomic_load(&flush_hangs)) {
		atomic_store(&hanging, r);
		return DM_HELD;
	}
	return dm_remap(r, &l->at, 0);
}

static void flushes_preresume(struct dm_target *t, struct dm_step *s)
{
	struct flushes *l = t->priv;

	atomic_store(&l->stopped, false);
	dm_step_done(s, 0);
}

static void flushes_postsuspend(struct dm_target *t, struct dm_step *s)
{
	struct flushes *l = t->priv;

	atomic_store(&l->stopped, true);
	dm_step_done(s, 0);
}

static const struct dm_type flushes_type = {
	.name = "flushes", .usage = "<device> <offset>", .about = "counts flushes", .size = sizeof(struct flushes),
	.ctr = flushes_ctr, .map = flushes_map, .flush = flushes_flush, .preresume = flushes_preresume,
	.postsuspend = flushes_postsuspend,
};

static int begin(void **state)
{
	(void)state;
	hooks_reset();
	atomic_store(&asked, 0);
	atomic_store(&asked_stopped, 0);
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	assert_int_equal(hooks_lines(), 0);
	return 0;
}

static void start(struct pending *p, enum dm_verb v, const char *name)
{
	pending_start(&f, p, (struct dm_cmd){ .verb = v, .name = name });
}

static int end_of(struct pending *p)
{
	return pending_wait(&f, p);
}

static void is_refused(int err, const char *why)
{
	assert_int_equal(err, -ESHUTDOWN);
	assert_non_null(strstr(why, "the daemon is ending"));
}

/* Each of them would wait: for a request that is held, or for a hook. */
static void after_the_release_no_move_begins(void **state)
{
	static uint8_t data[512];
	char why[ERR_TEXT];
	struct dm_device *d, *s;
	struct job held;

	(void)state;
	d = make_device(&f, "d", "0 32 gate\n32 32 hooks a");
	s = make_device(&f, "s", "0 64 hooks s");
	dm_open(d);
	gate_shut();
	job_start(&f, &held, d, 1, DM_WRITE, 0, 0, 1, data);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "s", 0, NULL), 0);
	hooks_tell("a.presuspend", HOOKS_HANG);
	hooks_tell("s.preresume", HOOKS_HANG);
	hooks_called();
	dm_world_release(f.world);
	is_refused(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, why), why);
	is_refused(verb(&f, DM_DO_RESUME, "s", 0, why), why);
	is_refused(verb(&f, DM_DO_REMOVE, "s", 0, why), why);
	is_refused(create(&f, "n", "0 64 hooks s", why), why);
	assert_int_equal(d->state, DM_ACTIVE);
	assert_int_equal(s->state, DM_SUSPENDED);
	assert_null(dm_find_name(f.world, "n"));
	assert_string_equal(hooks_called(), "");
	gate_open(&f);
	assert_int_equal(job_wait(&held), 0);
	dm_close(d);
	hooks_reset();
}

/* Or its client would be waited for, and the daemon would not end before its patience does. */
static void a_disk_without_power_lets_go_of_what_hangs(void **state)
{
	struct dm_cmd cut = { .verb = DM_DO_CUT, .name = "d" };
	static uint8_t data[512];
	char why[ERR_TEXT];
	struct dm_device *d;
	struct job hangs;

	(void)state;
	d = make_device(&f, "d", "0 64 powercut memory,size=1M:d 0 hang");
	dm_open(d);
	assert_int_equal(run(&f, &cut, why), 0);
	dm_reply_free(&cut.reply);
	job_start(&f, &hangs, d, 1, DM_READ, 0, 0, 1, data);
	settle_threads(&f);
	assert_false(hangs.over);
	dm_world_release(f.world);
	assert_int_equal(job_wait(&hangs), -EIO);
	dm_close(d);
}

static void what_is_in_a_queue_is_refused(void **state)
{
	struct pending p, q;

	(void)state;
	make_device(&f, "d", "0 64 hooks a");
	hooks_tell("a.presuspend", HOOKS_HANG);
	start(&p, DM_DO_SUSPEND, "d");
	start(&q, DM_DO_SUSPEND, "d");
	while (!hooks_hang())
		loop_turn(f.loop, -1);
	dm_world_release(f.world);
	assert_int_equal(end_of(&p), -EINTR);
	assert_int_equal(end_of(&q), -ESHUTDOWN);
	hooks_end(0);
	hooks_reset();
}

/* The last close comes when the fronts stop, or has come before: the device goes with the others. */
static void a_deferred_removal_waits_for_the_end(void **state)
{
	struct dm_device *d;
	bool begun;

	for (begun = false;; begun = true) {
		d = make_device(&f, "d", "0 64 hooks a");
		dm_open(d);
		assert_int_equal(verb(&f, DM_DO_REMOVE, "d", DM_WITH_DEFERRED, NULL), 0);
		hooks_called();
		hooks_tell("a.presuspend", HOOKS_HANG);
		if (begun)
			dm_close(d);
		dm_world_release(f.world);
		if (!begun)
			dm_close(d);
		assert_string_equal(hooks_called(), begun ? "a.presuspend" : "");
		assert_ptr_equal(dm_find_name(f.world, "d"), d);
		hooks_tell("a.presuspend", HOOKS_SUCCEED);
		if (begun)
			break;
		end(state);
		begin(state);
	}
	hooks_end(0);
}

static unsigned shutdowns;

static void shutdown_asked(struct dm_world *w)
{
	(void)w;
	shutdowns++;
}

/* Neither at the flush of `shutdown`, nor of the end, nor by a device above that is flushed. */
static void lines_that_have_stopped_are_not_flushed(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_SHUTDOWN };
	struct err e = ERR_INIT;

	(void)state;
	make_device(&f, "low", "0 64 flushes memory,size=32K:low 0");
	make_device(&f, "alone", "0 64 flushes memory,size=32K:alone 0");
	make_device(&f, "top", "0 64 flushes low 0");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "low", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "alone", 0, NULL), 0);
	assert_int_equal(atomic_exchange(&asked, 0), 2);
	f.world->shutdown = shutdown_asked;
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_int_equal(atomic_exchange(&asked, 0), 1);
	dm_world_release(f.world);
	assert_int_equal(dm_world_stop(f.world, &e), 0);
	assert_int_equal(atomic_load(&asked), 1);
	assert_int_equal(atomic_load(&asked_stopped), 0);
}

static void a_flush_that_hangs_does_not_stop_the_shutdown(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_SHUTDOWN };
	char why[ERR_TEXT];

	(void)state;
	make_device(&f, "a", "0 64 flushes memory,size=32K:a 0");
	f.world->shutdown = shutdown_asked;
	f.world->end_seconds = shutdowns = 0;
	atomic_store(&flush_hangs, true);
	assert_int_equal(run(&f, &c, why), -ETIMEDOUT);
	assert_non_null(strstr(why, "a flush has not ended"));
	assert_int_equal(shutdowns, 1);
	while (!atomic_load(&hanging))
		settle_threads(&f);
	atomic_store(&flush_hangs, false);
	dm_go_on(atomic_load(&hanging), DM_DONE);
	f.world->end_seconds = DM_END_SECONDS;
	while (info(&f, "a").open_count)
		settle_threads(&f);
	assert_int_equal(shutdowns, 1);
}

/* b goes, and what a stands on is stopped, whoever has begun with the hook of a that hangs; a goes when that is over. */
static void what_hangs_is_left_out(void **state)
{
	static const char *const hooks[] = { "a.presuspend", "a.postsuspend" };
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct pending p = { .over = true };
		struct err e = ERR_INIT;
		const char *called;
		char hung[40];

		make_device(&f, "low", "0 64 hooks l");
		make_device(&f, "a", "0 64 hooks a low 0");
		make_device(&f, "b", "0 64 hooks b");
		hooks_tell(hooks[i], HOOKS_HANG);
		hooks_called();
		if (i)
			start(&p, DM_DO_SUSPEND, "a");
		f.world->end_seconds = 1;
		snprintf(hung, sizeof(hung), "%s of target hooks", hooks[i] + 2);
		assert_int_equal(dm_world_stop(f.world, &e), -ETIMEDOUT);
		assert_non_null(strstr(e.text, hung));
		assert_int_equal(end_of(&p), i ? -EINTR : 0);
		called = hooks_called();
		assert_true(strstr(called, "b.postsuspend") && strstr(called, "l.postsuspend"));
		assert_null(dm_find_name(f.world, "b"));
		assert_int_equal(dm_find_name(f.world, "low")->state, DM_SUSPENDED);
		hooks_tell(hooks[i], HOOKS_SUCCEED);
		hooks_end(0);
		end(state);
		begin(state);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(after_the_release_no_move_begins),
		CASE(a_disk_without_power_lets_go_of_what_hangs),
		CASE(what_is_in_a_queue_is_refused),
		CASE(a_deferred_removal_waits_for_the_end),
		CASE(lines_that_have_stopped_are_not_flushed),
		CASE(a_flush_that_hangs_does_not_stop_the_shutdown),
		CASE(what_hangs_is_left_out),
	};

	fixture_add_type(&hooks_type);
	fixture_add_type(&flushes_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
