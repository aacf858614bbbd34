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
#include "core/device/loopdev.h"
#include "core/device/parts.h"
#include "core/state/record_lost.h"
#include "core/state/restore.h"
#include "support/hooks.h"
#include "support/recorder.h"
#include "support/seen.h"
#include "support/temp.h"

static struct fixture f;
static struct recorder r;
static char dir[TEMP_PATH], file[TEMP_PATH + 8], other[TEMP_PATH + 8];

static void no_more(struct loop_msg *msg)
{
	(void)msg;
}

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

/* A failure of which nobody waits to hear. */
static struct dm_loss *nobody(void)
{
	static struct dm_loss lost;

	lost = (struct dm_loss){ .err = -ENOSPC, .loop = f.world->loop, .then = no_more };
	return &lost;
}

static void next_table(const char *table)
{
	assert_int_equal(reload(&f, "d", table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", DM_WITH_NOFLUSH, NULL), 0);
}

/* Returns how many tables could not be brought back. */
static unsigned next_world(void)
{
	fixture_end(&f);
	fixture_begin(&f, 2, AIO_AUTO);
	return recorder_restore(&f, &r);
}

static char *table_of(const char *format, const char *path)
{
	static char text[300];

	snprintf(text, sizeof(text), format, path);
	return text;
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
	tell(&f, "low", "@stats_create 0+64 16 1 precise_timestamps one");
	tell(&f, "low", "@stats_create - /4 1 histogram:1,5,10 \"two words\" aux");
	tell(&f, "low", "@stats_create 0+8 8");
	tell(&f, "low", "@stats_delete 0");
	tell(&f, "low", "@stats_set_aux 1 'an other'");
}

static void a_later_world_has_the_same_devices(void **state)
{
	char *before, *after, *recorded, *still;
	unsigned frames;

	(void)state;
	begin();
	make_devices();
	before = seen(&f);
	recorded = recorder_all(&r);
	frames = r.frames;
	assert_int_equal(next_world(), 0);
	after = seen(&f);
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
	before = seen(&f);
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
	after = seen(&f);
	assert_string_equal(before, after);
	free(after);
	assert_int_equal(next_world(), 0);
	after = seen(&f);
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

/* A resume that finds the file again is no new load. */
static void a_flush_that_failed_stays_failed_when_the_file_comes_later(void **state)
{
	struct dm_device *d;

	(void)state;
	begin();
	d = make_device(&f, "d", table_of("0 1024 linear %s 0", file));
	assert_true(dm_store_lost(d->active->stores[0], nobody()));
	settle_threads(&f);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	assert_int_equal(rename(other, file), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	d = dm_find_name(f.world, "d");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), -ENOSPC);
	dm_close(d);
	next_table("0 8 zero");
	end();
}

static void a_flush_that_failed_stays_failed(void **state)
{
	struct dm_device *d;

	(void)state;
	begin();
	d = make_device(&f, "d", table_of("0 1024 linear %s 0", file));
	assert_true(dm_store_lost(d->active->stores[0], nobody()));
	settle_threads(&f);
	next_world();
	d = dm_find_name(f.world, "d");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), -ENOSPC);
	next_table("0 8 zero");
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	next_table(table_of("0 1024 linear %s 0", file));
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	dm_close(d);
	next_world();
	d = dm_find_name(f.world, "d");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	dm_close(d);
	end();
}

/* One file that is opened in two ways has two stores, and both have failed: it is forgotten with the last one. */
static void a_flush_that_failed_in_two_ways_stays_failed(void **state)
{
	struct dm_device *d, *way;
	char *all;

	(void)state;
	begin();
	d = make_device(&f, "d", table_of("0 1024 linear %s 0", file));
	way = make_device(&f, "other", table_of("0 1024 linear file,logical=4096:%s 0", file));
	assert_true(dm_store_lost(d->active->stores[0], nobody()));
	settle_threads(&f);
	assert_true(dm_store_lost(way->active->stores[0], nobody()));
	settle_threads(&f);
	next_table("0 8 zero");
	next_world();
	way = open_device(&f, "other");
	assert_int_equal(request(&f, way, 0, DM_FLUSH, 0, 0, 0, NULL), -ENOSPC);
	dm_close(way);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "other", 0, NULL), 0);
	all = recorder_all(&r);
	assert_null(strstr(all, "failed/"));
	free(all);
	end();
}

