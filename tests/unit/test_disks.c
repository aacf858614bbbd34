/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks (files shown as block devices in sessions), claims on devices, and paths that a session resolves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/place.h"
#include "core/device/loopdev.h"
#include "core/table/place.h"
#include "support/world.h"

static struct fixture f;
static char why[ERR_TEXT], image[PLACE_PATH];

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 2, AIO_AUTO);
	place_begin();
	place_file(image, "image", 1 << 20);
	return 0;
}

static int end(void **state)
{
	(void)state;
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	place_end();
	return 0;
}

static int disk(const char *name, const char *word, uint32_t flags)
{
	return show_disk(&f, name, word, flags, why);
}

static int undisk(const char *name)
{
	return verb(&f, DM_DO_UNDISK, name, 0, why);
}

static void a_disk_shows_a_file(void **state)
{
	unsigned char data[1024], back[1024];
	struct dm_device *d;

	(void)state;
	assert_int_equal(disk("pv0", image, 0), 0);
	d = dm_find_disk(f.world, "pv0");
	assert_non_null(d);
	assert_int_equal(dm_device_sectors(d), 2048);
	assert_ptr_equal(dm_find_number(f.world, DM_DISK_MAJOR, 0), d);
	memset(data, 7, sizeof(data));
	dm_open(d);
	assert_int_equal(request(&f, d, 1, DM_WRITE, 0, 2046, 2, data), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 2046, 2, back), 0);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 2047, 2, back), -EIO);
	dm_close(d);
	assert_memory_equal(data, back, sizeof(data));
	assert_int_equal(undisk("pv0"), 0);
	assert_null(dm_find_disk(f.world, "pv0"));
	assert_true(list_empty(&f.world->stores));
}

static void mapped_devices_do_not_know_it(void **state)
{
	struct dm_cmd names = { .verb = DM_DO_NAMES };

	(void)state;
	assert_int_equal(disk("sda", image, 0), 0);
	assert_int_equal(verb(&f, DM_DO_INFO, "sda", 0, why), -ENXIO);
	assert_int_equal(verb(&f, DM_DO_REMOVE_ALL, NULL, DM_WITH_FORCE, why), 0);
	assert_int_equal(run(&f, &names, NULL), 0);
	assert_int_equal(names.reply.n, 0);
	dm_reply_free(&names.reply);
	assert_int_equal(create(&f, "sda", "0 8 zero", why), 0);	/* disks have names of their own */
	assert_int_equal(info(&f, "sda").minor, 1);
	assert_non_null(dm_find_disk(f.world, "sda"));
}

static void numbers_are_used_again(void **state)
{
	(void)state;
	assert_int_equal(disk("a", image, 0), 0);
	assert_int_equal(disk("b", image, DM_WITH_READONLY), 0);
	assert_int_equal(disk("c", "memory,size=1M:m", 0), 0);
	assert_int_equal(dm_find_disk(f.world, "c")->minor, 2 * DM_DISK_STEP);
	assert_int_equal(undisk("b"), 0);
	assert_int_equal(disk("d", "memory,size=1M:n", 0), 0);
	assert_int_equal(dm_find_disk(f.world, "d")->minor, DM_DISK_STEP);
	assert_int_equal(disk("e", "memory,size=1M:o", 0), 0);
	assert_int_equal(dm_find_disk(f.world, "e")->minor, 3 * DM_DISK_STEP);
}

static void the_same_again_is_fine(void **state)
{
	(void)state;
	assert_int_equal(disk("a", image, 0), 0);
	assert_int_equal(disk("a", image, 0), 0);
	assert_int_equal(disk("a", "memory,size=1M:m", 0), -EEXIST);
	assert_non_null(strstr(why, "disk 'a' already exists"));
	assert_int_equal(disk("a", image, DM_WITH_READONLY), -EEXIST);
	assert_int_equal(undisk("a"), 0);	/* somebody else still needs it */
	assert_non_null(dm_find_disk(f.world, "a"));
	assert_int_equal(undisk("a"), 0);
	assert_null(dm_find_disk(f.world, "a"));
	assert_int_equal(undisk("a"), -ENXIO);
}

