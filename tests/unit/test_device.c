/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands do to devices: names, slots, minors, stacks, busy and deferred removal, events, messages, counters. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

static struct fixture f;
static char why[ERR_TEXT];

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	return 0;
}

static struct dm_device *find(const char *name)
{
	return dm_find_name(f.world, name);
}

static void a_refused_create_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(create(&f, "x", "0 100 linear memory,size=1M:m 38x", why), -EINVAL);
	assert_non_null(strstr(why, "table line 1: linear <device> <offset>: word 2 <offset>: '38x' is not a number"));
	assert_int_equal(verb(&f, DM_DO_INFO, "x", 0, why), -ENXIO);
	assert_true(list_empty(&f.world->stores));
}

static void names_are_checked(void **state)
{
	static const char *const bad[] = { "", "a/b", ".", "..", "control" };
	char name[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(verb(&f, DM_DO_CREATE, bad[i], 0, why), -EINVAL);
	memset(name, 'n', 128);
	name[128] = '\0';
	assert_int_equal(verb(&f, DM_DO_CREATE, name, 0, why), -EINVAL);
	name[127] = '\0';
	assert_int_equal(verb(&f, DM_DO_CREATE, name, 0, why), 0);
	assert_int_equal(verb(&f, DM_DO_CREATE, name, 0, why), -EEXIST);
}

/* A table that has the device open must not report its old name. */
static void sentences_know_the_new_name(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_RENAME, .name = "low", .new_name = "deep" };

	(void)state;
	create(&f, "low", "0 64 zero", NULL);
	create(&f, "top", "0 64 linear low 0", NULL);
	assert_int_equal(run(&f, &c, why), 0);
	dm_reply_free(&c.reply);
	assert_int_equal(create(&f, "other", "0 65 linear deep 0", why), -EINVAL);
	assert_non_null(strstr(why, "'/dev/mapper/deep' has 64 sectors"));
}

static void a_rename_onto_another_is_refused(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_RENAME, .name = "a", .new_name = "b" };

	(void)state;
	create(&f, "a", "0 8 zero", NULL);
	create(&f, "b", "0 8 error", NULL);
	assert_int_equal(run(&f, &c, why), -EEXIST);
	dm_reply_free(&c.reply);
	assert_non_null(find("a"));
	c.new_name = "a";	/* its own name */
	assert_int_equal(run(&f, &c, why), 0);
	dm_reply_free(&c.reply);
	c.new_name = "c";
	assert_int_equal(run(&f, &c, why), 0);
	assert_string_equal(c.reply.info.name, "c");
	dm_reply_free(&c.reply);
	assert_null(find("a"));
	assert_non_null(find("c"));
}

static int by_uuid(enum dm_verb v, const char *uuid, const char *new_name)
{
	struct dm_cmd c = { .verb = v, .uuid = uuid, .new_name = new_name };
	int r = run(&f, &c, why);

	dm_reply_free(&c.reply);
	return r;
}

static int set_uuid(const char *name, const char *uuid)
{
	struct dm_cmd c = { .verb = DM_DO_SET_UUID, .name = name, .new_uuid = uuid };
	int r = run(&f, &c, why);

	dm_reply_free(&c.reply);
	return r;
}

static void a_uuid_names_a_device_for_ever(void **state)
{
	(void)state;
	create(&f, "a", "0 8 zero", NULL);
	create(&f, "b", "0 8 zero", NULL);
	assert_int_equal(set_uuid("a", "U-1"), 0);
	assert_int_equal(set_uuid("b", "U-1"), -EEXIST);
	assert_int_equal(set_uuid("a", "U-2"), -EINVAL);
	assert_int_equal(by_uuid(DM_DO_RENAME, "U-1", "z"), 0);
	assert_non_null(find("z"));
	assert_int_equal(by_uuid(DM_DO_REMOVE, "U-1", NULL), 0);
	assert_int_equal(by_uuid(DM_DO_INFO, "U-1", NULL), -ENXIO);
}