/* --- what a store is known by ---------------------------------------------------------------------------------------- */

static struct dm_store_type knowing;
static const char *known;

static void tell_known(const struct dm_store *s, struct text *out)
{
	(void)s;
	text_add(out, known);
}

/* A store that is known by IS, and was by WAS. */
static int recognized(const struct dm_table *t, const char *is, const char *was)
{
	struct err e = ERR_INIT;
	char value[200];

	known = is;
	snprintf(value, sizeof(value), "store memory %smemory,size=1048576:m\nlines\n0 8 linear memory,size=1048576:m 0\n", was);
	return dm_restore_check(t, value, "", &e);
}

/* The number of a disk is another one when something else has its device number by now; but it begins anew at each boot. */
static void a_disk_is_known_by_its_number_until_the_next_boot(void **state)
{
	const struct dm_table *t;

	(void)state;
	begin();
	t = make_device(&f, "d", "0 8 linear memory,size=1M:m 0")->active;
	knowing = *t->stores[0]->type;
	knowing.known_by = tell_known;
	t->stores[0]->type = &knowing;
	assert_int_equal(recognized(t, "dev=7:1 sectors=8 seq=5:boot ", "dev=7:1 sectors=8 seq=5:boot "), 0);
	assert_int_equal(recognized(t, "dev=7:1 sectors=8 seq=6:boot ", "dev=7:1 sectors=8 seq=5:boot "), -ESTALE);
	assert_int_equal(recognized(t, "dev=7:1 sectors=8 seq=6:boot ", "dev=7:1 sectors=8 seq=5:other "), 0);
	assert_int_equal(recognized(t, "dev=7:1 sectors=8 seq=6:boot ", "dev=7:1 sectors=8 "), 0);
	assert_int_equal(recognized(t, "dev=7:1 sectors=8 ", "dev=7:1 sectors=8 seq=5:boot "), 0);
	assert_int_equal(recognized(t, "dev=7:1 sectors=8 ", "dev=7:1 sectors=8 "), 0);
	assert_int_equal(recognized(t, "dev=7:1 sectors=16 ", "dev=7:1 sectors=8 "), -ESTALE);
	assert_int_equal(recognized(t, "dev=7:2 sectors=8 seq=5:boot ", "dev=7:1 sectors=8 seq=5:other "), -ESTALE);
	assert_int_equal(recognized(t, "", ""), 0);
	end();
}

/* --- disks ------------------------------------------------------------------------------------------------------------- */

static void disks_have_the_numbers_that_they_had(void **state)
{
	struct dm_cmd undisk = { .verb = DM_DO_UNDISK, .name = "sda" };
	char *before, *after;

	(void)state;
	begin();
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	make_file(other, 1 << 20);
	assert_int_equal(show_disk(&f, "sdb", other, DM_WITH_READONLY, NULL), 0);
	assert_int_equal(show_disk(&f, "sdb", other, DM_WITH_READONLY, NULL), 0);
	assert_int_equal(run(&f, &undisk, NULL), 0);
	make_device(&f, "on", "0 8 zero");
	assert_int_equal(reload(&f, "on", "0 8 error", NULL), 0);
	before = seen(&f);
	assert_int_equal(next_world(), 0);
	after = seen(&f);
	assert_string_equal(after, before);
	free(before);
	free(after);
	assert_null(dm_find_disk(f.world, "sda"));
	assert_non_null(dm_find_disk(f.world, "sdb"));
	assert_int_equal(dm_find_disk(f.world, "sdb")->minor, 16);
	assert_int_equal(dm_find_disk(f.world, "sdb")->refs, 2);
	assert_true(dm_find_disk(f.world, "sdb")->readonly);
	r.fail = -ENOSPC;
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), -ENOSPC);
	assert_null(dm_find_disk(f.world, "sda"));
	undisk = (struct dm_cmd){ .verb = DM_DO_UNDISK, .name = "sdb", .flags = DM_WITH_FORCE };
	assert_int_equal(run(&f, &undisk, NULL), -ENOSPC);
	assert_non_null(dm_find_disk(f.world, "sdb"));
	r.fail = 0;
	end();
}

