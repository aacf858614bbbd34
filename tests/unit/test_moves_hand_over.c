/* SPDX-License-Identifier: BSD-2-Clause */
/* All devices stand still for a program that is to take them over; and go on here if it does not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/loopdev.h"
#include "core/device/move.h"
#include "core/device/parts.h"
#include "support/hooks.h"
#include "support/pending.h"
#include "support/place.h"
#include "support/world.h"

static struct fixture f;
static struct dm_cmd *handing; /* all stands still */

static void hand_over(struct dm_world *w, struct dm_cmd *c)
{
	(void)w;
	handing = c;
}

static void replace(struct dm_world *w, struct dm_cmd *c)
{
	(void)w;
	dm_move_hand_over(c);
}

static int begin(void **state)
{
	(void)state;
	hooks_reset();
	fixture_add_type(&hooks_type);
	fixture_begin(&f, 2, AIO_AUTO);
	f.world->replace = replace;
	f.world->hand_over = hand_over;
	handing = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	gate_open(&f);
	settle_threads(&f);
	fixture_end(&f);
	assert_int_equal(hooks_lines(), 0);
	return 0;
}

static void start(struct pending *p, enum dm_verb v, const char *name)
{
	pending_start(&f, p, (struct dm_cmd){ .verb = v, .name = name, .message = "" });
}

static int end_of(struct pending *p)
{
	return pending_wait(&f, p);
}

static void until_all_stand_still(void)
{
	while (!handing)
		loop_turn(f.loop, -1);
}

static void give_back(const char *why)
{
	struct err e = ERR_INIT;

	err_set(&e, -ENOEXEC, "%s", why);
	dm_handed_back(f.world, handing, &e);
	handing = NULL;
}

static enum dm_state state_of(const char *name)
{
	return dm_find_name(f.world, name)->state;
}

static void stacks(void)
{
	assert_int_equal(create(&f, "low", "0 64 hooks l memory,size=64K:m 0", NULL), 0);
	assert_int_equal(create(&f, "mid", "0 64 linear /dev/mapper/low 0", NULL), 0);
	assert_int_equal(create(&f, "top", "0 64 hooks t /dev/mapper/mid 0", NULL), 0);
	assert_int_equal(create(&f, "still", "0 64 hooks s", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "still", 0, NULL), 0);
	hooks_called();
}

/* What comes while they stand still waits; what is under way through a stack ends. */
static void nothing_is_lost_when_it_was_in_vain(void **state)
{
	struct job under_way, through, late;
	struct dm_device *top, *held;
	struct pending p;
	uint8_t data[512] = { 0 };
	char why[ERR_TEXT];

	(void)state;
	stacks();
	assert_int_equal(create(&f, "held", "0 64 gate", NULL), 0);
	dm_open(top = dm_find_name(f.world, "top"));
	dm_open(held = dm_find_name(f.world, "held"));
	gate_shut();
	job_start(&f, &under_way, held, 0, DM_WRITE, 0, 0, 1, data);
	job_start(&f, &through, top, 1, DM_WRITE, 0, 0, 1, data);
	settle_threads(&f);
	start(&p, DM_DO_REPLACE, NULL);
	assert_int_equal(job_wait(&through), 0);
	assert_null(handing);
	gate_open(&f);
	until_all_stand_still();
	assert_true(under_way.over);
	assert_non_null(strstr(hooks_called(), "t.presuspend"));
	job_start(&f, &late, top, 0, DM_WRITE, 0, 1, 1, data);
	settle_threads(&f);
	assert_false(late.over || p.over);
	give_back("a reason");
	while (!p.over)
		loop_turn(f.loop, -1);
	strcpy(why, p.c.reply.err.text);
	assert_int_equal(end_of(&p), -ENOEXEC);
	assert_string_equal(why, "a reason");
	assert_int_equal(job_wait(&late), 0);
	assert_int_equal(state_of("top"), DM_ACTIVE);
	assert_int_equal(state_of("low"), DM_ACTIVE);
	assert_int_equal(state_of("still"), DM_SUSPENDED);
	dm_close(top);
	dm_close(held);
}

static void a_disk_stands_still_too(void **state)
{
	struct pending p;
	struct dm_device *disk;
	struct job late;
	uint8_t data[512];
	char why[ERR_TEXT];

	(void)state;
	assert_int_equal(show_disk(&f, "sda", "memory,size=64K:disk", 0, why), 0);
	dm_open(disk = dm_find_disk(f.world, "sda"));
	start(&p, DM_DO_REPLACE, NULL);
	until_all_stand_still();
	job_start(&f, &late, disk, 0, DM_READ, 0, 0, 1, data);
	settle_threads(&f);
	assert_false(late.over);
	give_back("no");
	assert_int_equal(end_of(&p), -ENOEXEC);
	assert_int_equal(job_wait(&late), 0);
	dm_close(disk);
}

