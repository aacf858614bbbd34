/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is easily lost where requests, children and transitions meet: a flush that is put back, a child that is sent
 * again, a failure that a type forgives, groups of devices above each other.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/path/child.h"
#include "core/device/devices.h"
#include "core/path/held.h"
#include "support/hooks.h"
#include "support/pending.h"
#include "support/world.h"

static struct fixture f;
static uint8_t data[64 * DM_SECTOR];
static atomic_uint flushes;
static atomic_int seen_op;
static atomic_bool forgives;

static int one_ctr(struct dm_target *t, struct dm_args *a)
{
	struct dm_at *at = t->priv;

	*at = dm_arg_at(a, t->len);
	return dm_args_end(a);
}

static int sends_on(const struct dm_target *t, struct dm_req *r)
{
	return dm_remap(r, t->priv, r->sector);
}

/* returns: every second flush is put back. */
static int returns_flush(const struct dm_target *t, struct dm_req *r)
{
	return atomic_fetch_add(&flushes, 1) % 2 ? dm_remap(r, t->priv, 0) : DM_PUT_BACK;
}

static const struct dm_type returns_type = {
	.name = "returns", .usage = "<device> <offset>", .about = "puts flushes back", .size = sizeof(struct dm_at), .ctr = one_ctr,
	.map = sends_on, .flush = returns_flush,
};

/* single: has one child, and may forgive its failure. */
static int single_map(const struct dm_target *t, struct dm_req *r)
{
	struct dm_req *c;

	if (dm_children(r, &c, 1))
		return -ENOMEM;
	dm_send(r->io, t->priv, c);
	return DM_HELD;
}

static int single_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	(void)t;
	(void)r;
	atomic_store(&seen_op, c->op | (c->flags & DM_FUA ? 0x100 : 0));
	return atomic_load(&forgives) ? 0 : err;
}

static const struct dm_type single_type = {
	.name = "single", .usage = "<device> <offset>", .about = "one child", .size = sizeof(struct dm_at), .ctr = one_ctr,
	.map = single_map, .child = single_child,
};

/* wavers io|back: fails, or puts back, as often as it is told; then carries out nothing. */
static atomic_int waver_ios, waver_backs;

static int wavers_ctr(struct dm_target *t, struct dm_args *a)
{
	const char *word = dm_arg_word(a, "<how>");

	*(char *)t->priv = word ? *word : 0;
	return dm_args_end(a);
}

static bool one_less(atomic_int *n)
{
	return atomic_load(n) && atomic_fetch_sub(n, 1);
}

static int wavers_map(const struct dm_target *t, struct dm_req *r)
{
	(void)r;
	if (*(const char *)t->priv == 'i')
		return one_less(&waver_ios) ? -EIO : DM_DONE;
	return one_less(&waver_backs) ? DM_PUT_BACK : DM_DONE;
}

static const struct dm_type wavers_type = {
	.name = "wavers", .usage = "<how>", .about = "fails or puts back", .size = 1, .ctr = wavers_ctr, .map = wavers_map,
};

static struct dm_device *made(const char *name, const char *table)
{
	char why[ERR_TEXT];

	if (create(&f, name, table, why))
		fail_msg("%s: %s", name, why);
	dm_open(dm_find_name(f.world, name));
	return dm_find_name(f.world, name);
}

static int begin(void **state)
{
	(void)state;
	hooks_reset();
	atomic_store(&flushes, 0);
	atomic_store(&forgives, false);
	fixture_begin(&f, 2, AIO_AUTO);
	made("base", "0 64 linear memory,size=1M:a 0");
	made("bad", "0 64 error");
	return 0;
}

static int end(void **state)
{
	struct list *n, *next;

	(void)state;
	list_each(n, next, &f.world->devices) {
		struct dm_device *d = container(n, struct dm_device, node);

		while (d->open_count > d->users)
			dm_close(d);
	}
	fixture_end(&f);
	return 0;
}