static char *disks_told(void)
{
	struct dm_cmd c = { .verb = DM_DO_DISKS };
	char *out;

	assert_int_equal(dm_do_now(f.world, &c), 0);
	assert_int_equal(c.reply.n, 1);
	assert_string_equal(c.reply.deps[0].name, file);
	out = strdup(text_str(&c.reply.warnings));
	dm_reply_free(&c.reply);
	return out;
}

static void expect_disk(unsigned refs, enum dm_state state)
{
	const struct dm_device *d = dm_find_disk(f.world, "sda");

	assert_non_null(d);
	assert_int_equal(d->minor, 0);
	assert_int_equal(d->refs, refs);
	assert_int_equal(d->state, state);
	assert_int_equal(dm_device_sectors(d), 2048);
}

static int read_upper(void)
{
	struct dm_device *d = dm_find_name(f.world, "upper");
	int code;

	dm_open(d);
	code = request(&f, d, 0, DM_READ, 0, 8, 0, NULL);
	dm_close(d);
	return code;
}

static void a_disk_whose_file_is_missing_waits_for_it(void **state)
{
	struct dm_cmd undisk = { .verb = DM_DO_UNDISK, .name = "sda", .flags = DM_WITH_FORCE };
	char *told, *recorded, table[64];

	(void)state;
	begin();
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	snprintf(table, sizeof(table), "0 64 linear %u:0 0", dm_find_disk(f.world, "sda")->major);
	make_device(&f, "upper", table);
	recorded = strdup(recorder_value(&r, "disk/sda"));
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	expect_disk(2, DM_SUSPENDED);
	assert_false(info(&f, "upper").suspended);
	told = disks_told();
	assert_non_null(strstr(told, "disk 'sda' waits, because its file could not be opened again: "));
	assert_non_null(strstr(told, "No such file"));
	free(told);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), -ENOENT);
	make_file(file, 1 << 20);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), -ESTALE);
	assert_int_equal(next_world(), 1);
	expect_disk(2, DM_SUSPENDED);
	assert_string_equal(recorder_value(&r, "disk/sda"), recorded);
	assert_int_equal(rename(other, file), 0);
	assert_int_equal(show_disk(&f, "sda", file, DM_WITH_READONLY, NULL), -EEXIST);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	expect_disk(3, DM_ACTIVE);
	assert_int_equal(show_disk(&f, "sda", file, DM_WITH_RECORDED, NULL), -ENXIO);	/* one that comes late */
	expect_disk(3, DM_ACTIVE);
	assert_int_equal(read_upper(), 0);
	told = disks_told();
	assert_string_equal(told, "");
	free(told);
	assert_int_equal(next_world(), 0);
	expect_disk(3, DM_ACTIVE);
	assert_int_equal(read_upper(), 0);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "upper", 0, NULL), 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	assert_int_equal(run(&f, &undisk, NULL), 0);
	assert_null(recorder_value(&r, "disk/sda"));
	assert_int_equal(next_world(), 0);
	free(recorded);
	end();
}

static int attach(const struct dm_loop *l, unsigned flags)
{
	struct dm_cmd c = { .verb = DM_DO_DISK, .name = "loop0", .text = file, .loop = l, .flags = flags };

	return run(&f, &c, NULL);
}

static void expect_loop(enum dm_state state)
{
	const struct dm_device *d = dm_find_disk(f.world, "loop0");

	assert_non_null(d);
	assert_non_null(d->loopdev);
	assert_int_equal(d->loopdev->is.offset, 4096);
	assert_int_equal(d->state, state);
	assert_int_equal(dm_device_sectors(d), 2040);
}

