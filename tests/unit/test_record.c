/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a world that a later world has again: everything that can be seen of its devices. See core/state/record.h. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "support/hooks.h"
#include "support/recorder.h"
#include "support/temp.h"

static struct fixture f;
static struct recorder r;
static char dir[TEMP_PATH], file[TEMP_PATH + 8], other[TEMP_PATH + 8];

static void make_file(const char *path, off_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static void begin(void)
{
	hooks_reset();
	assert_non_null(mkdtemp(temp_template(dir, "record")));
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	make_file(file, 1 << 20);
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
	unlink(file);
	unlink(other);
	assert_int_equal(rmdir(dir), 0);
}

/* Returns how many tables could not be brought back. */
static unsigned next_world(void)
{
	fixture_end(&f);
	fixture_begin(&f, 2, AIO_AUTO);
	return recorder_restore(&f, &r);
}

static void add_rows(struct text *out, const char *name, const char *what, enum dm_verb v, uint32_t flags)
{
	char *text = rows(&f, v, name, flags);

	text_printf(out, "%s: %s\n", what, text);
	free(text);
}

static void add_regions(struct text *out, const char *name)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = name, .message = "@stats_list" };

	assert_int_equal(dm_do_now(f.world, &c), 0);
	text_printf(out, "regions: %s\n", c.reply.answer);
	dm_reply_free(&c.reply);
}

static void add_device(struct text *out, const struct dm_device *d)
{
	struct dm_info i = info(&f, d->name);

	text_printf(out, "%s/%s %s/%s %u:%u suspended=%d readonly=%d deferred=%d live=%d inactive=%d event=%u sectors=%llu ahead=%d/%u\n",
		    i.name, i.kernel_name, i.uuid, i.kernel_uuid, i.major, i.minor, i.suspended, i.readonly, i.deferred, i.live, i.inactive,
		    i.event_nr, (unsigned long long)i.sectors, i.has_read_ahead, i.read_ahead);
	text_printf(out, "geometry: %llu %llu %llu %llu\n", (unsigned long long)d->geometry.cylinders, (unsigned long long)d->geometry.heads,
		    (unsigned long long)d->geometry.sectors, (unsigned long long)d->geometry.start);
	add_rows(out, d->name, "active", DM_DO_TABLE, 0);
	add_rows(out, d->name, "inactive", DM_DO_TABLE, DM_WITH_INACTIVE);
	add_regions(out, d->name);
}

/* All that can be seen of all devices, in the order in which they were made. */
static char *seen(void)
{
	struct text out = TEXT_INIT;
	struct list *n, *next;

	list_each(n, next, &f.world->devices)
		add_device(&out, container(n, struct dm_device, node));
	return text_take(&out);
}

static char *table_of(const char *format, const char *path)
{
	static char text[300];

	snprintf(text, sizeof(text), format, path);
	return text;
}

static void message(const char *name, const char *text)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = name, .message = text };

	assert_int_equal(run(&f, &c, NULL), 0);
}

static void make_devices(void)
{
	struct dm_cmd named = { .verb = DM_DO_CREATE, .name = "with blank\\", .uuid = "LVM-\xc3\xa9", .has_minor = true, .minor = 77 };
	struct dm_cmd geometry = { .verb = DM_DO_GEOMETRY, .name = "low", .geometry = { 10, 20, 30, 40 } };
	struct dm_cmd rename = { .verb = DM_DO_RENAME, .name = "upper", .new_name = "top" };
	struct dm_cmd readonly = { .verb = DM_DO_CREATE, .name = "ro", .text = "0 8 zero", .flags = DM_WITH_READONLY };
	struct dm_cmd ahead = { .verb = DM_DO_RESUME, .name = "low", .read_ahead = { DM_AHEAD_IS, 4096 } };
	struct dm_cmd uuid = { .verb = DM_DO_SET_UUID, .name = "top", .new_uuid = "SET-LATER" };

	make_device(&f, "low", table_of("0 1024 linear %s 512\n1024 8 error", file));
	make_device(&f, "upper", "0 512 linear low 0\n512 100 zero");
	assert_int_equal(run(&f, &named, NULL), 0);
	assert_int_equal(run(&f, &geometry, NULL), 0);
	assert_int_equal(run(&f, &rename, NULL), 0);
	assert_int_equal(run(&f, &uuid, NULL), 0);
	assert_int_equal(run(&f, &readonly, NULL), 0);
	assert_int_equal(run(&f, &ahead, NULL), 0);
	assert_int_equal(reload(&f, "with blank\\", "0 16 linear top 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "top", 0, NULL), 0);
	assert_int_equal(reload(&f, "top", "0 700 zero", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "low", DM_WITH_DEFERRED, NULL), 0);
	make_device(&f, "idle", "0 8 zero");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "idle", 0, NULL), 0);
	message("low", "@stats_create 0+64 16 1 precise_timestamps one");
	message("low", "@stats_create - /4 1 histogram:1,5,10 \"two words\" aux");
	message("low", "@stats_create 0+8 8");
	message("low", "@stats_delete 0");
	message("low", "@stats_set_aux 1 'an other'");
}

