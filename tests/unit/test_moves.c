/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of phases (doc/design.md): each hook of each transition fails, hangs, is given up, and ends on another
 * thread, and the result is as the table says. A device has two lines, a and b; the next table has the lines c and d.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "core/device/step.h"
#include "support/hooks.h"
#include "support/world.h"

#define OLD "0 32 hooks a\n32 32 hooks b"
#define NEW "0 32 hooks c\n32 32 hooks d"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	hooks_reset();
	fixture_add_type(&hooks_type);
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

struct pending {
	struct dm_cmd c;
	char *text;
	bool over;
};

static void pending_over(struct dm_cmd *c)
{
	container(c, struct pending, c)->over = true;
}

static void pending_start(struct pending *p, enum dm_verb v, const char *name, const char *table, uint32_t flags)
{
	*p = (struct pending){ .text = table ? strdup(table) : NULL };
	p->c = (struct dm_cmd){ .verb = v, .name = name, .flags = flags, .text = p->text, .cwd = "/", .done = pending_over };
	dm_do(f.world, &p->c);
}

/* Returns its errno. */
static int pending_wait(struct pending *p)
{
	while (!p->over)
		loop_turn(f.loop, -1);
	dm_reply_free(&p->c.reply);
	free(p->text);
	return p->c.reply.err.code;
}

static void until_hung(void)
{
	while (!hooks_hang())
		loop_turn(f.loop, -1);
}

static bool moving(void)
{
	const struct dm_device *d = dm_find_name(f.world, "d");

	return d && dm_device_moving(d);
}

/* Returns when nothing is left to be done. */
static void until_quiet(void)
{
	while (moving() || !list_empty(&f.world->retiring))
		loop_turn(f.loop, -1);
	settle_threads(&f);
	settle_threads(&f);
}

/* The table that requests meet: "old", "new", or "" if they wait or there is none. */
static const char *passes(void)
{
	struct dm_device *d = dm_find_name(f.world, "d");
	char *table;
	const char *which;

	if (!d || d->gate != DM_GATE_OPEN || !d->active)
		return "";
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, (uint8_t[512]){ 0 }), 0);
	table = rows(&f, DM_DO_STATUS, "d", 0);
	free(table);
	which = d->active->targets[0].type->name;
	assert_string_equal(which, "hooks");
	return *(const char *)((const char *)d->active->targets[0].priv + sizeof(struct dm_at)) == 'a' ? "old" : "new";
}

/* --- the transitions, and how they begin --------------------------------------------------------------------------- */

enum way { CREATE, SUSPEND, RESUME, SWAP, SWAP_SUSPENDED, REMOVE, WAYS };

static void prepare(enum way way, struct dm_device **d)
{
	if (way != CREATE) {
		assert_int_equal(create(&f, "d", OLD, NULL), 0);
		*d = dm_find_name(f.world, "d");
		if (way != REMOVE)
			dm_open(*d);
	}
	if (way == RESUME || way == SWAP_SUSPENDED)
		assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	if (way == SWAP || way == SWAP_SUSPENDED)
		assert_int_equal(reload(&f, "d", NEW, NULL), 0);
	hooks_called();
}

static void start(enum way way, struct pending *p)
{
	switch (way) {
	case CREATE:
		pending_start(p, DM_DO_CREATE, "d", OLD, 0);
		break;
	case SUSPEND:
		pending_start(p, DM_DO_SUSPEND, "d", NULL, 0);
		break;
	case REMOVE:
		pending_start(p, DM_DO_REMOVE, "d", NULL, 0);
		break;
	default:
		pending_start(p, DM_DO_RESUME, "d", NULL, 0);
		break;
	}
}

/* What must be true after a transition that failed or was given up, and which hooks were called. */
struct expected {
	enum way way;
	const char *hook;
	const char *passes;		/* as above; NULL: there is no device */
	bool suspended;
	const char *called;
};

