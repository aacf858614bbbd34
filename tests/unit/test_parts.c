/* SPDX-License-Identifier: BSD-2-Clause */
/* Partitions of disks: from a partition table, one by one, claimed with their disk, and grown while they are open. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/parts.h"
#include "support/place.h"
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

/* An MBR: partition 1, an extended one, and two logical ones in it. */
static void label_entry(unsigned char *at, unsigned type, uint32_t start, uint32_t sectors)
{
	at[4] = (unsigned char)type;
	for (int i = 0; i < 4; i++) {
		at[8 + i] = (unsigned char)(start >> 8 * i);
		at[12 + i] = (unsigned char)(sectors >> 8 * i);
	}
}

static void label_sector(int fd, uint32_t sector, const uint32_t entries[2][3])
{
	unsigned char s[512] = { [510] = 0x55, [511] = 0xaa };

	for (int i = 0; i < 2; i++)
		label_entry(s + 446 + 16 * i, entries[i][0], entries[i][1], entries[i][2]);
	assert_int_equal(pwrite(fd, s, sizeof(s), (off_t)sector * 512), sizeof(s));
}

static void label(const uint32_t first[2][3])
{
	int fd = open(image, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	label_sector(fd, 0, first);
	label_sector(fd, 64, (const uint32_t[2][3]){ { 0x83, 16, 16 }, { 5, 100, 64 } });
	label_sector(fd, 164, (const uint32_t[2][3]){ { 0x83, 32, 2000 } });
	close(fd);
}

static void expect_part(const char *name, uint32_t minor, uint64_t start, uint64_t sectors)
{
	const struct dm_device *d = dm_find_disk(f.world, name);

	assert_non_null(d);
	assert_int_equal(d->major, DM_DISK_MAJOR);
	assert_int_equal(d->minor, minor);
	assert_int_equal(d->part_start, start);
	assert_int_equal(dm_device_sectors(d), sectors);
}

static void partitions_are_devices(void **state)
{
	unsigned char data[512] = "in partition 5", back[512];
	struct dm_cmd c = { .verb = DM_DO_DISKS };
	struct dm_device *d;
	char *table;

	(void)state;
	label((const uint32_t[2][3]){ { 0x83, 8, 56 }, { 5, 64, 1900 } });
	assert_int_equal(disk("a", image, 0), 0);
	assert_int_equal(disk("b0", image, 0), 0);
	expect_part("a1", 1, 8, 56);
	expect_part("a2", 2, 64, 2);		/* like the kernel: room for a boot loader */
	expect_part("a5", 5, 80, 16);
	expect_part("a6", 6, 196, 1852);	/* cut where the disk ends */
	expect_part("b0p1", 17, 8, 56);
	d = dm_find_disk(f.world, "a");
	assert_true(dm_part_is(d, &(struct dm_part){ 5, 80, 16 }));
	assert_false(dm_part_is(d, &(struct dm_part){ 5, 80, 15 }) || dm_part_is(d, &(struct dm_part){ 5, 79, 16 }) ||
		     dm_part_is(d, &(struct dm_part){ 4, 80, 16 }));
	d = dm_find_disk(f.world, "a5");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 15, 1, data), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 16, 1, data), -EIO);
	assert_int_equal(undisk("a"), -EBUSY);
	assert_non_null(strstr(why, "partition 'a5' is in use"));
	dm_close(d);
	d = dm_find_disk(f.world, "b0");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 95, 1, back), 0);
	dm_close(d);
	assert_memory_equal(data, back, sizeof(data));
	assert_int_equal(create(&f, "lv", "0 8 linear 98:5 8\n8 8 linear /dev/a5 0", why), 0);
	table = rows(&f, DM_DO_TABLE, "lv", 0);
	assert_string_equal(table, "0 8 linear 98:5 8\n8 8 linear 98:5 0\n");
	free(table);
	assert_int_equal(run(&f, &c, NULL), 0);
	assert_int_equal(c.reply.n, 2);		/* they are not listed as disks */
	dm_reply_free(&c.reply);
	assert_int_equal(disk("a5", "memory,size=1M:m", 0), -EEXIST);
	assert_non_null(strstr(why, "disk 'a' has a partition with that name"));
	assert_int_equal(undisk("a5"), -ENXIO);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "lv", 0, why), 0);
	assert_int_equal(undisk("a"), 0);
	assert_null(dm_find_disk(f.world, "a5"));
	assert_int_equal(disk("a1", "memory,size=1M:m", 0), 0);
	assert_int_equal(dm_find_disk(f.world, "a1")->minor, 0);
	assert_int_equal(undisk("b0"), 0);
}

static void is_read(struct dm_cmd *c)
{
	*(bool *)c->owner = true;
}

/* Its partitions are being read; MEANWHILE: what happens until then. */
static int read_again(struct dm_device *d, void (*meanwhile)(void))
{
	bool over = false;
	struct dm_cmd c = { .world = f.world, .done = is_read, .owner = &over };

	list_init(&c.node);
	dm_parts_read_again(d, &c);
	if (meanwhile)
		meanwhile();
	while (!over)
		loop_turn(f.loop, -1);
	snprintf(why, sizeof(why), "%s", c.reply.err.text);
	dm_reply_free(&c.reply);
	return c.reply.err.code;
}

static void the_disk_goes(void)
{
	assert_int_equal(undisk("a"), 0);
}