static void take_away_while_it_stands_still(struct pending *p, struct pending *undisk)
{
	char why[ERR_TEXT];

	assert_int_equal(show_disk(&f, "sda", "memory,size=64K:disk", 0, why), 0);
	start(p, DM_DO_REPLACE, NULL);
	until_all_stand_still();
	start(undisk, DM_DO_UNDISK, "sda");
}

/* Whoever has shown a disk does not come back to take it away. */
static void a_disk_that_is_taken_away_meanwhile_goes_after_it(void **state)
{
	struct pending p, undisk;

	(void)state;
	take_away_while_it_stands_still(&p, &undisk);
	settle_threads(&f);
	assert_false(undisk.over);
	give_back("no");
	assert_int_equal(end_of(&p), -ENOEXEC);
	assert_int_equal(end_of(&undisk), 0);
	assert_null(dm_find_disk(f.world, "sda"));
}

static void a_command_that_waits_for_a_disk_can_be_given_up(void **state)
{
	struct pending p, undisk;

	(void)state;
	take_away_while_it_stands_still(&p, &undisk);
	dm_cancel(&undisk.c);
	assert_int_equal(end_of(&undisk), -EINTR);
	give_back("no");
	assert_int_equal(end_of(&p), -ENOEXEC);
	assert_int_equal(verb(&f, DM_DO_UNDISK, "sda", 0, NULL), 0);
}

/* With a partition, and to be cleared at the last close of the two. */
static struct dm_device *loop_device(void)
{
	static char image[PLACE_PATH];
	struct dm_loop loop = { .flags = DM_LOOP_AUTOCLEAR };
	struct dm_cmd attach = { .verb = DM_DO_DISK, .name = "loop3", .text = image, .loop = &loop };
	struct err e = ERR_INIT;
	struct dm_device *d;

	place_file(image, "image", 1 << 20);
	assert_int_equal(dm_loop_add(f.world, 3, &d, &e), 0);
	dm_open(d);
	assert_int_equal(run(&f, &attach, NULL), 0);
	assert_int_equal(dm_part_add(d, &(struct dm_part){ 1, 8, 64 }, &e), 0);
	return d;
}

/* The last close of A, then of B, while all stands still for a program that does not take over. */
static void closed_meanwhile(struct dm_device *a, struct dm_device *b)
{
	struct pending p;

	start(&p, DM_DO_REPLACE, NULL);
	until_all_stand_still();
	dm_close(a);
	if (b)
		dm_close(b);
	give_back("no");
	assert_int_equal(end_of(&p), -ENOEXEC);
}

static void a_loop_device_that_is_closed_meanwhile_is_cleared(void **state)
{
	struct dm_device *d, *part;

	(void)state;
	place_begin();
	d = loop_device();
	dm_open(part = dm_part_find(d, 1));
	closed_meanwhile(d, NULL);
	assert_ptr_equal(dm_find_disk(f.world, "loop3"), d);
	assert_ptr_equal(dm_find_disk(f.world, "loop3p1"), part);
	dm_open(d);
	closed_meanwhile(d, part);
	assert_null(dm_find_disk(f.world, "loop3"));
	assert_null(dm_find_disk(f.world, "loop3p1"));
	place_end();
}

static void a_device_that_is_closed_meanwhile_is_removed(void **state)
{
	struct dm_device *d;

	(void)state;
	assert_int_equal(create(&f, "x", "0 64 zero", NULL), 0);
	dm_open(d = dm_find_name(f.world, "x"));
	assert_int_equal(verb(&f, DM_DO_REMOVE, "x", DM_WITH_DEFERRED, NULL), 0);
	closed_meanwhile(d, NULL);
	settle_threads(&f);
	assert_null(dm_find_name(f.world, "x"));
}

/* They were closed while they stood still, and this is the program that has taken over. */
static void what_nobody_has_open_there_goes(void **state)
{
	struct dm_device *d, *kept;

	(void)state;
	place_begin();
	d = loop_device();
	assert_int_equal(create(&f, "low", "0 64 zero", NULL), 0);
	assert_int_equal(create(&f, "top", "0 64 linear /dev/mapper/low 0", NULL), 0);
	assert_int_equal(create(&f, "kept", "0 64 zero", NULL), 0);
	dm_open(dm_find_name(f.world, "top"));
	dm_open(kept = dm_find_name(f.world, "kept"));
	assert_int_equal(verb(&f, DM_DO_REMOVE, "low", DM_WITH_DEFERRED, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "top", DM_WITH_DEFERRED, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "kept", DM_WITH_DEFERRED, NULL), 0);
	dm_find_name(f.world, "top")->open_count = d->open_count = 0;
	dm_close_unused(f.world);
	settle_threads(&f);
	assert_null(dm_find_disk(f.world, "loop3"));
	assert_null(dm_find_name(f.world, "top"));
	assert_null(dm_find_name(f.world, "low"));
	assert_ptr_equal(dm_find_name(f.world, "kept"), kept);
	dm_close(kept);
	place_end();
}

