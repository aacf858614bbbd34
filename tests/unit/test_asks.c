/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages and statuses that take time, and what may happen meanwhile; messages that change what a device keeps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/command/ask.h"
#include "core/device/devices.h"
#include "support/slow.h"
#include "support/world.h"

static struct fixture f;
static unsigned altered;

static void front_changed(struct dm_front *front, struct dm_device *d, enum dm_change what)
{
	(void)front;
	(void)d;
	altered += what == DM_ALTERED;
}

static struct dm_front front = { .name = "test", .changed = front_changed };

static int begin(void **state)
{
	(void)state;
	slow_status(0, false);
	fixture_begin(&f, 1, AIO_AUTO);
	altered = 0;
	list_append(&f.world->fronts, &front.node);
	make_device(&f, "d", "0 8 slow\n8 8 zero\n16 8 slow");
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	assert_int_equal(slow_lines(), 0);
	return 0;
}

struct pending {
	struct dm_cmd c;
	bool over;
};

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

static void start(struct pending *p, enum dm_verb v, const char *message)
{
	*p = (struct pending){ .c = { .verb = v, .name = "d", .message = message, .done = pending_over } };
	dm_do(f.world, &p->c);
}

static int finish(struct pending *p, const char *sentence)
{
	while (!p->over)
		loop_turn(f.loop, -1);
	if (sentence)
		assert_string_equal(p->c.reply.err.text, sentence);
	dm_reply_free(&p->c.reply);
	return p->c.reply.err.code;
}

static int tell(const char *message, const char *answer, const char *sentence)
{
	struct pending p;

	start(&p, DM_DO_MESSAGE, message);
	while (!p.over)
		loop_turn(f.loop, -1);
	if (answer)
		assert_string_equal(p.c.reply.answer, answer);
	else
		assert_null(p.c.reply.answer);
	return finish(&p, sentence);
}

/* A command that waits for slow_end(). */
static void hang(struct pending *p, enum dm_verb v, const char *message)
{
	slow_status(0, true);
	start(p, v, message);
	while (!slow_hangs())
		loop_turn(f.loop, -1);
	assert_false(p->over);
}

static void an_answer_comes_at_once_or_later(void **state)
{
	(void)state;
	assert_int_equal(tell("echo one two", "two", NULL), 0);
	assert_int_equal(tell("later 0 0", "late", NULL), 0);
	assert_int_equal(tell("later 5 0", NULL, "the message of slow failed: Input/output error"), -EIO);
	assert_int_equal(tell("fail", NULL, "the message of slow failed: Input/output error"), -EIO);
}

static void other_commands_go_on_meanwhile(void **state)
{
	struct pending p;

	(void)state;
	hang(&p, DM_DO_MESSAGE, "hang");
	assert_int_equal(tell("echo x", "x", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_false(p.over);
	slow_end(0, false);
	assert_int_equal(finish(&p, NULL), 0);
}

static void what_waits_can_be_cancelled(void **state)
{
	enum dm_verb verbs[] = { DM_DO_MESSAGE, DM_DO_STATUS };
	struct pending p;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		hang(&p, verbs[i], "hang");
		dm_cancel(&p.c);
		assert_true(atomic_load(&slow_hangs()->given_up));
		assert_int_equal(finish(&p, "cancelled"), -EINTR);
		slow_end(0, true);
		settle_threads(&f);
	}
}

/* The device is gone by name at once, but its table only when the target has ended the ask. */
static void a_removal_gives_it_up_and_waits_for_the_target(void **state)
{
	enum dm_verb verbs[] = { DM_DO_MESSAGE, DM_DO_STATUS };
	struct pending p, removal;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		hang(&p, verbs[i], "hang");
		start(&removal, DM_DO_REMOVE, NULL);
		assert_int_equal(finish(&p, "the device was removed meanwhile"), -ENXIO);
		assert_null(dm_find_name(f.world, "d"));
		settle_threads(&f);
		assert_false(removal.over);
		assert_int_equal(slow_lines(), 2);
		slow_end(0, true);
		assert_int_equal(finish(&removal, NULL), 0);
		assert_int_equal(slow_lines(), 0);
		make_device(&f, "d", "0 8 slow\n8 8 zero\n16 8 slow");
	}
	assert_int_equal(altered, 0);
}

/* Starts a swap to a table of one line, which was loaded. */
static void start_swap(struct pending *p)
{
	start(p, DM_DO_RESUME, NULL);
	while (dm_find_name(f.world, "d")->active->n != 1)
		loop_turn(f.loop, -1);
	settle_threads(&f);
	assert_false(p->over);
}