static const struct expected refused[] = {
	{ CREATE, "a.preresume", NULL, false, "a.preresume" },
	{ CREATE, "b.preresume", NULL, false, "a.preresume b.preresume a.postsuspend" },
	{ CREATE, "b.resume", NULL, false, "a.preresume b.preresume a.resume b.resume a.presuspend b.postsuspend a.postsuspend" },
	{ SUSPEND, "b.presuspend", "old", false, "b.presuspend" },
	{ SUSPEND, "a.presuspend", "old", false, "b.presuspend a.presuspend b.resume" },
	{ SUSPEND, "b.postsuspend", "old", false, "b.presuspend a.presuspend b.postsuspend a.resume b.resume" },
	{ SUSPEND, "a.postsuspend", "old", false, "b.presuspend a.presuspend b.postsuspend a.postsuspend b.preresume a.resume b.resume" },
	{ RESUME, "b.preresume", "", true, "a.preresume b.preresume a.postsuspend" },
	{ RESUME, "a.resume", "", true, "a.preresume b.preresume a.resume b.postsuspend a.postsuspend" },
	{ SWAP, "a.presuspend", "old", false, "b.presuspend a.presuspend b.resume" },
	{ SWAP, "a.postsuspend", "old", false, "b.presuspend a.presuspend b.postsuspend a.postsuspend b.preresume a.resume b.resume" },
	{ SWAP, "d.preresume", "old", false, "b.presuspend a.presuspend b.postsuspend a.postsuspend c.preresume d.preresume "
					     "c.postsuspend a.preresume b.preresume a.resume b.resume" },
	{ SWAP, "c.resume", "old", false, "b.presuspend a.presuspend b.postsuspend a.postsuspend c.preresume d.preresume c.resume "
					  "d.postsuspend c.postsuspend a.preresume b.preresume a.resume b.resume" },
	{ SWAP_SUSPENDED, "c.preresume", "", true, "c.preresume" },
	{ SWAP_SUSPENDED, "d.resume", "", true, "c.preresume d.preresume c.resume d.resume c.presuspend d.postsuspend c.postsuspend" },
};

static void expect(const struct expected *x)
{
	if (!x->passes) {
		assert_null(dm_find_name(f.world, "d"));
		return;
	}
	assert_string_equal(passes(), x->passes);
	assert_int_equal(info(&f, "d").suspended, x->suspended);
	assert_int_equal(info(&f, "d").inactive, x->way == SWAP || x->way == SWAP_SUSPENDED);
}

/* The same transition succeeds when it is tried again. */
static void again(const struct expected *x)
{
	struct pending p;

	hooks_reset();
	start(x->way, &p);
	assert_int_equal(pending_wait(&p), 0);
	assert_string_equal(passes(), x->way == SUSPEND ? "" : x->way == SWAP || x->way == SWAP_SUSPENDED ? "new" : "old");
}

static void over_and_done(void)
{
	struct dm_device *d = dm_find_name(f.world, "d");

	hooks_reset();
	if (d && d->open_count)
		dm_close(d);
	if (d)
		assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
	assert_int_equal(hooks_lines(), 0);
	hooks_called();
}

static void each_hook_that_refuses_is_undone(void **state)
{
	struct dm_device *d = NULL;
	struct pending p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const struct expected *x = &refused[i];

		print_message("# %d: %s refuses\n", x->way, x->hook);
		hooks_reset();
		prepare(x->way, &d);
		hooks_tell(x->hook, i % 2 ? HOOKS_FAIL : HOOKS_FAIL_SILENTLY);
		start(x->way, &p);
		assert_int_equal(pending_wait(&p), -EIO);
		assert_non_null(strstr(p.c.reply.err.text, "hooks at sector "));
		until_quiet();
		assert_string_equal(hooks_called(), x->called);
		expect(x);
		again(x);
		over_and_done();
	}
}

/*
 * A transition that hangs is given up: the caller gets the answer at once. CALLED is what was called by then; LATE what
 * is called when the hook has ended, with success.
 */
static const struct hung {
	struct expected x;
	const char *late;
	bool at_once;		/* everything is as before, even before the hook has ended */
} hung[] = {
	{ { CREATE, "b.preresume", NULL, false, "a.preresume b.preresume" }, "b.postsuspend a.postsuspend", true },
	{ { CREATE, "a.resume", NULL, false, "a.preresume b.preresume a.resume" }, "b.resume b.presuspend a.presuspend b.postsuspend a.postsuspend", false },
	{ { SUSPEND, "b.presuspend", "old", false, "b.presuspend" }, "b.resume", true },
	{ { SUSPEND, "a.presuspend", "old", false, "b.presuspend a.presuspend" }, "a.resume b.resume", true },
	{ { SUSPEND, "b.postsuspend", "old", false, "b.presuspend a.presuspend b.postsuspend" },
	  "a.postsuspend a.preresume b.preresume a.resume b.resume", false },
	{ { RESUME, "a.preresume", "", true, "a.preresume" }, "a.postsuspend", true },
	{ { RESUME, "b.resume", "", true, "a.preresume b.preresume a.resume b.resume" },
	  "b.presuspend a.presuspend b.postsuspend a.postsuspend", false },
	{ { SWAP, "a.presuspend", "old", false, "b.presuspend a.presuspend" }, "a.resume b.resume", true },
	{ { SWAP, "d.preresume", "old", false, "b.presuspend a.presuspend b.postsuspend a.postsuspend c.preresume d.preresume "
					       "a.preresume b.preresume a.resume b.resume" }, "d.postsuspend c.postsuspend", true },
	{ { SWAP, "d.resume", "old", false, "b.presuspend a.presuspend b.postsuspend a.postsuspend c.preresume d.preresume c.resume "
					    "d.resume" },
	  "d.presuspend c.presuspend d.postsuspend c.postsuspend a.preresume b.preresume a.resume b.resume", false },
	{ { SWAP_SUSPENDED, "c.preresume", "", true, "c.preresume" }, "c.postsuspend", true },
	{ { REMOVE, "b.presuspend", "old", false, "b.presuspend" }, "b.resume", true },
	{ { REMOVE, "a.postsuspend", "old", false, "b.presuspend a.presuspend b.postsuspend a.postsuspend" },
	  "a.preresume b.preresume a.resume b.resume", false },
};