static void a_loop_device_whose_file_is_missing_waits_for_it(void **state)
{
	const struct dm_loop l = { .offset = 4096, .name = "f" };
	const struct dm_part part = { 1, 8, 8 };
	struct err e = ERR_INIT;
	struct dm_device *d;
	char *recorded;

	(void)state;
	begin();
	assert_int_equal(dm_loop_free(f.world, &d, &e), 0);
	assert_int_equal(attach(&l, 0), 0);
	recorded = strdup(recorder_value(&r, "disk/loop0"));
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	expect_loop(DM_SUSPENDED);
	assert_int_equal(attach(&l, 0), -ENOENT);
	d = dm_find_disk(f.world, "loop0");
	assert_int_equal(dm_part_add(d, &part, &e), -ENXIO);
	assert_string_equal(e.text, "disk 'loop0' waits for its file");
	make_file(file, 1 << 20);
	assert_int_equal(attach(&l, 0), -ESTALE);
	assert_int_equal(show_disk(&f, "loop0", file, 0, NULL), -EEXIST);
	assert_int_equal(next_world(), 1);
	expect_loop(DM_SUSPENDED);
	assert_string_equal(recorder_value(&r, "disk/loop0"), recorded);
	assert_int_equal(rename(other, file), 0);
	assert_int_equal(show_disk(&f, "loop0", file, 0, NULL), -EEXIST);
	d = dm_find_disk(f.world, "loop0");
	dm_open(d);
	dm_open(d);
	assert_int_equal(dm_loop_detach(d, &e), 0);
	assert_int_equal(attach(&l, DM_WITH_RECORDED), 0);	/* as one that was late */
	expect_loop(DM_ACTIVE);
	assert_int_equal(d->loopdev->is.flags, DM_LOOP_AUTOCLEAR);
	assert_true(d->deferred);
	dm_loop_autoclear(d, false);
	dm_close(d);
	dm_close(d);
	assert_int_equal(attach(&l, DM_WITH_RECORDED), -ENXIO);
	assert_int_equal(next_world(), 0);
	expect_loop(DM_ACTIVE);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	d = dm_find_disk(f.world, "loop0");
	dm_open(d);
	assert_int_equal(dm_loop_detach(d, &e), 0);
	dm_close(d);
	assert_null(dm_find_disk(f.world, "loop0"));
	assert_null(recorder_value(&r, "disk/loop0"));
	free(recorded);
	end();
}

static void a_waiting_disk_that_nobody_has_open_gives_its_name_to_another_file(void **state)
{
	struct dm_cmd undisk = { .verb = DM_DO_UNDISK, .name = "sda", .flags = DM_WITH_FORCE };
	struct dm_device *d;

	(void)state;
	begin();
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	expect_disk(2, DM_SUSPENDED);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), -ENOENT);
	make_file(file, 2 << 20);
	assert_int_equal(show_disk(&f, "sda", file, DM_WITH_RECORDED, NULL), -ESTALE);	/* the late one is another */
	d = dm_find_disk(f.world, "sda");
	dm_open(d);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), -ESTALE);
	expect_disk(2, DM_SUSPENDED);
	dm_close(d);
	r.fail = -ENOSPC;
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), -ENOSPC);
	r.fail = 0;
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	d = dm_find_disk(f.world, "sda");
	assert_int_equal(d->refs, 1);
	assert_int_equal(d->state, DM_ACTIVE);
	assert_int_equal(dm_device_sectors(d), 4096);
	assert_int_equal(next_world(), 0);
	assert_int_equal(dm_device_sectors(dm_find_disk(f.world, "sda")), 4096);
	assert_int_equal(run(&f, &undisk, NULL), 0);
	assert_int_equal(next_world(), 0);
	assert_null(dm_find_disk(f.world, "sda"));
	end();
}

/* An MBR with two partitions. */
static void make_label(const char *path)
{
	const uint32_t entries[2][2] = { { 64, 512 }, { 1024, 1024 } };
	unsigned char s[512] = { [510] = 0x55, [511] = 0xaa };
	int fd = open(path, O_WRONLY), i, k;

	for (i = 0; i < 2; i++) {
		s[446 + 16 * i + 4] = 0x83;
		for (k = 0; k < 8; k++)
			s[446 + 16 * i + 8 + k] = (unsigned char)(entries[i][k / 4] >> 8 * (k % 4));
	}
	assert_int_equal(pwrite(fd, s, sizeof(s), 0), sizeof(s));
	close(fd);
}

static void expect_part(const char *name, uint32_t minor, uint64_t sectors, enum dm_state state)
{
	const struct dm_device *d = dm_find_disk(f.world, name);

	assert_non_null(d);
	assert_int_equal(d->minor, minor);
	assert_int_equal(dm_device_sectors(d), sectors);
	assert_int_equal(d->state, state);
}