/* The table that was asked stays until the ask has ended; its answer arrives all the same. */
static void a_swap_waits_for_the_old_table(void **state)
{
	struct pending p, swap;

	(void)state;
	hang(&p, DM_DO_MESSAGE, "hang");
	assert_int_equal(reload(&f, "d", "0 24 zero", NULL), 0);
	start_swap(&swap);
	slow_end(0, true);
	assert_int_equal(finish(&p, NULL), 0);
	assert_int_equal(finish(&swap, NULL), 0);
	assert_int_equal(slow_lines(), 0);
	assert_int_equal(altered, 0);
}

static void the_end_gives_it_up_and_is_bounded(void **state)
{
	struct pending p;
	struct err e = ERR_INIT;

	(void)state;
	hang(&p, DM_DO_MESSAGE, "hang");
	f.world->end_seconds = 1;
	assert_int_equal(dm_world_stop(f.world, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "message of target slow at sector 0"));
	assert_int_equal(finish(&p, "cancelled"), -EINTR);
	slow_end(0, false);
}

static char *status(uint32_t flags)
{
	return rows(&f, DM_DO_STATUS, "d", flags);
}

static void status_is(uint32_t flags, const char *is)
{
	char *has = status(flags);

	assert_string_equal(has, is);
	free(has);
}

static void a_status_is_made_ready_first(void **state)
{
	(void)state;
	status_is(0, "0 8 slow 1\n8 8 zero\n16 8 slow 1\n");
	status_is(DM_WITH_NOFLUSH, "0 8 slow 1\n8 8 zero\n16 8 slow 1\n");
	verb(&f, DM_DO_SUSPEND, "d", 0, NULL);
	status_is(0, "0 8 slow 1\n8 8 zero\n16 8 slow 1\n");
	verb(&f, DM_DO_RESUME, "d", 0, NULL);
	status_is(0, "0 8 slow 2\n8 8 zero\n16 8 slow 2\n");
}

/* As on Linux; but we report it. */
static void a_status_that_is_not_ready_is_printed_all_the_same(void **state)
{
	struct pending p;

	(void)state;
	slow_status(-EIO, false);
	start(&p, DM_DO_STATUS, NULL);
	while (!p.over)
		loop_turn(f.loop, -1);
	assert_int_equal(p.c.reply.n, 3);
	assert_string_equal(p.c.reply.rows[2].params, "1");
	assert_string_equal(text_str(&p.c.reply.warnings), "the status of slow failed: Input/output error\n"
		"the status of slow failed: Input/output error\n");
	assert_int_equal(finish(&p, NULL), 0);
}

/* The new table is printed, and its lines are not asked again. */
static void a_status_of_a_table_that_was_swapped_is_the_new_ones(void **state)
{
	struct pending p, swap;

	(void)state;
	hang(&p, DM_DO_STATUS, NULL);
	assert_int_equal(reload(&f, "d", "0 24 slow", NULL), 0);
	start_swap(&swap);
	slow_end(0, false);
	while (!p.over)
		loop_turn(f.loop, -1);
	assert_int_equal(p.c.reply.n, 1);
	assert_string_equal(p.c.reply.rows[0].params, "0");
	assert_int_equal(finish(&p, NULL), 0);
	assert_int_equal(finish(&swap, NULL), 0);
}

static void fronts_hear_of_a_message_that_changes_something(void **state)
{
	(void)state;
	assert_int_equal(tell("echo x", "x", NULL), 0);
	assert_int_equal(altered, 0);
	assert_int_equal(tell("change", "change", NULL), 0);
	assert_int_equal(altered, 1);
	assert_int_equal(tell("later 0 1", "late", NULL), 0);
	assert_int_equal(altered, 2);
	assert_int_equal(tell("later 5 1", NULL, NULL), -EIO);	/* half of it was done */
	assert_int_equal(altered, 3);
	assert_int_equal(tell("later 5 0", NULL, NULL), -EIO);
	assert_int_equal(altered, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_comes_at_once_or_later, begin, end),
		cmocka_unit_test_setup_teardown(other_commands_go_on_meanwhile, begin, end),
		cmocka_unit_test_setup_teardown(what_waits_can_be_cancelled, begin, end),
		cmocka_unit_test_setup_teardown(a_removal_gives_it_up_and_waits_for_the_target, begin, end),
		cmocka_unit_test_setup_teardown(a_swap_waits_for_the_old_table, begin, end),
		cmocka_unit_test_setup_teardown(the_end_gives_it_up_and_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(a_status_is_made_ready_first, begin, end),
		cmocka_unit_test_setup_teardown(a_status_that_is_not_ready_is_printed_all_the_same, begin, end),
		cmocka_unit_test_setup_teardown(a_status_of_a_table_that_was_swapped_is_the_new_ones, begin, end),
		cmocka_unit_test_setup_teardown(fronts_hear_of_a_message_that_changes_something, begin, end),
	};

	fixture_add_type(&slow_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