static void it_can_be_given_up_while_a_request_hangs(void **state)
{
	struct job under_way;
	struct dm_device *held;
	struct pending p;
	uint8_t data[512] = { 0 };

	(void)state;
	stacks();
	assert_int_equal(create(&f, "held", "0 64 gate", NULL), 0);
	dm_open(held = dm_find_name(f.world, "held"));
	gate_shut();
	job_start(&f, &under_way, held, 0, DM_WRITE, 0, 0, 1, data);
	settle_threads(&f);
	start(&p, DM_DO_REPLACE, NULL);
	while (held->gate == DM_GATE_OPEN)
		loop_turn(f.loop, -1);
	dm_cancel(&p.c);
	assert_int_equal(end_of(&p), -EINTR);
	assert_null(handing);
	assert_int_equal(state_of("top"), DM_ACTIVE);
	gate_open(&f);
	assert_int_equal(job_wait(&under_way), 0);
	dm_close(held);
}

static void a_device_made_meanwhile_is_not_left_behind(void **state)
{
	struct job under_way;
	struct dm_device *held;
	struct pending p;
	uint8_t data[512] = { 0 };

	(void)state;
	assert_int_equal(create(&f, "held", "0 64 gate", NULL), 0);
	dm_open(held = dm_find_name(f.world, "held"));
	gate_shut();
	job_start(&f, &under_way, held, 0, DM_WRITE, 0, 0, 1, data);
	settle_threads(&f);
	start(&p, DM_DO_REPLACE, NULL);
	while (held->gate == DM_GATE_OPEN)
		loop_turn(f.loop, -1);
	assert_int_equal(create(&f, "new", "0 64 zero", NULL), 0);
	gate_open(&f);
	assert_int_equal(end_of(&p), -EBUSY);
	assert_null(handing);
	assert_int_equal(job_wait(&under_way), 0);
	assert_int_equal(state_of("held"), DM_ACTIVE);
	dm_close(held);
}

static void it_waits_for_a_move_that_is_under_way(void **state)
{
	struct job under_way;
	struct dm_device *held;
	struct pending suspend, p;
	uint8_t data[512] = { 0 };

	(void)state;
	assert_int_equal(create(&f, "held", "0 64 gate", NULL), 0);
	dm_open(held = dm_find_name(f.world, "held"));
	gate_shut();
	job_start(&f, &under_way, held, 0, DM_WRITE, 0, 0, 1, data);
	settle_threads(&f);
	start(&suspend, DM_DO_SUSPEND, "held");
	start(&p, DM_DO_REPLACE, NULL);
	settle_threads(&f);
	assert_null(handing);
	gate_open(&f);
	until_all_stand_still();
	assert_int_equal(end_of(&suspend), 0);
	give_back("no");
	assert_int_equal(end_of(&p), -ENOEXEC);
	assert_int_equal(state_of("held"), DM_SUSPENDED);
	assert_int_equal(job_wait(&under_way), 0);
	dm_close(held);
}

static void without_devices(void **state)
{
	struct pending p;

	(void)state;
	start(&p, DM_DO_REPLACE, NULL);
	until_all_stand_still();
	give_back("no");
	assert_int_equal(end_of(&p), -ENOEXEC);
}

static void a_world_without_daemon_says_so(void **state)
{
	struct pending p;

	(void)state;
	f.world->replace = NULL;
	start(&p, DM_DO_REPLACE, NULL);
	assert_int_equal(end_of(&p), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_lost_when_it_was_in_vain, begin, end),
		cmocka_unit_test_setup_teardown(a_disk_stands_still_too, begin, end),
		cmocka_unit_test_setup_teardown(a_disk_that_is_taken_away_meanwhile_goes_after_it, begin, end),
		cmocka_unit_test_setup_teardown(a_command_that_waits_for_a_disk_can_be_given_up, begin, end),
		cmocka_unit_test_setup_teardown(a_loop_device_that_is_closed_meanwhile_is_cleared, begin, end),
		cmocka_unit_test_setup_teardown(a_device_that_is_closed_meanwhile_is_removed, begin, end),
		cmocka_unit_test_setup_teardown(what_nobody_has_open_there_goes, begin, end),
		cmocka_unit_test_setup_teardown(it_can_be_given_up_while_a_request_hangs, begin, end),
		cmocka_unit_test_setup_teardown(a_device_made_meanwhile_is_not_left_behind, begin, end),
		cmocka_unit_test_setup_teardown(it_waits_for_a_move_that_is_under_way, begin, end),
		cmocka_unit_test_setup_teardown(without_devices, begin, end),
		cmocka_unit_test_setup_teardown(a_world_without_daemon_says_so, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