static void minors_are_pinned_and_used_again(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "p", .has_minor = true, .minor = 77 };

	(void)state;
	assert_int_equal(run(&f, &c, why), 0);
	assert_int_equal(c.reply.info.minor, 77);
	c.name = "q";
	assert_int_equal(run(&f, &c, why), -EBUSY);
	c.minor = 1u << 20;
	assert_int_equal(run(&f, &c, why), -EINVAL);
	verb(&f, DM_DO_CREATE, "one", 0, NULL);
	verb(&f, DM_DO_CREATE, "two", 0, NULL);
	assert_int_equal(info(&f, "one").minor, 1);
	verb(&f, DM_DO_REMOVE, "one", 0, NULL);
	verb(&f, DM_DO_CREATE, "three", 0, NULL);
	assert_int_equal(info(&f, "three").minor, 1);
	assert_int_equal(info(&f, "two").minor, 2);
}

static void slots_change_as_on_linux(void **state)
{
	struct dm_info i;

	(void)state;
	verb(&f, DM_DO_CREATE, "d", 0, NULL);
	i = info(&f, "d");
	assert_false(i.live || i.inactive);
	reload(&f, "d", "0 8 zero", NULL);
	i = info(&f, "d");
	assert_true(!i.live && i.inactive && i.sectors == 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, why), 0);
	i = info(&f, "d");
	assert_true(i.live && !i.inactive && i.sectors == 8);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, why), 0);
	assert_true(info(&f, "d").suspended);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, why), 0);	/* nothing is loaded: the live table stays */
	assert_int_equal(info(&f, "d").sectors, 8);
	reload(&f, "d", "0 16 zero", NULL);
	verb(&f, DM_DO_CLEAR, "d", 0, NULL);
	assert_false(info(&f, "d").inactive);
	assert_int_equal(verb(&f, DM_DO_CLEAR, "d", 0, why), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, why), 0);
	assert_int_equal(info(&f, "d").sectors, 8);
}

static void a_failed_load_leaves_both_slots(void **state)
{
	static const char *const bad[] = { "0 8 nosuch", "0 8 zero\n8 8 zero x", "0 8 zero\n9 8 zero", "", "0 0 zero" };
	char *before[2], *after;
	size_t i;

	(void)state;
	create(&f, "d", "0 8 zero", NULL);
	reload(&f, "d", "0 4 error\n4 4 zero", NULL);
	before[0] = rows(&f, DM_DO_TABLE, "d", 0);
	before[1] = rows(&f, DM_DO_TABLE, "d", DM_WITH_INACTIVE);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_not_equal(reload(&f, "d", bad[i], why), 0);
		after = rows(&f, DM_DO_TABLE, "d", 0);
		assert_string_equal(before[0], after);
		free(after);
		after = rows(&f, DM_DO_TABLE, "d", DM_WITH_INACTIVE);
		assert_string_equal(before[1], after);
		free(after);
	}
	free(before[0]);
	free(before[1]);
}

static void a_device_never_stands_on_itself(void **state)
{
	(void)state;
	create(&f, "a", "0 64 zero", NULL);
	create(&f, "b", "0 64 linear /dev/mapper/a 0", why);
	create(&f, "c", "0 64 linear /dev/mapper/b 0", why);
	assert_int_equal(reload(&f, "a", "0 64 linear /dev/mapper/a 0", why), -EINVAL);
	assert_non_null(strstr(why, "onto itself"));
	assert_int_equal(reload(&f, "a", "0 64 linear /dev/mapper/c 0", why), -EINVAL);
	assert_non_null(strstr(why, "leads back"));
	/* Also through an inactive table. */
	assert_int_equal(reload(&f, "b", "0 64 zero", why), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "b", 0, why), 0);
	assert_int_equal(reload(&f, "b", "0 64 linear /dev/mapper/a 0", why), 0);
	assert_int_equal(reload(&f, "a", "0 64 linear /dev/mapper/c 0", why), -EINVAL);
}

