/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cannot be recorded is undone and refused, whatever the command: every verb changes something and is here, or says
 * why not. See core/state/record.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "support/recorder.h"
#include "support/seen.h"

static struct fixture f;
static struct recorder r;

static void begin(void)
{
	recorder_init(&r);
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(recorder_restore(&f, &r), 0);
}

static void end(void)
{
	struct list *n, *next;

	list_each(n, next, &f.world->devices)
		container(n, struct dm_device, node)->deferred = false;
	fixture_end(&f);
	recorder_free(&r);
}

static void next_world(void)
{
	fixture_end(&f);
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(recorder_restore(&f, &r), 0);
}

/* Those that record nothing of their own. */
static const char *const why_not[DM_VERBS] = {
	[DM_DO_VERSION] = "tells", [DM_DO_TARGETS] = "tells", [DM_DO_STORES] = "tells", [DM_DO_INFO] = "tells",
	[DM_DO_NAMES] = "tells", [DM_DO_STATUS] = "tells", [DM_DO_TABLE] = "tells", [DM_DO_MEASURE] = "tells",
	[DM_DO_DEPS] = "tells", [DM_DO_CHECK] = "tells", [DM_DO_EXPORT] = "tells", [DM_DO_DISKS] = "tells",
	[DM_DO_WAIT] = "waits", [DM_DO_STATS] = "counters are not recorded",
	[DM_DO_REMOVE_ALL] = "does it by remove",
	[DM_DO_CUT] = "the power of a disk is in memory only: its device comes back suspended (DM_TARGET_FORGETS)",
	[DM_DO_RESTORE] = "the same",
	[DM_DO_MOUNT] = "the front records it: tests/tools/survive.sh", [DM_DO_UMOUNT] = "the same",
	[DM_DO_DISK] = "test_record.c has disks", [DM_DO_UNDISK] = "the same",
	[DM_DO_SESSION] = "a session is made when it is asked for",
	[DM_DO_SHUTDOWN] = "the end", [DM_DO_REPLACE] = "hands all over",
};

static const char *const verb_names[DM_VERBS] = {
#define VERB(id, name, ...) [DM_DO_##id] = name,
#include "core/command/verbs.list"
};

/* --- what cannot be recorded ----------------------------------------------------------------------------------------- */

static const char *const some_names[] = { "a", "b" };
static char *some_texts[] = { (char *)"0 24 zero", (char *)"0 24 zero" };

static const struct dm_cmd changes[] = {
	{ .verb = DM_DO_CREATE, .name = "new" },
	{ .verb = DM_DO_CREATE, .name = "new", .text = (char *)"0 8 zero" },
	{ .verb = DM_DO_SUSPEND, .name = "a" },
	{ .verb = DM_DO_SUSPEND, .names = some_names, .n_names = 2 },
	{ .verb = DM_DO_RESUME, .name = "idle" },
	{ .verb = DM_DO_RESUME, .name = "loaded" },
	{ .verb = DM_DO_RESUME, .name = "empty" },
	{ .verb = DM_DO_RESUME, .name = "a", .read_ahead = { DM_AHEAD_IS, 8192 } },
	{ .verb = DM_DO_RELOAD, .name = "a", .text = (char *)"0 16 zero" },
	{ .verb = DM_DO_RELOAD, .name = "bare", .text = (char *)"0 16 zero" },
	{ .verb = DM_DO_RELOAD, .name = "a", .names = some_names, .n_names = 2, .texts = some_texts },
	{ .verb = DM_DO_CLEAR, .name = "loaded" },
	{ .verb = DM_DO_REMOVE, .name = "a" },
	{ .verb = DM_DO_REMOVE, .name = "open", .flags = DM_WITH_DEFERRED },
	{ .verb = DM_DO_REMOVE, .name = "open", .flags = DM_WITH_FORCE },
	{ .verb = DM_DO_RENAME, .name = "a", .new_name = "z" },
	{ .verb = DM_DO_SET_UUID, .name = "a", .new_uuid = "u" },
	{ .verb = DM_DO_GEOMETRY, .name = "a", .geometry = { 1, 2, 3, 4 } },
	{ .verb = DM_DO_MESSAGE, .name = "going", .message = "@cancel_deferred_remove" },
	{ .verb = DM_DO_MESSAGE, .name = "a", .message = "@stats_create - /2" },
	{ .verb = DM_DO_MESSAGE, .name = "counted", .message = "@stats_delete 0" },
	{ .verb = DM_DO_MESSAGE, .name = "counted", .message = "@stats_set_aux 0 x" },
};

