/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table is swapped while the kernel reads a page of the device, which takes as long as the device below is suspended.
 * The swap waits briefly for the kernel; meanwhile the control thread continues with everything else.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fronts/fuse/fuse.h"
#include "support/inside.h"

#define SOON (20 * UINT64_C(1000000))	/* nanoseconds: much less than the swap waits */

static struct fixture f;
static struct fuse_front *front;
static bool stopped;

static void front_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

/* Another front that is told about the swap, last of all, and soon has something to do. */
static struct {
	struct dm_front front;
	struct timer timer;
	bool swapped, done;
	uint64_t at;		/* when it was told, ns */
} other;

static void other_does(struct timer *t)
{
	(void)t;
	other.done = true;
}

static void other_changed(struct dm_front *o, struct dm_device *d, enum dm_change what)
{
	(void)o;
	if (what != DM_SWAPPED || strcmp(d->name, "top"))
		return;
	other.swapped = true;
	other.at = clock_now(&clock_monotonic);
	loop_timer(f.loop, &other.timer, SOON);
}

static void over(struct dm_cmd *c)
{
	*(bool *)c->owner = true;
}

static void sh(const char *script, const char *wanted)
{
	char *got = inside_sh(&f, script);

	assert_string_equal(got, wanted);
	free(got);
}

/* FUSE is served on the first io thread. */
static bool is_held(const char *name)
{
	return dm_find_name(f.world, name)->lanes[0].parked;
}

static void the_control_thread_does_not_wait_for_the_kernel(void **state)
{
	bool resumed = false, done;
	uint64_t took;
	struct dm_cmd resume = { .verb = DM_DO_RESUME, .name = "top", .done = over, .owner = &resumed };

	(void)state;
	if (!front)
		skip();
	assert_int_equal(create(&f, "low", "0 64 zero", NULL), 0);
	assert_int_equal(create(&f, "top", "0 64 linear /dev/mapper/low 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "top", 0, NULL), 0);
	sh("cat .dmuse/io/252:2 >/dev/null 2>&1 &", "");
	while (!is_held("top"))
		settle_threads(&f);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "low", 0, NULL), 0);
	assert_int_equal(reload(&f, "top", "0 32 linear /dev/mapper/low 0", NULL), 0);
	dm_do(f.world, &resume);
	while (!resumed)
		loop_turn(f.loop, -1);
	done = other.done;
	took = clock_now(&clock_monotonic) - other.at;
	assert_int_equal(verb(&f, DM_DO_RESUME, "low", 0, NULL), 0);	/* first: else the kernel waits for us after a failure */
	assert_int_equal(resume.reply.err.code, 0);
	dm_reply_free(&resume.reply);
	assert_true(other.swapped);
	assert_true(done || took < SOON);	/* sometimes the kernel has no page to wait for */
	sh("stat -c %s .dmuse/io/252:2", "16384");
}

static int begin(void **state)
{
	struct err e = { 0 };
	int fd = geteuid() ? -EPERM : inside_begin(false);

	(void)state;
	if (fd < 0) {
		printf("# skip: there is no view here: %s\n", strerror(-fd));
		return 0;
	}
	fixture_begin(&f, 2, AIO_AUTO);
	if (fuse_front_new(&front, f.world, &e) || fuse_front_dev(front, fd, inside_pid(), &e))
		return -1;
	timer_init(&other.timer, other_does);
	other.front = (struct dm_front){ .name = "other", .changed = other_changed };
	list_append(&f.world->fronts, &other.front.node);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (!front)
		return 0;
	list_remove(&other.front.node);
	fuse_front_stop(front, front_stopped, NULL);
	while (!stopped)
		loop_turn(f.loop, -1);
	inside_end();
	fuse_front_free(front);
	fixture_end(&f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_control_thread_does_not_wait_for_the_kernel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