static void removal_respects_users(void **state)
{
	(void)state;
	create(&f, "low", "0 64 zero", NULL);
	create(&f, "top", "0 64 linear /dev/mapper/low 0", why);
	assert_int_equal(info(&f, "low").open_count, 1);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "low", 0, why), -EBUSY);
	assert_non_null(strstr(why, "'top' is mapped onto it"));
	assert_int_equal(verb(&f, DM_DO_REMOVE, "low", DM_WITH_DEFERRED, why), 0);
	assert_true(info(&f, "low").deferred);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "top", 0, why), 0);
	assert_null(find("low"));
}

static void forced_removal_cuts_the_way_down(void **state)
{
	uint8_t data[512];

	(void)state;
	create(&f, "low", "0 64 zero", NULL);
	create(&f, "top", "0 64 linear /dev/mapper/low 0", NULL);
	dm_open(find("top"));
	assert_int_equal(request(&f, find("top"), 0, DM_READ, 0, 0, 1, data), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "top", DM_WITH_FORCE, why), -EBUSY);
	assert_int_equal(request(&f, find("top"), 0, DM_READ, 0, 0, 1, data), -EIO);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "low", 0, why), 0);
	dm_close(find("top"));
	assert_int_equal(verb(&f, DM_DO_REMOVE, "top", DM_WITH_FORCE, why), 0);
}

static void remove_all_takes_stacks_down(void **state)
{
	(void)state;
	create(&f, "a", "0 64 zero", NULL);
	create(&f, "b", "0 64 linear /dev/mapper/a 0", NULL);
	create(&f, "c", "0 64 linear /dev/mapper/b 0", NULL);
	create(&f, "held", "0 64 zero", NULL);
	dm_open(find("held"));
	assert_int_equal(verb(&f, DM_DO_REMOVE_ALL, NULL, 0, why), -EBUSY);
	assert_int_equal(f.world->n_devices, 1);
	assert_int_equal(verb(&f, DM_DO_REMOVE_ALL, NULL, DM_WITH_FORCE | DM_WITH_DEFERRED, why), 0);
	dm_close(find("held"));
	assert_int_equal(f.world->n_devices, 0);
}

static unsigned waits_over;

static void wait_over(struct dm_cmd *c)
{
	(void)c;
	waits_over++;
}

static void wait_ends_with_an_event_or_a_cancel(void **state)
{
	struct dm_cmd a = { .verb = DM_DO_WAIT, .name = "d", .done = wait_over }, b = a, late = a;
	struct dm_cmd r = { .verb = DM_DO_RENAME, .name = "d", .new_name = "e" };

	(void)state;
	create(&f, "d", "0 8 zero", NULL);
	waits_over = 0;
	dm_do(f.world, &a);
	dm_do(f.world, &b);
	settle_threads(&f);
	assert_int_equal(waits_over, 0);
	dm_cancel(&b);
	settle_threads(&f);
	assert_int_equal(waits_over, 1);
	assert_int_equal(b.reply.err.code, -EINTR);
	run(&f, &r, NULL);
	assert_int_equal(waits_over, 2);
	assert_int_equal(a.reply.err.code, 0);
	assert_int_equal(a.reply.info.event_nr, 1);
	late.name = "e";
	late.event_nr = 0;
	assert_int_equal(run(&f, &late, NULL), 0);	/* that event has happened already */
	late.event_nr = 1;
	late.done = wait_over;
	dm_do(f.world, &late);
	verb(&f, DM_DO_REMOVE, "e", 0, NULL);
	settle_threads(&f);
	assert_int_equal(waits_over, 3);
	assert_int_equal(late.reply.err.code, 0);
	dm_reply_free(&r.reply);
}