static void partitions_of_a_disk_wait_with_it(void **state)
{
	struct dm_cmd undisk = { .verb = DM_DO_UNDISK, .name = "sda", .flags = DM_WITH_FORCE };
	unsigned char data[512], back[512];
	struct dm_device *d;
	struct job job;
	char table[64];

	(void)state;
	begin();
	make_label(file);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	d = dm_find_disk(f.world, "sda2");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 1023, 1, memset(data, 7, sizeof(data))), 0);
	dm_close(d);
	snprintf(table, sizeof(table), "0 1024 linear %u:%u 0", d->major, d->minor);
	make_device(&f, "upper", table);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	expect_part("sda1", 1, 512, DM_SUSPENDED);
	expect_part("sda2", 2, 1024, DM_SUSPENDED);
	assert_int_equal(next_world(), 1);		/* its record still has them */
	expect_part("sda2", 2, 1024, DM_SUSPENDED);
	d = dm_find_name(f.world, "upper");
	dm_open(d);
	job_start(&f, &job, d, 0, DM_READ, 0, 1023, 1, back);
	assert_int_equal(rename(other, file), 0);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	assert_int_equal(job_wait(&job), 0);
	assert_memory_equal(back, data, sizeof(data));
	expect_part("sda1", 1, 512, DM_ACTIVE);
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "upper", 0, NULL), 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(next_world(), 1);
	expect_part("sda2", 2, 1024, DM_SUSPENDED);
	assert_int_equal(rename(other, file), 0);
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	expect_part("sda2", 2, 1024, DM_ACTIVE);	/* from the label: nobody had it open */
	assert_int_equal(run(&f, &undisk, NULL), 0);
	end();
}

/* LATE: its file is there only after the start. */
static void disk_stays_failed(bool late)
{
	struct dm_cmd undisk = { .verb = DM_DO_UNDISK, .name = "sda", .flags = DM_WITH_FORCE };
	struct dm_device *d;

	begin();
	assert_int_equal(show_disk(&f, "sda", file, 0, NULL), 0);
	assert_true(dm_store_lost(dm_find_disk(f.world, "sda")->active->stores[0], nobody()));
	settle_threads(&f);
	assert_int_equal(late ? rename(file, other) : 0, 0);
	assert_int_equal(next_world(), late);
	assert_int_equal(late ? rename(other, file) : 0, 0);
	assert_int_equal(late ? show_disk(&f, "sda", file, 0, NULL) : 0, 0);
	d = dm_find_disk(f.world, "sda");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), -ENOSPC);
	dm_close(d);
	assert_int_equal(run(&f, &undisk, NULL), 0);
	end();
}

static void a_flush_of_a_disk_that_failed_stays_failed(void **state)
{
	(void)state;
	disk_stays_failed(false);
	disk_stays_failed(true);
}

/* --- a command with an identity -------------------------------------------------------------------------------------- */

static int create_again(const struct dm_cmd *create)
{
	struct dm_cmd c = *create;
	int code = run(&f, &c, NULL);

	dm_reply_free(&c.reply);
	return code;
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
	dm_reply_free(&stats.reply);
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
		cmocka_unit_test(a_file_that_is_missing_leaves_its_device_suspended),
		cmocka_unit_test(what_is_lost_can_be_replaced_or_removed),
		cmocka_unit_test(keys_are_not_recorded),
		cmocka_unit_test(a_flush_that_failed_stays_failed),
		cmocka_unit_test(a_flush_that_failed_in_two_ways_stays_failed),
		cmocka_unit_test(a_flush_that_failed_stays_failed_when_the_file_comes_later),
		cmocka_unit_test(a_disk_is_known_by_its_number_until_the_next_boot),
		cmocka_unit_test(disks_have_the_numbers_that_they_had),
		cmocka_unit_test(a_disk_whose_file_is_missing_waits_for_it),
		cmocka_unit_test(partitions_of_a_disk_wait_with_it),
		cmocka_unit_test(a_loop_device_whose_file_is_missing_waits_for_it),
		cmocka_unit_test(a_waiting_disk_that_nobody_has_open_gives_its_name_to_another_file),
		cmocka_unit_test(a_flush_of_a_disk_that_failed_stays_failed),
		cmocka_unit_test(a_table_that_refuses_leaves_its_device_suspended),
		cmocka_unit_test(a_command_that_was_carried_out_is_answered_and_not_repeated),
	};

	fixture_add_type(&hooks_type);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