/* Its line does not begin at 0, and it arrives as one of two flushes of a device above. */
static void a_flush_that_was_put_back_is_carried_out(void **state)
{
	struct dm_device *d;

	(void)state;
	made("low", "0 8 error\n8 56 returns base 8");
	d = made("d", "0 64 linear low 0\n64 64 linear base 0");
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(atomic_load(&flushes), 2);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_int_equal(atomic_load(&flushes), 4);
}

/* The memory store does not support FUA: a flush follows. */
static void a_child_comes_back_as_it_was_sent(void **state)
{
	struct dm_device *d = made("d", "0 64 single memory,size=1M:b 0");

	(void)state;
	assert_int_equal(request(&f, d, 1, DM_WRITE, DM_FUA, 1, 4, data), 0);
	assert_int_equal(atomic_load(&seen_op), DM_WRITE | 0x100);
	assert_int_equal(request(&f, d, 1, DM_WRITE, 0, 1, 4, data), 0);
	assert_int_equal(atomic_load(&seen_op), DM_WRITE);
}

static char *faults(const char *name)
{
	struct dm_cmd c = { .verb = DM_DO_INFO, .name = name };
	char *said;

	assert_int_equal(run(&f, &c, NULL), 0);
	said = strdup(text_str(&c.reply.warnings));
	dm_reply_free(&c.reply);
	return said;
}

static void expect_faults(const char *name, const char *part)
{
	char *said = faults(name);

	if (part ? !strstr(said, part) : *said)
		fail_msg("'%s' is told of %s", said, name);
	free(said);
}

/* An event of the striped device below is raised all the same. */
static void what_a_type_forgives_has_not_failed(void **state)
{
	struct dm_device *d;
	uint32_t events;

	(void)state;
	made("low", "0 64 striped 1 64 bad 0");
	made("mid", "0 64 single low 0");
	d = made("d", "0 64 linear mid 0");
	events = info(&f, "low").event_nr;
	atomic_store(&forgives, true);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 3, 5, data), 0);
	settle_threads(&f);
	expect_faults("d", NULL);
	expect_faults("low", NULL);
	assert_int_equal(info(&f, "low").event_nr, events + 1);
	atomic_store(&forgives, false);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 3, 5, data), -EIO);
	expect_faults("d", "write of sectors 3 to 7");
	expect_faults("d", "type error");
}

static void group_start(struct pending *p, enum dm_verb v, const char *const *names, size_t n, uint32_t flags)
{
	pending_start(&f, p, (struct dm_cmd){ .verb = v, .names = names, .n_names = n, .flags = flags });
}

static int group_wait(struct pending *p)
{
	return pending_wait(&f, p);
}

static void make_four(void)
{
	made("d", "0 64 hooks d base 0");
	made("c", "0 64 hooks c d 0");
	made("b", "0 64 hooks b c 0");
	made("a", "0 64 hooks a b 0");
	hooks_called();
}

/* The upper group is sorted while the lower one waits: it must not forget which device is below which. */
static void two_groups_above_each_other(void **state)
{
	const char *const lower[] = { "d", "c" }, *const upper[] = { "a", "b" };
	struct pending p, q;

	(void)state;
	make_four();
	hooks_tell("c.presuspend", HOOKS_HANG);
	group_start(&p, DM_DO_SUSPEND, lower, 2, 0);
	while (!hooks_hang())
		loop_turn(f.loop, -1);
	group_start(&q, DM_DO_SUSPEND, upper, 2, DM_WITH_NOFLUSH);
	assert_true(dm_find_name(f.world, "d")->moving.below);
	hooks_tell("c.presuspend", HOOKS_SUCCEED);
	hooks_end(0);
	assert_int_equal(group_wait(&p), 0);
	assert_int_equal(group_wait(&q), 0);
	group_start(&p, DM_DO_RESUME, lower, 2, 0);
	assert_int_equal(group_wait(&p), 0);
	group_start(&q, DM_DO_RESUME, upper, 2, 0);
	assert_int_equal(group_wait(&q), 0);
}