static int say(const char *name, uint64_t sector, const char *message, const char *answer)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = name, .sector = sector, .message = message };
	int r = run(&f, &c, why);

	if (answer)
		assert_string_equal(c.reply.answer, answer);
	dm_reply_free(&c.reply);
	return r;
}

static void messages_reach_the_line_of_their_sector(void **state)
{
	(void)state;
	create(&f, "d", "0 8 zero\n8 8 gate", NULL);
	assert_int_equal(say("d", 8, "hello", "world"), 0);
	assert_int_equal(say("d", 0, "hello", NULL), -EINVAL);
	assert_non_null(strstr(why, "takes no messages"));
	assert_int_equal(say("d", 16, "hello", NULL), -EINVAL);
	assert_int_equal(say("d", 8, "", NULL), -EINVAL);
	assert_int_equal(say("d", 8, "nonsense", NULL), -EINVAL);
}

static void counters_count_and_reset(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_STATS, .name = "d", .flags = DM_WITH_RESET };
	uint8_t data[4096] = { 0 };
	uint64_t n = 0;
	unsigned i;

	(void)state;
	create(&f, "d", "0 8 zero\n8 8 error", NULL);
	dm_open(find("d"));
	request(&f, find("d"), 0, DM_READ, 0, 0, 8, data);
	request(&f, find("d"), 1, DM_READ, 0, 0, 2, data);
	request(&f, find("d"), 1, DM_WRITE, 0, 8, 1, data);
	dm_close(find("d"));
	run(&f, &c, NULL);
	assert_int_equal(c.reply.stats->ios[DM_READ], 2);
	assert_int_equal(c.reply.stats->sectors[DM_READ], 10);
	assert_int_equal(c.reply.stats->errors[DM_WRITE], 1);
	assert_int_equal(c.reply.stats->sectors[DM_WRITE], 0);
	for (i = 0; i < DM_BUCKETS; i++)
		n += c.reply.stats->latency[DM_READ][i];
	assert_int_equal(n, 2);
	dm_reply_free(&c.reply);
	run(&f, &c, NULL);
	assert_int_equal(c.reply.stats->ios[DM_READ], 0);
	dm_reply_free(&c.reply);
}

static void a_read_only_device_refuses_writes(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "ro", .flags = DM_WITH_READONLY };
	char table[] = "0 8 zero";
	uint8_t data[512] = { 0 };

	(void)state;
	c.text = table;
	assert_int_equal(run(&f, &c, why), 0);
	assert_true(c.reply.info.readonly);
	dm_reply_free(&c.reply);
	dm_open(find("ro"));
	assert_int_equal(request(&f, find("ro"), 0, DM_WRITE, 0, 0, 1, data), -EROFS);
	assert_int_equal(request(&f, find("ro"), 0, DM_ZEROES, 0, 0, 1, NULL), -EROFS);
	assert_int_equal(request(&f, find("ro"), 0, DM_DISCARD, 0, 0, 1, NULL), -EROFS);
	assert_int_equal(request(&f, find("ro"), 0, DM_READ, 0, 0, 1, data), 0);
	assert_int_equal(request(&f, find("ro"), 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	dm_close(find("ro"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_refused_create_leaves_nothing),
		CASE(names_are_checked),
		CASE(sentences_know_the_new_name),
		CASE(a_rename_onto_another_is_refused),
		CASE(a_uuid_names_a_device_for_ever),
		CASE(minors_are_pinned_and_used_again),
		CASE(slots_change_as_on_linux),
		CASE(a_failed_load_leaves_both_slots),
		CASE(a_device_never_stands_on_itself),
		CASE(removal_respects_users),
		CASE(forced_removal_cuts_the_way_down),
		CASE(remove_all_takes_stacks_down),
		CASE(wait_ends_with_an_event_or_a_cancel),
		CASE(messages_reach_the_line_of_their_sector),
		CASE(counters_count_and_reset),
		CASE(a_read_only_device_refuses_writes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