static void a_label_is_read_again(void **state)
{
	struct err e = ERR_INIT;
	struct dm_device *d, *part;

	(void)state;
	assert_int_equal(disk("a", image, 0), 0);
	d = dm_find_disk(f.world, "a");
	assert_null(dm_part_first(d));
	label((const uint32_t[2][3]){ { 0x83, 8, 16 }, { 0x83, 24, 8 } });
	unlink(image);			/* the store is the file that was opened */
	assert_int_equal(read_again(d, NULL), 0);
	expect_part("a1", 1, 8, 16);
	expect_part("a2", 2, 24, 8);
	part = dm_part_find(d, 2);
	dm_open(part);
	assert_int_equal(read_again(d, NULL), -EBUSY);
	assert_string_equal(why, "'a2' is in use");
	assert_int_equal(dm_part_remove(d, 2, &e), -EBUSY);
	dm_close(part);
	assert_int_equal(dm_part_remove(d, 2, &e), 0);
	assert_int_equal(dm_part_remove(d, 2, &e), -ENXIO);
	assert_int_equal(read_again(d, NULL), 0);
	expect_part("a2", 2, 24, 8);
	assert_int_equal(read_again(d, the_disk_goes), -ENXIO);
	assert_string_equal(why, "the device was removed meanwhile");
	assert_null(dm_find_disk(f.world, "a"));
	assert_null(dm_find_disk(f.world, "a2"));
}

static int part_add(const char *disk, uint32_t number, uint64_t start, uint64_t sectors)
{
	struct err e = ERR_INIT;

	return dm_part_add(dm_find_disk(f.world, disk), &(struct dm_part){ number, start, sectors }, &e);
}

/* With the kernel's answers to BLKPG. */
static void partitions_are_added_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(disk("a", image, 0), 0);
	assert_int_equal(part_add("a", 1, 8, 16), 0);
	assert_int_equal(part_add("a", 1, 100, 16), -EBUSY);
	assert_int_equal(part_add("a", 2, 23, 16), -EBUSY);
	assert_int_equal(part_add("a", 0, 100, 16), -EINVAL);
	assert_int_equal(part_add("a", 256, 100, 16), -EINVAL);
	assert_int_equal(part_add("a", 2, 2040, 9), -EINVAL);
	assert_int_equal(part_add("a", 2, 100, 0), -EINVAL);
	assert_int_equal(part_add("a", 2, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(part_add("a", 20, 24, 16), 0);
	assert_int_equal(part_add("a", 16, 40, 1), 0);
	assert_int_equal(dm_find_disk(f.world, "a20")->major, DM_PART_MAJOR);
	assert_ptr_equal(dm_find_number(f.world, DM_PART_MAJOR, 1), dm_find_disk(f.world, "a16"));
	assert_ptr_equal(dm_part_next(dm_find_disk(f.world, "a16")), dm_find_disk(f.world, "a20"));	/* by number */
}

static void disk_and_partitions_claim_each_other(void **state)
{
	struct dm_device *whole, *one;

	(void)state;
	assert_int_equal(disk("a", image, 0), 0);
	assert_int_equal(part_add("a", 1, 8, 16), 0);
	assert_int_equal(part_add("a", 2, 24, 16), 0);
	whole = dm_find_disk(f.world, "a");
	one = dm_find_disk(f.world, "a1");
	assert_int_equal(dm_claim(whole), 0);
	assert_int_equal(dm_claim(one), -EBUSY);
	assert_int_equal(create(&f, "x", "0 8 linear /dev/a1 0", why), -EBUSY);
	dm_unclaim(whole);
	assert_int_equal(create(&f, "x", "0 8 linear /dev/a1 0", why), 0);
	assert_int_equal(dm_claim(whole), -EBUSY);
	assert_int_equal(create(&f, "y", "0 8 linear /dev/a 0", why), -EBUSY);
	assert_non_null(strstr(why, "'a' is in use: one of its partitions is"));
	assert_int_equal(create(&f, "y", "0 8 linear /dev/a2 0", why), 0);
}

static bool resized;

static void resize_done(struct dm_cmd *c)
{
	(void)c;
	resized = true;
}

static int resize(uint32_t number, uint64_t start, uint64_t sectors)
{
	struct dm_cmd c = { .world = f.world, .done = resize_done };
	int r;

	list_init(&c.node);
	resized = false;
	dm_part_resize(dm_find_disk(f.world, "a"), &(struct dm_part){ number, start, sectors }, &c);
	while (!resized)
		loop_turn(f.world->loop, -1);
	r = c.reply.err.code;
	dm_reply_free(&c.reply);
	return r;
}

static void a_partition_grows_while_it_is_open(void **state)
{
	unsigned char back[512];
	struct dm_device *one;

	(void)state;
	assert_int_equal(disk("a", image, 0), 0);
	assert_int_equal(part_add("a", 1, 8, 16), 0);
	assert_int_equal(part_add("a", 2, 100, 16), 0);
	one = dm_find_disk(f.world, "a1");
	dm_open(one);
	assert_int_equal(request(&f, one, 0, DM_READ, 0, 16, 1, back), -EIO);
	assert_int_equal(resize(1, 8, 92), 0);
	assert_int_equal(request(&f, one, 0, DM_READ, 0, 91, 1, back), 0);
	assert_int_equal(resize(1, 8, 93), -EBUSY);
	assert_int_equal(resize(1, 9, 8), -EINVAL);
	assert_int_equal(resize(3, 9, 8), -ENXIO);
	assert_int_equal(resize(2, 100, 5000), -EINVAL);
	assert_int_equal(resize(1, 8, 4), 0);
	assert_int_equal(request(&f, one, 0, DM_READ, 0, 4, 1, back), -EIO);
	dm_close(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(partitions_are_devices, begin, end),
		cmocka_unit_test_setup_teardown(a_label_is_read_again, begin, end),
		cmocka_unit_test_setup_teardown(partitions_are_added_one_by_one, begin, end),
		cmocka_unit_test_setup_teardown(disk_and_partitions_claim_each_other, begin, end),
		cmocka_unit_test_setup_teardown(a_partition_grows_while_it_is_open, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
