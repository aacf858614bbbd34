/* SPDX-License-Identifier: BSD-2-Clause */
/* Several devices moved as one, named in any order; and the world's end, which is limited in time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "support/hooks.h"
#include "support/pending.h"
#include "support/world.h"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	hooks_reset();
	fixture_add_type(&hooks_type);
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(create(&f, "low", "0 64 hooks l memory,size=64K:m 0", NULL), 0);
	assert_int_equal(create(&f, "mid", "0 64 linear /dev/mapper/low 0", NULL), 0);
	assert_int_equal(create(&f, "top", "0 64 hooks t /dev/mapper/mid 0", NULL), 0);
	assert_int_equal(create(&f, "other", "0 64 hooks o", NULL), 0);
	hooks_called();
	return 0;
}

static int end(void **state)
{
	(void)state;
	gate_open(&f);
	fixture_end(&f);
	assert_int_equal(hooks_lines(), 0);
	return 0;
}

static void start(struct pending *p, enum dm_verb v, const char *const *names, size_t n)
{
	pending_start(&f, p, (struct dm_cmd){ .verb = v, .names = names, .n_names = n });
}

static int end_of(struct pending *p)
{
	return pending_wait(&f, p);
}

static int as_one(enum dm_verb v, const char *const *names, size_t n)
{
	struct pending p;

	start(&p, v, names, n);
	return end_of(&p);
}

static enum dm_state state_of(const char *name)
{
	return dm_find_name(f.world, name)->state;
}

static void the_order_of_names_means_nothing(void **state)
{
	static const char *const down[] = { "top", "low", "other" }, *const up[] = { "other", "low", "top" };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(as_one(DM_DO_SUSPEND, i % 2 ? down : up, 3), 0);
		assert_int_equal(state_of("top"), DM_SUSPENDED);
		assert_int_equal(state_of("low"), DM_SUSPENDED);
		assert_int_equal(state_of("mid"), DM_ACTIVE);
		assert_non_null(strstr(hooks_called(), "t.postsuspend l.postsuspend"));
		assert_int_equal(as_one(DM_DO_RESUME, i < 2 ? down : up, 3), 0);
		assert_non_null(strstr(hooks_called(), "l.preresume l.resume t.preresume t.resume"));
		assert_int_equal(state_of("low"), DM_ACTIVE);
	}
}

/*
 * Whatever is in flight in one of them: the others accept nothing any more, and what is above still reaches what is
 * below.
 */
static void all_gates_are_shut_before_anybody_waits(void **state)
{
	static const char *const names[] = { "low", "held", "top" };
	struct dm_device *top, *held, *low;
	struct job under_way, through, late, direct;
	struct pending p;
	uint8_t data[512] = { 0 };

	(void)state;
	assert_int_equal(create(&f, "held", "0 64 gate", NULL), 0);
	dm_open(top = dm_find_name(f.world, "top"));
	dm_open(held = dm_find_name(f.world, "held"));
	dm_open(low = dm_find_name(f.world, "low"));
	gate_shut();
	job_start(&f, &under_way, held, 0, DM_WRITE, 0, 0, 1, data);
	job_start(&f, &through, top, 1, DM_WRITE, 0, 0, 1, data);
	settle_threads(&f);
	start(&p, DM_DO_SUSPEND, names, 3);
	while (held->gate != DM_GATE_SHUT || low->gate == DM_GATE_OPEN || top->gate != DM_GATE_SHUT)
		loop_turn(f.loop, -1);
	settle_threads(&f);
	assert_false(p.over);
	assert_int_equal(job_wait(&through), 0);
	job_start(&f, &late, top, 0, DM_WRITE, 0, 1, 1, data);
	job_start(&f, &direct, low, 0, DM_WRITE, 0, 2, 1, data);
	settle_threads(&f);
	assert_false(late.over || direct.over);
	gate_open(&f);
	assert_int_equal(end_of(&p), 0);
	assert_int_equal(job_wait(&under_way), 0);
	assert_false(late.over || direct.over);
	assert_int_equal(as_one(DM_DO_RESUME, names, 3), 0);
	assert_int_equal(job_wait(&late), 0);
	assert_int_equal(job_wait(&direct), 0);
	dm_close(top);
	dm_close(held);
	dm_close(low);
}