static void a_later_world_has_the_same_devices(void **state)
{
	char *before, *after, *recorded, *still;
	unsigned frames;

	(void)state;
	begin();
	make_devices();
	before = seen();
	recorded = recorder_all(&r);
	frames = r.frames;
	assert_int_equal(next_world(), 0);
	after = seen();
	assert_string_equal(after, before);
	still = recorder_all(&r);
	assert_string_equal(still, recorded);
	assert_int_equal(r.frames, frames);
	free(after);
	assert_int_equal(verb(&f, DM_DO_RESUME, "idle", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "top", 0, NULL), 0);
	assert_int_equal(next_world(), 0);
	assert_false(info(&f, "idle").suspended);
	assert_int_equal(info(&f, "top").sectors, 700);
	assert_int_equal(verb(&f, DM_DO_CREATE, "next", 0, NULL), 0);
	free(before);
	free(recorded);
	free(still);
	end();
}

static void what_was_removed_is_not_there(void **state)
{
	char *all;

	(void)state;
	begin();
	make_device(&f, "a", "0 8 zero");
	make_device(&f, "b", "0 8 zero");
	assert_int_equal(verb(&f, DM_DO_REMOVE, "a", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE_ALL, "", 0, NULL), 0);
	all = recorder_all(&r);
	assert_string_equal(all, "world major 252\n\n");
	free(all);
	assert_int_equal(next_world(), 0);
	assert_int_equal(f.world->n_devices, 0);
	end();
}

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
	message("counted", "@stats_create - /2");
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
	before = seen();
	r.fail = -ENOSPC;
	code = run(&f, &c, why);
	after = seen();
	if (code != -ENOSPC || !strstr(why, "the recorder refuses") || strcmp(before, after))
		fail_msg("change %zd: %d '%s':\n%sinstead of\n%s", change - changes, code, why, after, before);
	r.fail = 0;
	free(after);
	c = *change;
	code = run(&f, &c, why);
	if (code && c.verb != DM_DO_REMOVE)
		fail_msg("change %zd: %s", change - changes, why);
	free(before);
	before = seen();
	close_all();
	free(before);
	before = seen();
	next_world();
	after = seen();
	assert_string_equal(before, after);
	free(before);
	free(after);
	end();
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

/* --- what cannot be brought back ------------------------------------------------------------------------------------- */

static char *warnings(const char *name)
{
	struct dm_cmd c = { .verb = DM_DO_INFO, .name = name };
	char *out;

	assert_int_equal(dm_do_now(f.world, &c), 0);
	out = strdup(text_str(&c.reply.warnings));
	dm_reply_free(&c.reply);
	return out;
}

static void expect_lost(const char *name, const char *why, const char *table)
{
	char *told = warnings(name), *text = rows(&f, DM_DO_TABLE, name, 0);

	assert_true(info(&f, name).suspended);
	assert_true(info(&f, name).live);
	assert_non_null(strstr(told, why));
	assert_string_equal(text, table);
	free(told);
	free(text);
}

static void a_file_that_is_missing_leaves_its_device_suspended(void **state)
{
	char *table, *before, *after, why[ERR_TEXT];

	(void)state;
	begin();
	make_device(&f, "low", table_of("0 1024 linear %s 512", file));
	make_device(&f, "upper", "0 512 linear low 0");
	before = seen();
	table = rows(&f, DM_DO_TABLE, "low", 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	expect_lost("low", "No such file", table);
	assert_false(info(&f, "upper").suspended);
	assert_int_equal(verb(&f, DM_DO_RESUME, "low", 0, why), -ENOENT);
	assert_non_null(strstr(why, "'low' stays suspended"));
	assert_int_equal(next_world(), 1);
	make_file(file, 1 << 20);
	assert_int_equal(verb(&f, DM_DO_RESUME, "low", 0, why), -ESTALE);
	assert_non_null(strstr(why, "is another file"));
	expect_lost("low", "No such file", table);
	assert_int_equal(rename(other, file), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "low", 0, NULL), 0);
	after = seen();
	assert_string_equal(before, after);
	free(after);
	assert_int_equal(next_world(), 0);
	after = seen();
	assert_string_equal(before, after);
	free(before);
	free(after);
	free(table);
	end();
}

