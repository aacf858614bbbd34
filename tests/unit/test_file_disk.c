/* SPDX-License-Identifier: BSD-2-Clause */
/* The file store on block devices, full disks and file systems in memory; flushes that fail. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "stores/file.h"
#include "support/file_store.h"
#include "support/place.h"

#define MIB (1u << 20)

static struct fixture f;

static int begin(void **state)
{
	return file_setup(&f, *(enum aio_engine *)*state);
}

static bool begins_with_one(const char *name, const char *const *beginnings)
{
	for (; *beginnings; beginnings++)
		if (!strncmp(name, *beginnings, strlen(*beginnings)))
			return true;
	return false;
}

/* What sysfs says about the disks of this machine, and their partitions. */
static void disks_of_hardware_are_known(void **state)
{
	static const char *const hardware[] = { "vd", "sd", "nvme", "xvd", "mmcblk", NULL };
	static const char *const others[] = { "loop", "nbd", "zram", "ram", NULL };
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *d = opendir("/sys/class/block");

	(void)state;
	while (d && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "/sys/class/block/%s", entry->d_name);
		if (begins_with_one(entry->d_name, hardware))
			assert_true(file_disk_is_hardware(path));
		if (begins_with_one(entry->d_name, others))
			assert_false(file_disk_is_hardware(path));
	}
	if (d)
		closedir(d);
	assert_false(file_disk_is_hardware("/sys/dev/block/0:4095"));	/* not a disk, as under tmpfs */
}

/*
 * Directories of our own, in the layout in which sysfs shows disks made of others: no test can have such disks
 * everywhere.
 */
static bool is_hardware(const char *name)
{
	char path[PLACE_PATH];

	place_path(path, name);
	return file_disk_is_hardware(path);
}

static void disks_are_hardware_if_all_below_them_are(void **state)
{
	(void)state;
	assert_true(place_run("mkdir -p real/device real/part loop/slaves empty/slaves mirror/slaves top/slaves && "
			      "touch real/part/partition && ln -s ../../real/part mirror/slaves/a && "
			      "ln -s ../../mirror top/slaves/a"));
	assert_true(is_hardware("real"));
	assert_true(is_hardware("real/part"));
	assert_false(is_hardware("loop"));
	assert_false(is_hardware("empty"));
	assert_true(is_hardware("mirror"));
	assert_true(is_hardware("top"));
	assert_true(place_run("ln -s ../../loop mirror/slaves/b"));
	assert_false(is_hardware("mirror"));
	assert_false(is_hardware("top"));
	assert_true(place_run("ln -s ../../top loop/slaves/a"));	/* a loop */
	assert_false(is_hardware("top"));
}

static unsigned fill(struct dm_device *d, uint64_t sectors, uint32_t flags, int *err)
{
	static uint8_t data[64 * 512];
	uint64_t at;

	memset(data, 'f', sizeof(data));
	for (*err = 0, at = 0; at < sectors; at += 64)
		if ((*err = request(&f, d, at / 64 % 2, DM_WRITE, flags, at, 64, data)))
			break;
	return (unsigned)at;
}

static void a_full_disk_is_told_to_the_writer(void **state)
{
	static uint8_t data[64 * 512];
	char path[PLACE_PATH];
	struct dm_device *d;
	unsigned done;
	int err;

	(void)state;
	assert_true(place_tmpfs("small", MIB));
	place_file(path, "small/disk", 8 * MIB);
	assert_int_equal(map("x", 16384, "", path), 0);
	d = hold("x");
	done = fill(d, 16384, 0, &err);
	assert_int_equal(err, -ENOSPC);
	assert_in_range(done, 1024, 2048);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, done - 64, 64, data), 0);
	assert_int_equal(data[0], 'f');
	assert_int_equal(data[sizeof(data) - 1], 'f');
	assert_int_equal(request(&f, d, 0, DM_WRITE, DM_FUA, 8192, 64, data), -ENOSPC);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);	/* nothing that was reported is lost */
	assert_int_equal(request(&f, d, 0, DM_DISCARD, 0, 0, 64, NULL), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, DM_FUA, 8192, 64, data), 0);
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "x", 0, file_why), 0);
	place_tmpfs_end("small");
}