static void all_or_none(void **state)
{
	static const char *const names[] = { "low", "top", "other" };

	(void)state;
	hooks_tell("l.postsuspend", HOOKS_FAIL);
	assert_int_equal(as_one(DM_DO_SUSPEND, names, 3), -EIO);
	assert_int_equal(state_of("top"), DM_ACTIVE);
	assert_int_equal(state_of("other"), DM_ACTIVE);
	assert_int_equal(state_of("low"), DM_ACTIVE);
	hooks_reset();
	assert_int_equal(as_one(DM_DO_SUSPEND, names, 3), 0);
	hooks_tell("t.preresume", HOOKS_FAIL);
	assert_int_equal(as_one(DM_DO_RESUME, names, 3), -EIO);
	assert_int_equal(state_of("top"), DM_SUSPENDED);
	assert_int_equal(state_of("other"), DM_SUSPENDED);
	assert_int_equal(state_of("low"), DM_SUSPENDED);
	hooks_reset();
	assert_int_equal(as_one(DM_DO_RESUME, names, 3), 0);
	assert_int_equal(as_one(DM_DO_SUSPEND, (const char *const[]){ "low", "nobody" }, 2), -ENXIO);
	assert_int_equal(state_of("low"), DM_ACTIVE);
}

/* Two commands for the same devices, in opposite order. */
static void those_who_want_the_same_wait_in_line(void **state)
{
	static const char *const one[] = { "low", "other" }, *const two[] = { "other", "top", "low" };
	struct pending a, b, c;

	(void)state;
	hooks_tell("o.presuspend", HOOKS_HANG);
	start(&a, DM_DO_SUSPEND, one, 2);
	start(&b, DM_DO_SUSPEND, two, 3);
	start(&c, DM_DO_RESUME, two, 3);
	while (!hooks_hang())
		loop_turn(f.loop, -1);
	assert_false(a.over || b.over || c.over);
	hooks_tell("o.presuspend", HOOKS_SUCCEED);
	dm_cancel(&b.c);
	assert_int_equal(end_of(&b), -EINTR);
	dm_cancel(&a.c);
	assert_int_equal(end_of(&a), -EINTR);
	assert_int_equal(end_of(&c), 0);
	assert_int_equal(state_of("other"), DM_ACTIVE);
	hooks_end(0);
}

/* It stays suspended, and requests of devices above wait there as well. */
static void who_refuses_to_turn_back_is_shut(void **state)
{
	static const char *const names[] = { "top", "low" };
	struct dm_device *top = dm_find_name(f.world, "top"), *low = dm_find_name(f.world, "low");
	uint8_t data[512] = { 0 };
	struct job j;

	(void)state;
	dm_open(top);
	hooks_tell("t.postsuspend", HOOKS_FAIL);
	hooks_tell("l.resume", HOOKS_FAIL);
	assert_int_equal(as_one(DM_DO_SUSPEND, names, 2), -EIO);
	assert_int_equal(state_of("top"), DM_ACTIVE);
	assert_int_equal(state_of("low"), DM_SUSPENDED);
	assert_int_equal(low->gate, DM_GATE_SHUT);
	job_start(&f, &j, top, 0, DM_READ, 0, 0, 1, data);
	settle_threads(&f);
	assert_false(j.over);
	hooks_reset();
	assert_int_equal(verb(&f, DM_DO_RESUME, "low", 0, NULL), 0);
	assert_int_equal(job_wait(&j), 0);
	dm_close(top);
}

/* Whether devices that are swapped stand on suspended ones is looked up in one walk. */
static void a_large_group_is_checked_in_one_walk(void **state)
{
	char names[40][8];
	const char *all[40];
	uint64_t walks;
	unsigned i;

	(void)state;
	for (i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "g%u", i);
		all[i] = names[i];
		assert_int_equal(create(&f, names[i], "0 64 linear /dev/mapper/low 0", NULL), 0);
		if (i % 2)
			assert_int_equal(reload(&f, names[i], "0 64 zero", NULL), 0);
		else
			assert_int_equal(verb(&f, DM_DO_SUSPEND, names[i], 0, NULL), 0);
	}
	walks = f.world->walks;
	assert_int_equal(as_one(DM_DO_RESUME, all, 40), 0);
	assert_true(f.world->walks - walks <= 2);
}

/* A device commits before those that it uses; if it hangs, it is named, and the others continue without it. */
static void the_end_goes_from_the_top_down_and_is_bounded(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	f.world->end_seconds = 1;
	hooks_tell("t.postsuspend", HOOKS_HANG);
	assert_int_equal(dm_world_stop(f.world, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "'top' waits for its postsuspend: postsuspend of target hooks at sector 0"));
	assert_string_equal(hooks_called(), "o.presuspend t.presuspend l.presuspend o.postsuspend t.postsuspend l.postsuspend");
	hooks_end(0);
	e.code = 0;
	assert_int_equal(dm_world_stop(f.world, &e), 0);
	assert_string_equal(hooks_called(), "");
	assert_int_equal(hooks_lines(), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_order_of_names_means_nothing),
		CASE(all_gates_are_shut_before_anybody_waits),
		CASE(all_or_none),
		CASE(those_who_want_the_same_wait_in_line),
		CASE(who_refuses_to_turn_back_is_shut),
		CASE(a_large_group_is_checked_in_one_walk),
		CASE(the_end_goes_from_the_top_down_and_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