/* Free, and attached: programs of a session have made it, and losetup detaches it. */
static void a_loop_device_is_not_removed_as_a_disk(void **state)
{
	struct dm_loop loop = { .flags = 0 };
	struct dm_cmd attach = { .verb = DM_DO_DISK, .name = "loop3", .text = image, .loop = &loop };
	struct dm_device *d;

	(void)state;
	assert_int_equal(dm_loop_add(f.world, 3, &d, NULL), 0);
	assert_int_equal(undisk("loop3"), -EINVAL);
	assert_non_null(strstr(why, "losetup -d /dev/loop3"));
	assert_int_equal(run(&f, &attach, NULL), 0);
	assert_int_equal(undisk("loop3"), -EINVAL);
	assert_int_equal(verb(&f, DM_DO_UNDISK, "loop3", DM_WITH_FORCE, why), -EINVAL);
	assert_ptr_equal(dm_find_disk(f.world, "loop3"), d);
	assert_int_equal(dm_device_sectors(d), 2048);
	dm_open(d);
	assert_int_equal(dm_loop_detach(d, NULL), 0);
	dm_close(d);
	assert_null(dm_find_disk(f.world, "loop3"));
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_int_equal(disk("mapper", image, 0), -EINVAL);
	assert_int_equal(disk("dm-3", image, 0), -EINVAL);
	assert_int_equal(disk(".dmuse", image, 0), -EINVAL);
	assert_int_equal(disk("a/b", image, 0), -EINVAL);
	assert_int_equal(disk("a", "", 0), -EINVAL);
	assert_int_equal(disk("a", "/nowhere/at/all", 0), -ENOENT);
	assert_non_null(strstr(why, "disk 'a': "));
	place_file(image, "empty", 0);
	assert_int_equal(disk("a", image, 0), -EINVAL);
	assert_non_null(strstr(why, "is empty"));
	assert_true(list_empty(&f.world->disks));
	assert_true(list_empty(&f.world->stores));
}

static void tables_stand_on_disks(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_DEPS, .name = "lv" };
	char *table;

	(void)state;
	assert_int_equal(disk("pv0", image, 0), 0);
	assert_int_equal(create(&f, "lv", "0 8 linear 98:0 8\n8 8 linear /dev/pv0 0", why), 0);
	table = rows(&f, DM_DO_TABLE, "lv", 0);
	assert_string_equal(table, "0 8 linear 98:0 8\n8 8 linear 98:0 0\n");
	free(table);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_int_equal(c.reply.n, 1);
	assert_int_equal(c.reply.deps[0].major, 98);
	dm_reply_free(&c.reply);
	assert_int_equal(undisk("pv0"), -EBUSY);
	assert_non_null(strstr(why, "device 'lv' is mapped onto it"));
	assert_int_equal(verb(&f, DM_DO_REMOVE, "lv", 0, why), 0);
	assert_int_equal(undisk("pv0"), 0);
	assert_int_equal(create(&f, "lv", "0 8 linear 98:0 8", why), -ENXIO);
}

static void disks_are_listed(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_DISKS };

	(void)state;
	assert_int_equal(disk("b", image, DM_WITH_READONLY), 0);
	assert_int_equal(disk("a", "memory,size=1M:m", 0), 0);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_int_equal(c.reply.n, 2);
	assert_string_equal(c.reply.names[0].name, "b");
	assert_true(c.reply.names[0].readonly);
	assert_int_equal(c.reply.names[0].major, 98);
	assert_string_equal(c.reply.deps[0].name, image);
	assert_int_equal(c.reply.names[1].minor, 16);
	dm_reply_free(&c.reply);
}

static void claims_exclude_each_other(void **state)
{
	struct dm_device *low;

	(void)state;
	create(&f, "low", "0 64 zero", NULL);
	low = dm_find_name(f.world, "low");
	dm_open(low);
	assert_int_equal(dm_claim(low), 0);
	assert_int_equal(dm_claim(low), -EBUSY);
	assert_int_equal(create(&f, "top", "0 64 linear low 0", why), -EBUSY);
	assert_non_null(strstr(why, "O_EXCL"));
	assert_int_equal(reload(&f, "low", "0 32 zero", why), 0);	/* its own table does not matter */
	dm_unclaim(low);
	assert_int_equal(create(&f, "top", "0 64 linear low 0", why), 0);
	assert_int_equal(create(&f, "top2", "0 32 linear low 0", why), 0);	/* tables share it */
	assert_int_equal(dm_claim(low), -EBUSY);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "top", 0, why), 0);
	assert_int_equal(dm_claim(low), -EBUSY);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "top2", 0, why), 0);
	assert_int_equal(dm_claim(low), 0);
	dm_unclaim(low);
	dm_close(low);
}

