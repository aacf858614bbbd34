/* SPDX-License-Identifier: BSD-2-Clause */
/* A swap ends only when every front has followed it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/device/device.h"
#include "support/world.h"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void over(struct dm_cmd *c)
{
	*(bool *)c->owner = true;
}

static void start(struct dm_cmd *c, enum dm_verb v, const char *name, bool *is_over)
{
	*is_over = false;
	*c = (struct dm_cmd){ .verb = v, .name = name, .done = over, .owner = is_over };
	dm_do(f.world, c);
}

static void wait_for(struct dm_cmd *c, const bool *is_over)
{
	while (!*is_over)
		loop_turn(f.loop, -1);
	assert_int_equal(c->reply.err.code, 0);
	dm_reply_free(&c->reply);
}

/* A front that shows a device elsewhere, and follows when it is told to. */
struct follower {
	struct dm_front front;
	struct loop_msg *then;
	unsigned asked;
};

static bool follower_follow(struct dm_front *front, struct dm_device *d, struct loop_msg *then)
{
	struct follower *w = container(front, struct follower, front);

	(void)d;
	w->asked++;
	w->then = then;
	return true;
}

static void follower_add(struct follower *w)
{
	*w = (struct follower){ .front = { .name = "follower", .follow = follower_follow } };
	list_append(&f.world->fronts, &w->front.node);
}

static void swap_ends_when_every_front_has_followed(void **state)
{
	struct follower first, second;
	struct dm_cmd resume, suspend;
	bool resumed, suspended;
	struct dm_device *d;

	(void)state;
	assert_int_equal(create(&f, "d", "0 8 zero", NULL), 0);
	follower_add(&first);
	follower_add(&second);
	d = dm_find_name(f.world, "d");
	dm_open(d);
	assert_int_equal(reload(&f, "d", "0 16 zero", NULL), 0);
	start(&resume, DM_DO_RESUME, "d", &resumed);
	start(&suspend, DM_DO_SUSPEND, "d", &suspended);
	while (!first.asked)
		loop_turn(f.loop, -1);
	assert_int_equal(second.asked, 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 8, 8, (char[4096]){ 0 }), 0);	/* the new table is active */
	first.then->run(first.then);
	settle_threads(&f);
	assert_int_equal(second.asked, 1);
	assert_false(resumed);
	second.then->run(second.then);
	wait_for(&resume, &resumed);
	wait_for(&suspend, &suspended);
	assert_true(info(&f, "d").suspended);
	assert_int_equal(first.asked, 1);
	list_remove(&first.front.node);
	list_remove(&second.front.node);
	dm_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(swap_ends_when_every_front_has_followed, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
