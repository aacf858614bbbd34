/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that wait for a hook that hangs, other than suspend (test_moves.c): whoever gives them up has an answer at once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "support/hooks.h"
#include "support/world.h"

static struct fixture f;
static struct dm_device *d;

/* Freezes at once, and thaws as the test says. */
static struct {
	bool on, hangs;
	int err;
	struct loop_msg msg;
} ice;

static void ice_answer(struct loop_msg *m)
{
	struct err e = ERR_INIT;

	(void)m;
	if (ice.err)
		err_set(&e, ice.err, "it is too cold");
	dm_freeze_done(d, &e);
}

static bool ice_freeze(struct dm_front *front, struct dm_device *device)
{
	(void)front;
	(void)device;
	ice.msg.run = ice_answer;
	if (ice.on)
		loop_post(f.loop, &ice.msg);
	return ice.on;
}

static bool ice_thaw(struct dm_front *front, struct dm_device *device)
{
	return ice.hangs || ice_freeze(front, device);
}

static struct dm_front ice_front = { .name = "ice", .freeze = ice_freeze, .thaw = ice_thaw };

static int begin(void **state)
{
	(void)state;
	hooks_reset();
	memset(&ice, 0, sizeof(ice));
	fixture_begin(&f, 2, AIO_AUTO);
	list_append(&f.world->fronts, &ice_front.node);
	d = make_device(&f, "d", "0 64 hooks a");
	hooks_called();
	return 0;
}

static int end(void **state)
{
	(void)state;
	hooks_reset();
	list_remove(&ice_front.node);
	fixture_end(&f);
	assert_int_equal(hooks_lines(), 0);
	return 0;
}

struct pending {
	struct dm_cmd c;
	bool over;
	char table[32];
};

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

static void start(struct pending *p, enum dm_verb v)
{
	*p = (struct pending){ .table = "0 64 hooks m", .c = { .verb = v, .cwd = "/", .done = pending_over } };
	p->c.name = v == DM_DO_REMOVE_ALL ? NULL : "d";
	p->c.text = v == DM_DO_RELOAD ? p->table : NULL;
	dm_do(f.world, &p->c);
}

static int end_of(struct pending *p)
{
	while (!p->over)
		loop_turn(f.loop, -1);
	dm_reply_free(&p->c.reply);
	return p->c.reply.err.code;
}

static void give_up(struct pending *p)
{
	settle_threads(&f);
	settle_threads(&f);
	assert_false(p->over);
	dm_cancel(&p->c);
	assert_int_equal(end_of(p), -EINTR);
}

static void until_quiet(void)
{
	while (dm_device_moving(d) || !list_empty(&f.world->retiring))
		loop_turn(f.loop, -1);
}

/* A table in the inactive slot whose preresume hangs, although the resume was given up. */
static void hang_in_slot(void)
{
	struct pending p;

	assert_int_equal(reload(&f, "d", "0 64 hooks n", NULL), 0);
	hooks_tell("n.preresume", HOOKS_HANG);
	start(&p, DM_DO_RESUME);
	while (!hooks_hang())
		loop_turn(f.loop, -1);
	dm_cancel(&p.c);
	assert_int_equal(end_of(&p), -EINTR);
	until_quiet();
}

static void a_clear_and_a_reload(void **state)
{
	static const enum dm_verb verbs[] = { DM_DO_CLEAR, DM_DO_RELOAD };
	struct pending p;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		hang_in_slot();
		start(&p, verbs[i]);
		while (d->inactive && d->inactive->walk)
			loop_turn(f.loop, -1);
		give_up(&p);
		assert_non_null(strstr(p.c.reply.err.text, "closed later"));
		assert_int_equal(!!d->inactive, i);
		hooks_end(0);
		hooks_tell("n.preresume", HOOKS_SUCCEED);
		until_quiet();
		assert_int_equal(hooks_lines(), 1 + i);
	}
}

static void a_remove_all(void **state)
{
	struct pending p;

	(void)state;
	make_device(&f, "e", "0 64 hooks e");
	hooks_tell("e.postsuspend", HOOKS_HANG);
	start(&p, DM_DO_REMOVE_ALL);
	give_up(&p);
	hooks_end(0);
	while (dm_device_moving(dm_find_name(f.world, "e")))
		loop_turn(f.loop, -1);
	settle_threads(&f);
	assert_int_equal(dm_find_name(f.world, "e")->state, DM_ACTIVE);
	assert_int_equal(d->state, DM_ACTIVE);
}