static void make_for_changes(void)
{
	static const char *const names[] = { "a", "b", "idle", "loaded", "open", "going", "counted" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		make_device(&f, names[i], "0 8 zero");
	assert_int_equal(verb(&f, DM_DO_CREATE, "bare", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_CREATE, "empty", 0, NULL), 0);
	assert_int_equal(reload(&f, "empty", "0 8 zero", NULL), 0);
	assert_int_equal(reload(&f, "loaded", "0 16 zero", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "idle", 0, NULL), 0);
	dm_open(dm_find_name(f.world, "open"));
	dm_open(dm_find_name(f.world, "going"));
	assert_int_equal(verb(&f, DM_DO_REMOVE, "going", DM_WITH_DEFERRED, NULL), 0);
	tell(&f, "counted", "@stats_create - /2");
}

static void close_all(void)
{
	static const char *const names[] = { "open", "going" };
	struct dm_device *d;
	size_t i;

	for (i = 0; i < 2; i++)
		if ((d = dm_find_name(f.world, names[i])) && d->open_count)
			dm_close(d);
}

static void refuse_and_carry_out(const struct dm_cmd *change)
{
	struct dm_cmd c = *change;
	char *before, *after, why[ERR_TEXT];
	int code;

	begin();
	make_for_changes();
	before = seen(&f);
	r.fail = -ENOSPC;
	code = run(&f, &c, why);
	after = seen(&f);
	if (code != -ENOSPC || !strstr(why, "the recorder refuses") || strcmp(before, after))
		fail_msg("change %zd: %d '%s':\n%sinstead of\n%s", change - changes, code, why, after, before);
	r.fail = 0;
	free(after);
	dm_reply_free(&c.reply);
	c = *change;
	code = run(&f, &c, why);
	if (code && c.verb != DM_DO_REMOVE)
		fail_msg("change %zd: %s", change - changes, why);
	dm_reply_free(&c.reply);
	free(before);
	before = seen(&f);
	close_all();
	free(before);
	before = seen(&f);
	next_world();
	after = seen(&f);
	assert_string_equal(before, after);
	free(before);
	free(after);
	end();
}

static bool is_among_changes(enum dm_verb v)
{
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		if (changes[i].verb == v)
			return true;
	return false;
}

/* A new one has to be added to one of the two tables. */
static void every_verb_records_or_says_why_not(void **state)
{
	int v;

	(void)state;
	for (v = 0; v < DM_VERBS; v++)
		if (is_among_changes(v) == (why_not[v] != NULL))
			fail_msg("`%s`: either it is among `changes`, or `why_not` says why it is not", verb_names[v]);
}

static void what_cannot_be_recorded_is_undone(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		refuse_and_carry_out(&changes[i]);
}

/* Nobody is there who could be told: it stays until it is closed again. */
static void a_deferred_removal_that_cannot_be_recorded_is_tried_at_the_next_close(void **state)
{
	struct dm_device *d;

	(void)state;
	begin();
	d = make_device(&f, "d", "0 8 zero");
	dm_open(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", DM_WITH_DEFERRED, NULL), 0);
	r.fail = -ENOSPC;
	dm_close(d);
	settle_threads(&f);
	assert_ptr_equal(dm_find_name(f.world, "d"), d);
	dm_open(d);
	r.fail = 0;
	dm_close(d);
	settle_threads(&f);
	settle_threads(&f);
	assert_null(dm_find_name(f.world, "d"));
	assert_null(recorder_value(&r, "device/1"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_records_or_says_why_not),
		cmocka_unit_test(what_cannot_be_recorded_is_undone),
		cmocka_unit_test(a_deferred_removal_that_cannot_be_recorded_is_tried_at_the_next_close),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