static uint32_t ask_to_show(struct job *j, struct dm_device *d, uint64_t sector, uint64_t count, void *data)
{
	job_start(&f, j, d, 0, DM_READ, DM_MAY_SHOW, sector, count, data);
	assert_int_equal(job_wait(j), 0);
	return j->req.flags & DM_SHOWN;
}

/*
 * For a reader that can take bytes from a file itself, a read returns where they are; what is in pieces is copied as
 * usual.
 */
static void a_file_in_memory_shows_where_bytes_lie(void **state)
{
	static uint8_t data[64 * 512], in[64 * 512], nothing[64 * 512];
	char path[PLACE_PATH], table[2 * PLACE_PATH + 64];
	struct dm_device *d;
	struct job j;

	(void)state;
	assert_true(place_tmpfs("small", MIB));
	place_file(path, "small/disk", 512 * 1024);
	snprintf(table, sizeof(table), "0 512 linear %s 256\n512 256 linear %s 0", path, path);
	assert_int_equal(create(&f, "x", table, file_why), 0);
	d = hold("x");
	memset(data, 's', sizeof(data));
	memset(in, 0, sizeof(in));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 64, 64, data), 0);
	assert_true(ask_to_show(&j, d, 64, 64, in));
	assert_int_equal(j.req.aio.off, (256 + 64) * 512);
	assert_memory_equal(in, nothing, sizeof(in));
	assert_int_equal(pread(j.req.aio.fd, in, sizeof(in), (off_t)j.req.aio.off), sizeof(in));
	assert_memory_equal(in, data, sizeof(in));
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 480, 64, data), 0);
	assert_false(ask_to_show(&j, d, 480, 64, in));
	assert_memory_equal(in, data, sizeof(in));
	assert_int_equal(truncate(path, 4096), 0);
	job_start(&f, &j, d, 0, DM_READ, DM_MAY_SHOW, 64, 64, in);
	assert_int_equal(job_wait(&j), -EIO);
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "x", 0, file_why), 0);
	place_tmpfs_end("small");
}

/* A loop device on a file on a full disk accepts every write, and cannot store it. */
static void fail_flushes(struct dm_device *d, uint32_t fua)
{
	struct job jobs[40];
	int err, i;

	fill(d, 16384, fua, &err);
	if (fua)
		assert_int_equal(err, -EIO);
	for (i = 0; i < 40; i++)
		job_start(&f, &jobs[i], d, i % 2, DM_FLUSH, 0, 0, 0, NULL);
	for (i = 0; i < 40; i++)
		assert_int_equal(job_wait(&jobs[i]), -EIO);
	for (i = 0; i < 4; i++)
		assert_int_equal(request(&f, d, i % 2, DM_FLUSH, 0, 0, 0, NULL), -EIO);
}

static void a_failed_flush_is_told_to_all_and_never_forgotten(void **state)
{
	uint32_t fua;

	(void)state;
	for (fua = 0; fua <= DM_FUA; fua += DM_FUA) {
		char path[PLACE_PATH], dev[PLACE_PATH];
		struct dm_device *d;
		int kept;

		assert_true(place_tmpfs("small", MIB));
		place_file(path, "small/disk", 8 * MIB);
		kept = place_loop(dev, path, 512, false);
		assert_true(kept >= 0);
		assert_int_equal(map("x", 16384, "", dev), 0);
		d = hold("x");
		fail_flushes(d, fua);
		dm_close(d);
		verb(&f, DM_DO_REMOVE, "x", DM_WITH_FORCE, file_why);
		close(kept);
		place_tmpfs_end("small");
		assert_int_equal(rmdir((place_path(path, "small"), path)), 0);
	}
}