static void each_hook_that_hangs_can_be_given_up(void **state)
{
	struct dm_device *d = NULL;
	struct pending p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hung) / sizeof(*hung); i++) {
		const struct hung *h = &hung[i];

		print_message("# %d: %s hangs\n", h->x.way, h->x.hook);
		hooks_reset();
		prepare(h->x.way, &d);
		hooks_tell(h->x.hook, HOOKS_HANG);
		start(h->x.way, &p);
		until_hung();
		dm_cancel(&p.c);
		assert_int_equal(pending_wait(&p), -EINTR);
		assert_true(hooks_given_up() || !h->at_once);
		while (h->at_once && moving())
			loop_turn(f.loop, -1);
		assert_int_equal(moving(), !h->at_once);
		assert_string_equal(hooks_called(), h->x.called);
		if (h->at_once)
			expect(&h->x);
		hooks_end(0);
		until_quiet();
		if (h->x.passes)
			while (dm_walk_level(dm_find_name(f.world, "d")->active) != (h->x.suspended ? DM_IDLE : DM_RUNNING))
				loop_turn(f.loop, -1);
		settle_threads(&f);
		assert_string_equal(hooks_called(), h->late);
		expect(&h->x);
		if (h->x.passes && h->x.way != REMOVE)
			again(&h->x);
		over_and_done();
	}
}

static void hooks_that_refuse_do_not_stop_a_removal(void **state)
{
	static const char *const hooks[] = { "b.presuspend", "a.presuspend", "b.postsuspend", "a.postsuspend" };
	struct dm_device *d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		prepare(REMOVE, &d);
		hooks_tell(hooks[i], HOOKS_FAIL);
		assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
		assert_null(dm_find_name(f.world, "d"));
		assert_string_equal(hooks_called(), "b.presuspend a.presuspend b.postsuspend a.postsuspend");
		assert_int_equal(hooks_lines(), 0);
		hooks_reset();
	}
}

static void what_is_opened_while_it_is_removed_stays(void **state)
{
	static const char *const hooks[] = { "b.presuspend", "a.postsuspend" };
	struct dm_device *d;
	struct pending p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		prepare(REMOVE, &d);
		hooks_tell(hooks[i], HOOKS_HANG);
		start(REMOVE, &p);
		until_hung();
		dm_open(d);
		hooks_end(0);
		assert_int_equal(pending_wait(&p), -EBUSY);
		assert_non_null(strstr(p.c.reply.err.text, "in use (open count 1): it was opened meanwhile"));
		until_quiet();
		assert_int_equal(d->state, DM_ACTIVE);
		assert_string_equal(passes(), "old");
		assert_string_equal(hooks_called(), "b.presuspend a.presuspend b.postsuspend a.postsuspend a.preresume b.preresume "
				    "a.resume b.resume");
		over_and_done();
	}
}

/* Hooks may end on any thread, and what is asked of them is ordered. */
static void hooks_may_end_on_any_thread(void **state)
{
	static const char *const hooks[] = { "a.preresume", "b.preresume", "a.resume", "b.resume", "a.presuspend", "b.presuspend",
					     "a.postsuspend", "b.postsuspend" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hooks) / sizeof(*hooks); i++)
		hooks_tell(hooks[i], HOOKS_THREAD);
	assert_int_equal(create(&f, "d", OLD, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
	assert_string_equal(hooks_called(), "a.preresume b.preresume a.resume b.resume b.presuspend a.presuspend b.postsuspend a.postsuspend "
			    "a.preresume b.preresume a.resume b.resume b.presuspend a.presuspend b.postsuspend a.postsuspend");
	assert_int_equal(hooks_lines(), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_hook_that_refuses_is_undone),
		CASE(each_hook_that_hangs_can_be_given_up),
		CASE(hooks_that_refuse_do_not_stop_a_removal),
		CASE(what_is_opened_while_it_is_removed_stays),
		CASE(hooks_may_end_on_any_thread),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
