/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands require of fronts before they begin: a close by a program may not have reached the core yet. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "support/world.h"

static struct fixture f;

/* A front whose program has closed its device, which it notices when it catches up. */
struct late {
	struct dm_front front;
	struct loop_msg msg, *then;
	struct dm_device *device;
	unsigned asked;
};

static struct late late[3];

static void late_hears(struct loop_msg *m)
{
	struct late *l = container(m, struct late, msg);

	dm_close(l->device);
	l->device = NULL;
	l->then->run(l->then);
}

static bool late_catch_up(struct dm_front *front, struct loop_msg *then)
{
	struct late *l = container(front, struct late, front);

	l->asked++;
	if (!l->device)
		return false;
	l->then = then;
	l->msg.run = late_hears;
	loop_post(f.loop, &l->msg);
	return true;
}

static int begin(void **state)
{
	unsigned i;

	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	if (create(&f, "d", "0 8 zero", NULL))
		return -1;
	for (i = 0; i < 3; i++) {
		late[i] = (struct late){ .front = { .name = "late", .catch_up = i == 1 ? NULL : late_catch_up } };
		list_append(&f.world->fronts, &late[i].front.node);
	}
	return 0;
}

static int end(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++)
		list_remove(&late[i].front.node);
	fixture_end(&f);
	return 0;
}

static void hold(unsigned i)
{
	late[i].device = dm_find_name(f.world, "d");
	dm_open(late[i].device);
}

static void every_front_catches_up(void **state)
{
	(void)state;
	hold(0);
	hold(2);
	assert_int_equal(info(&f, "d").open_count, 0);
	hold(2);
	assert_int_equal(info(&f, "d").open_count, 0);
	assert_int_equal(late[0].asked, 2);
	assert_int_equal(late[2].asked, 2);
	hold(0);
	hold(2);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
}

static void what_is_not_about_opens_asks_nobody(void **state)
{
	(void)state;
	hold(0);
	verb(&f, DM_DO_VERSION, NULL, 0, NULL);
	assert_int_equal(late[0].asked, 0);
	verb(&f, DM_DO_NAMES, NULL, 0, NULL);
	assert_int_equal(late[0].asked, 1);
	assert_int_equal(late[2].asked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_front_catches_up, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_about_opens_asks_nobody, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