/* What c put back would have come from b, which waits for it. */
static void nothing_is_put_back_below_another_device_of_the_group(void **state)
{
	const char *const names[] = { "c", "b" };
	struct pending p;

	(void)state;
	make_four();
	group_start(&p, DM_DO_SUSPEND, names, 2, DM_WITH_NOFLUSH);
	assert_int_equal(group_wait(&p), 0);
	assert_string_equal(hooks_called(), "b.presuspend! c.presuspend b.postsuspend! c.postsuspend");
	group_start(&p, DM_DO_RESUME, names, 2, 0);
	assert_int_equal(group_wait(&p), 0);
}

static void a_group_does_not_wait_for_what_it_would_resume_itself(void **state)
{
	const char *const names[] = { "a", "d" };
	struct pending p;

	(void)state;
	make_four();
	assert_int_equal(reload(&f, "a", "0 64 hooks e b 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	group_start(&p, DM_DO_RESUME, names, 2, 0);
	assert_int_equal(group_wait(&p), -EBUSY);
	assert_true(info(&f, "d").suspended);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	group_start(&p, DM_DO_RESUME, names, 2, 0);
	assert_int_equal(group_wait(&p), 0);
}

/*
 * All of them let their requests go before any is waited for; then each is flushed once, from the top down, before it
 * stops.
 */
static void at_the_end_all_let_go_first(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	atomic_store(&flushes, 1);
	made("low", "0 64 returns base 0");
	make_four();
	hooks_tell("d.postsuspend", HOOKS_THREAD);
	while (!list_empty(&f.world->devices)) {
		struct list *n, *next;

		list_each(n, next, &f.world->devices)
			while (container(n, struct dm_device, node)->open_count > container(n, struct dm_device, node)->users)
				dm_close(container(n, struct dm_device, node));
		assert_int_equal(dm_world_stop(f.world, &e), 0);
	}
	assert_string_equal(hooks_called(), "a.presuspend b.presuspend c.presuspend d.presuspend "
			    "a.postsuspend b.postsuspend c.postsuspend d.postsuspend");
	assert_int_equal(atomic_load(&flushes), 2);
}

/* One part fails, another one is put back, and the whole with it: the client sees no failure. */
static void a_failure_before_a_put_back_is_none(void **state)
{
	struct dm_device *d = made("d", "0 8 wavers io\n8 8 wavers back");

	(void)state;
	atomic_store(&waver_ios, 1);
	atomic_store(&waver_backs, 1);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 16, data), 0);
	assert_int_equal(atomic_load(&waver_ios), 0);
	expect_faults("d", NULL);
	atomic_store(&waver_ios, 2);
	atomic_store(&waver_backs, 1);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 16, data), -EIO);
	expect_faults("d", "read of sectors 0 to 7 failed");
}

/* At an open gate it waits a millisecond each time, or its thread would do nothing else. */
static void a_type_that_puts_back_for_ever_leaves_time_for_others(void **state)
{
	struct dm_device *d = made("d", "0 8 wavers back");
	uint64_t began = clock_now(&clock_monotonic);

	(void)state;
	atomic_store(&waver_backs, 20);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 8, data), 0);
	assert_true(clock_now(&clock_monotonic) - began >= 20 * 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flush_that_was_put_back_is_carried_out, begin, end),
		cmocka_unit_test_setup_teardown(a_child_comes_back_as_it_was_sent, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_before_a_put_back_is_none, begin, end),
		cmocka_unit_test_setup_teardown(a_type_that_puts_back_for_ever_leaves_time_for_others, begin, end),
		cmocka_unit_test_setup_teardown(what_a_type_forgives_has_not_failed, begin, end),
		cmocka_unit_test_setup_teardown(two_groups_above_each_other, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_put_back_below_another_device_of_the_group, begin, end),
		cmocka_unit_test_setup_teardown(a_group_does_not_wait_for_what_it_would_resume_itself, begin, end),
		cmocka_unit_test_setup_teardown(at_the_end_all_let_go_first, begin, end),
	};

	fixture_add_type(&returns_type);
	fixture_add_type(&single_type);
	fixture_add_type(&wavers_type);
	fixture_add_type(&hooks_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
