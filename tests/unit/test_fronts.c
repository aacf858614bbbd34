/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands require of fronts before they begin: a close by a program may not have reached the core yet. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
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

/* It has the device to itself. */
static void late_releases(struct loop_msg *m)
{
	dm_unclaim(container(m, struct late, msg)->device);
	late_hears(m);
}

static bool late_settle(struct dm_front *front, const struct dm_device *d, struct loop_msg *then)
{
	struct late *l = container(front, struct late, front);

	if (!l->device || d != l->device)
		return false;
	l->asked++;
	l->then = then;
	l->msg.run = late_releases;
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

static void claim(unsigned i)
{
	late[i].front.catch_up = NULL;
	late[i].front.settle = late_settle;
	hold(i);
	assert_int_equal(dm_claim(late[i].device), 0);
}

static void a_table_waits_for_who_has_the_device_to_himself(void **state)
{
	char sentence[ERR_TEXT];

	(void)state;
	claim(1);
	assert_int_equal(create(&f, "above", "0 8 linear /dev/mapper/d 0", sentence), 0);
	assert_int_equal(late[1].asked, 1);
	verb(&f, DM_DO_REMOVE, "above", 0, NULL);
	claim(1);
	late[1].front.settle = NULL;
	assert_int_equal(create(&f, "above", "0 8 linear /dev/mapper/d 0", sentence), -EBUSY);
	assert_non_null(strstr(sentence, "O_EXCL"));
	dm_unclaim(late[1].device);
	dm_close(late[1].device);
}

static void ended(struct dm_cmd *c)
{
	*(bool *)c->owner = true;
}

static void meanwhile_it_can_be_cancelled(void **state)
{
	char table[] = "0 8 linear /dev/mapper/d 0";
	bool over = false;
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "above", .text = table, .done = ended, .owner = &over };

	(void)state;
	claim(1);
	dm_do(f.world, &c);
	while (!late[1].asked)
		loop_turn(f.loop, -1);
	assert_non_null(late[1].device);
	dm_cancel(&c);
	while (!over || late[1].device)
		loop_turn(f.loop, -1);
	assert_int_equal(c.reply.err.code, -EINTR);
	dm_reply_free(&c.reply);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_front_catches_up, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_about_opens_asks_nobody, begin, end),
		cmocka_unit_test_setup_teardown(a_table_waits_for_who_has_the_device_to_himself, begin, end),
		cmocka_unit_test_setup_teardown(meanwhile_it_can_be_cancelled, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