static void what_is_lost_can_be_replaced_or_removed(void **state)
{
	(void)state;
	begin();
	make_device(&f, "a", "0 8 linear memory,size=1M:m 0");
	make_device(&f, "b", "0 8 zero");
	assert_int_equal(reload(&f, "b", "0 8 linear memory,size=1M:m 0", NULL), 0);
	make_device(&f, "c", "0 8 linear memory,size=1M:m 8");
	assert_int_equal(next_world(), 3);
	expect_lost("a", "what it held is lost", "0 8 linear memory,size=1048576:m 0\n");
	assert_false(info(&f, "b").suspended);
	assert_int_equal(verb(&f, DM_DO_RESUME, "b", 0, NULL), -ESTALE);
	assert_int_equal(verb(&f, DM_DO_CLEAR, "b", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "b", 0, NULL), 0);
	assert_int_equal(reload(&f, "a", "0 8 error", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "a", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "c", 0, NULL), 0);
	assert_int_equal(next_world(), 0);
	assert_int_equal(f.world->n_devices, 2);
	assert_false(info(&f, "a").suspended);
	end();
}

static void keys_are_not_recorded(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "s", .text = (char *)"0 8 hooks TOPSECRET", .flags = DM_WITH_SECRET };
	char *all, why[ERR_TEXT];

	(void)state;
	begin();
	assert_int_equal(run(&f, &c, NULL), 0);
	all = recorder_all(&r);
	assert_null(strstr(all, "TOPSECRET"));
	free(all);
	hooks_reset();
	assert_int_equal(next_world(), 1);
	expect_lost("s", "keys, which are not recorded", "0 8 hooks\n");
	assert_int_equal(verb(&f, DM_DO_RESUME, "s", 0, why), -ENOKEY);
	assert_non_null(strstr(why, "load it again"));
	assert_int_equal(reload(&f, "s", "0 8 zero", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "s", 0, NULL), 0);
	end();
}

static void a_table_that_refuses_leaves_its_device_suspended(void **state)
{
	(void)state;
	begin();
	make_device(&f, "h", "0 8 hooks h");
	fixture_end(&f);
	hooks_tell("h.preresume", HOOKS_FAIL);
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(recorder_restore(&f, &r), 1);
	expect_lost("h", "h does not like it", "0 8 hooks h\n");
	hooks_reset();
	assert_int_equal(verb(&f, DM_DO_RESUME, "h", 0, NULL), 0);
	assert_false(info(&f, "h").suspended);
	end();
}

/* --- a command with an identity -------------------------------------------------------------------------------------- */

static int create_again(const struct dm_cmd *create)
{
	struct dm_cmd c = *create;

	return run(&f, &c, NULL);
}

static void a_command_that_was_carried_out_is_answered_and_not_repeated(void **state)
{
	struct dm_cmd create = { .verb = DM_DO_CREATE, .name = "d", .text = (char *)"0 8 zero", .id = "one" };
	struct dm_cmd stats = { .verb = DM_DO_MESSAGE, .name = "d", .message = "@stats_create - /2", .id = "two" };
	struct dm_cmd again;
	unsigned i;
	char id[8];

	(void)state;
	begin();
	assert_int_equal(run(&f, &create, NULL), 0);
	assert_int_equal(run(&f, &stats, NULL), 0);
	next_world();
	assert_int_equal(create_again(&create), 0);
	again = stats;
	assert_int_equal(dm_do_now(f.world, &again), 0);
	assert_string_equal(again.reply.answer, "0");
	dm_reply_free(&again.reply);
	create.id = "other";
	assert_int_equal(create_again(&create), -EEXIST);
	for (i = 0; i < 256; i++) {
		struct dm_cmd geometry = { .verb = DM_DO_GEOMETRY, .name = "d", .geometry = { i + 1, 1, 1, 0 }, .id = id };

		snprintf(id, sizeof(id), "g%u", i);
		assert_int_equal(run(&f, &geometry, NULL), 0);
	}
	assert_null(recorder_value(&r, "done/one"));
	assert_non_null(recorder_value(&r, "done/g0"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_later_world_has_the_same_devices),
		cmocka_unit_test(what_was_removed_is_not_there),
		cmocka_unit_test(what_cannot_be_recorded_is_undone),
		cmocka_unit_test(a_deferred_removal_that_cannot_be_recorded_is_tried_at_the_next_close),
		cmocka_unit_test(a_file_that_is_missing_leaves_its_device_suspended),
		cmocka_unit_test(what_is_lost_can_be_replaced_or_removed),
		cmocka_unit_test(keys_are_not_recorded),
		cmocka_unit_test(a_table_that_refuses_leaves_its_device_suspended),
		cmocka_unit_test(a_command_that_was_carried_out_is_answered_and_not_repeated),
	};

	fixture_add_type(&hooks_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