/* An inactive table claims as well. */
static void an_inactive_table_claims(void **state)
{
	struct dm_device *low;

	(void)state;
	create(&f, "low", "0 64 zero", NULL);
	create(&f, "top", "0 64 zero", NULL);
	low = dm_find_name(f.world, "low");
	assert_int_equal(reload(&f, "top", "0 64 linear low 0", why), 0);
	dm_open(low);
	assert_int_equal(dm_claim(low), -EBUSY);
	assert_int_equal(verb(&f, DM_DO_CLEAR, "top", 0, why), 0);
	assert_int_equal(dm_claim(low), 0);
	dm_unclaim(low);
	dm_close(low);
}

static struct dm_device *resolve(struct dm_cmd *c, const struct dm_place *place)
{
	return !place->dev || strcmp(place->dev, "/dev/vg/lv") ? NULL : dm_find_name(c->world, "vg-lv");
}

static int create_in_session(const char *name, const char *table)
{
	char *text = strdup(table);
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = name, .text = text, .cwd = "/dev", .resolve = resolve };
	int r = run(&f, &c, why);

	dm_reply_free(&c.reply);
	free(text);
	return r;
}

static void a_session_has_paths_of_its_own(void **state)
{
	char *table;

	(void)state;
	create(&f, "vg-lv", "0 64 zero", NULL);
	assert_int_equal(create(&f, "a", "0 64 linear /dev/vg/lv 0", why), -ENOENT);
	assert_int_equal(create_in_session("a", "0 64 linear /dev/vg/lv 0"), 0);
	assert_int_equal(create_in_session("b", "0 64 linear vg/lv 0"), 0);
	table = rows(&f, DM_DO_TABLE, "b", 0);
	assert_string_equal(table, "0 64 linear 252:1 0\n");
	free(table);
	assert_int_equal(create_in_session("c", "0 64 linear /dev/vg/none 0"), -ENOENT);
	assert_int_equal(create_in_session("c", "0 64 linear /dev/mapper/vg-lv 0"), -ENOENT);	/* unknown to resolve() */
}

static int geometry(uint64_t cylinders, uint64_t heads, uint64_t sectors, uint64_t start)
{
	struct dm_cmd c = { .verb = DM_DO_GEOMETRY, .name = "a", .geometry = { cylinders, heads, sectors, start } };
	int r = run(&f, &c, why);

	dm_reply_free(&c.reply);
	return r;
}

static void a_geometry_lasts_as_long_as_the_size(void **state)
{
	const struct dm_device *a;

	(void)state;
	create(&f, "a", "0 64 zero", NULL);
	a = dm_find_name(f.world, "a");
	assert_int_equal(geometry(10, 20, 30, 5), 0);
	assert_int_equal(geometry(65536, 20, 30, 5), -EINVAL);
	assert_int_equal(geometry(10, 20, 30, 6001), -EINVAL);
	reload(&f, "a", "0 64 error", NULL);
	assert_int_equal(verb(&f, DM_DO_RESUME, "a", 0, why), 0);
	assert_int_equal(a->geometry.cylinders, 10);
	reload(&f, "a", "0 65 error", NULL);
	assert_int_equal(verb(&f, DM_DO_RESUME, "a", 0, why), 0);
	assert_int_equal(a->geometry.cylinders, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_disk_shows_a_file, begin, end),
		cmocka_unit_test_setup_teardown(mapped_devices_do_not_know_it, begin, end),
		cmocka_unit_test_setup_teardown(numbers_are_used_again, begin, end),
		cmocka_unit_test_setup_teardown(the_same_again_is_fine, begin, end),
		cmocka_unit_test_setup_teardown(a_loop_device_is_not_removed_as_a_disk, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(tables_stand_on_disks, begin, end),
		cmocka_unit_test_setup_teardown(disks_are_listed, begin, end),
		cmocka_unit_test_setup_teardown(claims_exclude_each_other, begin, end),
		cmocka_unit_test_setup_teardown(an_inactive_table_claims, begin, end),
		cmocka_unit_test_setup_teardown(a_session_has_paths_of_its_own, begin, end),
		cmocka_unit_test_setup_teardown(a_geometry_lasts_as_long_as_the_size, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