/* Without a flush the gate is shut first: it opens again although the hook has not ended. */
static void a_suspend_without_flush(void **state)
{
	uint8_t data[512] = { 0 };
	struct pending p;

	(void)state;
	dm_open(d);
	hooks_tell("a.presuspend", HOOKS_HANG);
	p = (struct pending){ .c = { .verb = DM_DO_SUSPEND, .name = "d", .flags = DM_WITH_NOFLUSH, .done = pending_over } };
	dm_do(f.world, &p.c);
	while (!hooks_hang())
		loop_turn(f.loop, -1);
	give_up(&p);
	assert_true(hooks_hang());
	assert_int_equal(d->state, DM_ACTIVE);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, data), 0);
	hooks_end(0);
	until_quiet();
	settle_threads(&f);
	assert_string_equal(hooks_called(), "a.presuspend! a.resume");
	hooks_tell("a.presuspend", HOOKS_SUCCEED);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", DM_WITH_NOFLUSH, NULL), 0);
	dm_close(d);
}

static void suspend_frozen(void)
{
	dm_open(d);
	ice.on = true;
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(d->moving.freeze_state, DM_FROZEN);
}

/* The gates are open: the move goes on. */
static void a_resume_whose_thaw_hangs(void **state)
{
	struct pending p;

	(void)state;
	suspend_frozen();
	ice.hangs = true;
	start(&p, DM_DO_RESUME);
	give_up(&p);
	assert_non_null(strstr(p.c.reply.err.text, "it is being carried out"));
	assert_int_equal(d->gate, DM_GATE_OPEN);
	ice_answer(NULL);
	until_quiet();
	assert_int_equal(d->state, DM_ACTIVE);
	dm_close(d);
}

static void a_thaw_that_fails_is_told(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	suspend_frozen();
	ice.err = -EIO;
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, why), -EIO);
	assert_non_null(strstr(why, "it is too cold"));
	assert_int_equal(d->state, DM_ACTIVE);
	assert_int_equal(d->moving.freeze_state, DM_THAWED);
	ice.err = 0;
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	dm_close(d);
}

/* It turns back as soon as the hook has ended; then the device is released as any other that is suspended. */
static void a_resume_at_the_release(void **state)
{
	static const char *const hooks[] = { "a.preresume", "a.resume" };
	uint8_t data[512] = { 0 };
	struct pending p;
	unsigned i;

	for (i = 0; i < 2; i++) {
		dm_open(d);
		assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
		hooks_tell(hooks[i], HOOKS_HANG);
		start(&p, DM_DO_RESUME);
		while (!hooks_hang())
			loop_turn(f.loop, -1);
		dm_world_release(f.world);
		assert_int_equal(end_of(&p), -EINTR);
		hooks_end(0);
		until_quiet();
		assert_int_equal(d->state, DM_SUSPENDED);
		assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, data), -ESHUTDOWN);
		dm_close(d);
		end(state);
		begin(state);
	}
}

/* The device below each is removed with its last close, in turn: no deeper into the stack than the first. */
static char *deepest, *flattest;

static int deep_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static void deep_dtr(struct dm_target *t)
{
	char *here = __builtin_frame_address(0);

	(void)t;
	deepest = !deepest || here < deepest ? here : deepest;
	flattest = !flattest || here > flattest ? here : flattest;
}

static int deep_map(const struct dm_target *t, struct dm_req *r)
{
	return dm_remap(r, t->priv, r->sector);
}

static const struct dm_type deep_type = {
	.name = "deep", .usage = "<device> <offset>", .about = "notes the stack", .size = sizeof(struct dm_at), .ctr = deep_ctr,
	.dtr = deep_dtr, .map = deep_map,
};

static void a_tall_stack_goes_device_by_device(void **state)
{
	char name[16], table[40];
	unsigned i;

	(void)state;
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		snprintf(table, sizeof(table), i ? "0 8 deep s%u 0" : "0 8 deep d 0", i - 1);
		make_device(&f, name, table);
	}
	for (i = 0; i < 199; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		assert_int_equal(verb(&f, DM_DO_REMOVE, name, DM_WITH_DEFERRED, NULL), 0);
	}
	deepest = flattest = NULL;
	assert_int_equal(verb(&f, DM_DO_REMOVE, "s199", 0, NULL), 0);
	assert_int_equal(f.world->n_devices, 1);
	assert_true(flattest - deepest < 4096);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_clear_and_a_reload),
		CASE(a_remove_all),
		CASE(a_suspend_without_flush),
		CASE(a_resume_whose_thaw_hangs),
		CASE(a_thaw_that_fails_is_told),
		CASE(a_resume_at_the_release),
		CASE(a_tall_stack_goes_device_by_device),
	};

	fixture_add_type(&hooks_type);
	fixture_add_type(&deep_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