static void block_devices_go_by_number_and_are_claimed(void **state)
{
	char path[PLACE_PATH], dev[PLACE_PATH], word[32], *table;
	struct stat st;
	int kept, other;

	(void)state;
	place_file(path, "disk", 8 * MIB);
	kept = place_loop(dev, path, 4096, false);
	stat(dev, &st);
	snprintf(word, sizeof(word), "%u:%u", (unsigned)(st.st_rdev >> 8), (unsigned)(st.st_rdev & 255));
	assert_int_equal(map("x", 16384, "", word), 0);
	assert_int_equal(map("y", 16384, "", dev), 0);
	assert_int_equal(dm_find_name(f.world, "x")->active->stores[0]->refs, 2);
	assert_int_equal(dm_find_name(f.world, "x")->active->limits.logical, 4096);
	table = rows(&f, DM_DO_TABLE, "y", 0);
	assert_non_null(strstr(table, word));
	free(table);
	assert_int_equal(open(dev, O_RDWR | O_EXCL | O_CLOEXEC), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(map("z", 16384, "file,logical=512:", dev), -EBUSY);
	assert_int_equal(verb(&f, DM_DO_REMOVE_ALL, NULL, 0, file_why), 0);
	assert_int_equal(map("z", 16384, "file,logical=512:", dev), -EINVAL);
	assert_says("4096");
	other = open(dev, O_RDWR | O_EXCL | O_CLOEXEC);		/* claims it like a mount */
	assert_true(other >= 0);
	assert_int_equal(map("x", 16384, "", dev), -EBUSY);
	assert_says("in use");
	close(other);
	close(kept);
}

static void a_read_only_block_device_is_not_written(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "ro", .flags = DM_WITH_READONLY, .cwd = "/" };
	char path[PLACE_PATH], dev[PLACE_PATH], text[PLACE_PATH + 32];
	struct dm_device *d;
	uint8_t data[512];
	int kept, r;

	(void)state;
	place_file(path, "disk", 8 * MIB);
	kept = place_loop(dev, path, 512, true);
	r = map("x", 16384, "", dev);
	assert_true(r == -EROFS || r == -EACCES || r == -EPERM);
	assert_says("read-only");
	snprintf(text, sizeof(text), "0 16384 linear %s 0", dev);
	c.text = text;
	assert_int_equal(run(&f, &c, file_why), 0);
	dm_reply_free(&c.reply);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "ro", 0, file_why), 0);
	c.flags = DM_WITH_LINUX;
	assert_int_equal(run(&f, &c, file_why), 0);
	dm_reply_free(&c.reply);
	d = dm_find_name(f.world, "ro");
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, data), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 1, data), -EIO);
	assert_int_equal(request(&f, d, 0, DM_ZEROES, 0, 0, 1, NULL), -EIO);
	dm_close(d);
	close(kept);
}

static enum aio_engine engines[] = { AIO_POOL, AIO_AUTO };

#define CASE(name, i) { #name " [" #i "]", name, begin, file_teardown, &engines[i] }
#define BOTH(name) CASE(name, 0), CASE(name, 1)

static bool may_mount(void)
{
	char path[PLACE_PATH], dev[PLACE_PATH];
	bool may;
	int fd = -1;

	place_begin();
	may = place_tmpfs("small", MIB);
	if (may) {
		place_file(path, "small/disk", MIB);
		fd = place_loop(dev, path, 512, false);
		place_tmpfs_end("small");
	}
	if (fd >= 0)
		close(fd);
	place_end();
	return may && fd >= 0;
}

int main(void)
{
	const struct CMUnitTest all[] = {
		CASE(disks_of_hardware_are_known, 1),
		CASE(disks_are_hardware_if_all_below_them_are, 1),
	};
	const struct CMUnitTest root[] = {
		BOTH(a_full_disk_is_told_to_the_writer),
		BOTH(a_file_in_memory_shows_where_bytes_lie),
		BOTH(a_failed_flush_is_told_to_all_and_never_forgotten),
		CASE(block_devices_go_by_number_and_are_claimed, 1),
		CASE(a_read_only_block_device_is_not_written, 1),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("hardware", all, NULL, NULL);
	if (may_mount())
		failed += cmocka_run_group_tests_name("disks", root, NULL, NULL);
	else
		printf("# full disks, failing flushes, block devices: only root with loop devices can make them\n");
	return failed;
}
