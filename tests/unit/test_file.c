/* SPDX-License-Identifier: BSD-2-Clause */
/* The file store: what it opens and refuses, sharing, files that shrink. Disks and flushes: test_file_disk.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void bad_words_get_a_sentence(void **state)
{
	static const struct {
		const char *word, *says;
		int code;
	} bad[] = {
		{ "/nonexistent/x", "'/nonexistent/x'", -ENOENT },
		{ "file:", "path of the file is missing", -EINVAL },
		{ "file,fast:@", "unknown option 'fast'", -EINVAL },
		{ "file,direct=yes:@", "unknown option 'direct'", -EINVAL },
		{ "file,logical=1000:@", "logical='1000': must be a power of two from 512 to 65536", -EINVAL },
		{ "file,logical=256:@", "logical='256'", -EINVAL },
		{ "file,logical=128K:@", "logical='128K'", -EINVAL },
		{ "file,physical=:@", "physical=''", -EINVAL },
		{ "file,logical=4096,physical=512:@", "physical=512 is less", -EINVAL },
		{ "4095:1048575", "no block device 4095:1048575", -ENXIO },
		{ "/dev/null", "a character device", -ENOTBLK },
		{ "/", "a directory", -ENOTBLK },
		{ "nosuchname", "'nosuchname'", -ENOENT },
	};
	char path[PLACE_PATH], word[2 * PLACE_PATH];
	size_t i;

	(void)state;
	place_file(path, "disk", MIB);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		strcpy(word, bad[i].word);
		if (strchr(word, '@'))
			strcpy(strchr(word, '@'), path);
		assert_int_equal(map("x", 1, "", word), bad[i].code);
		assert_says(bad[i].says);
		assert_says("table line 1");
	}
	assert_int_equal(f.world->n_devices, 0);
}

/* Opening a FIFO waits for the other end: that must not happen to the daemon. */
static void a_fifo_and_a_socket_are_refused_at_once(void **state)
{
	char path[PLACE_PATH];

	(void)state;
	place_path(path, "fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(map("x", 1, "", path), -ENOTBLK);
	assert_says("a fifo");
	place_path(path, "sock");
	assert_int_equal(mknod(path, S_IFSOCK | 0600, 0), 0);
	assert_int_equal(map("x", 1, "", path), -ENOTBLK);
	assert_says("a socket");
}

static void relative_paths_start_where_the_caller_is(void **state)
{
	char path[PLACE_PATH], dir[PLACE_PATH], text[] = "0 8 linear disk.img 0";
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "x", .text = text, .cwd = dir };
	struct dm_cmd lost = { .verb = DM_DO_CREATE, .name = "y", .text = (char[]){ "0 8 linear ./disk.img 0" } };
	char *table, want[PLACE_PATH + 32];

	(void)state;
	place_file(path, "disk.img", MIB);
	place_path(dir, ".");
	assert_int_equal(run(&f, &c, file_why), 0);
	dm_reply_free(&c.reply);
	table = rows(&f, DM_DO_TABLE, "x", 0);
	snprintf(want, sizeof(want), "0 8 linear %s 0\n", path);
	assert_string_equal(table, want);
	free(table);
	assert_int_equal(run(&f, &lost, file_why), -EINVAL);
	assert_says("relative path");
	dm_reply_free(&lost.reply);
}

static void blanks_in_a_path_are_quoted(void **state)
{
	char path[PLACE_PATH], *table;

	(void)state;
	place_file(path, "a b'c\\d", MIB);
	place_path(path, "a\\ b\\'c\\\\d");
	assert_int_equal(map("x", 8, "", path), 0);
	table = rows(&f, DM_DO_TABLE, "x", 0);
	assert_int_equal(reload(&f, "x", table, file_why), 0);
	free(table);
}

static void one_file_is_opened_once(void **state)
{
	char path[PLACE_PATH], other[PLACE_PATH];
	struct dm_store *s;

	(void)state;
	place_file(path, "one", MIB);
	assert_true(place_run("ln one hard && ln -s one soft"));
	assert_int_equal(map("a", 8, "", path), 0);
	s = dm_find_name(f.world, "a")->active->stores[0];
	place_path(other, "hard");
	assert_int_equal(map("b", 8, "", other), 0);
	place_path(other, "soft");
	assert_int_equal(map("c", 8, "file:", other), 0);
	assert_int_equal(s->refs, 3);
	assert_int_equal(map("d", 8, "file,logical=1024:", path), 0);
	assert_int_equal(map("e", 8, "file,physical=1024:", path), 0);
	assert_int_equal(s->refs, 3);
	assert_ptr_not_equal(dm_find_name(f.world, "d")->active->stores[0],
			     dm_find_name(f.world, "e")->active->stores[0]);
}

static void what_is_not_a_whole_block_is_not_there(void **state)
{
	char path[PLACE_PATH];

	(void)state;
	place_file(path, "odd", 10 * 512 + 100);
	assert_int_equal(map("x", 11, "", path), -EINVAL);
	assert_says("10 sectors");
	assert_int_equal(map("x", 10, "", path), 0);
	assert_int_equal(map("y", 10, "file,logical=4096:", path), -EINVAL);
	assert_int_equal(map("y", 8, "file,logical=4096:", path), 0);
	place_file(path, "tiny", 511);
	assert_int_equal(map("z", 1, "", path), -EINVAL);
}

static void a_longer_file_is_measured_anew(void **state)
{
	char path[PLACE_PATH];

	(void)state;
	place_file(path, "grows", MIB);
	assert_int_equal(map("a", 2048, "", path), 0);
	assert_int_equal(map("b", 4096, "", path), -EINVAL);
	assert_int_equal(truncate(path, 2 * MIB), 0);
	assert_int_equal(map("b", 4096, "", path), 0);
}

/* 1 MiB of file: data, hole, data, hole, each of 256 KiB. */
static void holes_are_known(void **state)
{
	static char data[MIB / 4];
	char path[PLACE_PATH];
	struct dm_device *d;
	struct job j;
	int fd, part;

	(void)state;
	place_file(path, "holes", MIB);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	memset(data, 'x', sizeof(data));
	assert_int_equal(pwrite(fd, data, MIB / 4, 0), MIB / 4);
	assert_int_equal(pwrite(fd, data, MIB / 4, MIB / 2), MIB / 4);
	close(fd);
	assert_int_equal(map("x", 2048, "", path), 0);
	d = hold("x");
	for (part = 0; part < 4; part++) {
		job_start(&f, &j, d, part % 2, DM_EXTENT, 0, (uint64_t)part * 512 + 8, 2048 - (uint64_t)part * 512 - 8, NULL);
		assert_int_equal(job_wait(&j), 0);
		assert_int_equal(j.req.count, 504);
		assert_int_equal(j.req.flags & (DM_HOLE | DM_ZERO), part % 2 ? DM_HOLE | DM_ZERO : 0);
	}
	assert_int_equal(request(&f, d, 0, DM_DISCARD, 0, 0, 512, NULL), 0);
	job_start(&f, &j, d, 0, DM_EXTENT, 0, 0, 2048, NULL);
	assert_int_equal(job_wait(&j), 0);
	assert_int_equal(j.req.count, 1024);
	assert_int_equal(j.req.flags & DM_HOLE, DM_HOLE);
	dm_close(d);
}

/* Nothing may extend it again, and a read must not succeed where data is gone. */
static void a_file_that_shrinks_is_told_and_stays_short(void **state)
{
	static char data[8 * 512];
	char path[PLACE_PATH];
	struct dm_device *d;

	(void)state;
	place_file(path, "shrinks", MIB);
	assert_int_equal(map("x", 2048, "", path), 0);
	d = hold("x");
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 2040, 8, data), 0);
	assert_int_equal(truncate(path, MIB / 2 + 100), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 2040, 8, data), -EIO);
	assert_int_equal(request(&f, d, 1, DM_WRITE, DM_FUA, 1024, 1, data), -EIO);
	assert_int_equal(request(&f, d, 1, DM_ZEROES, 0, 2040, 8, NULL), -EIO);
	assert_int_equal(request(&f, d, 1, DM_DISCARD, 0, 2040, 8, NULL), -EIO);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 2040, 8, data), -EIO);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 1020, 8, data), -EIO);
	assert_int_equal(request(&f, d, 0, DM_EXTENT, 0, 2040, 8, NULL), -EIO);
	assert_int_equal(place_size(path), MIB / 2 + 100);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 1016, 8, data), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 1016, 8, data), 0);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	dm_close(d);
}

static void blocks_can_be_played(void **state)
{
	static char data[4096];
	char path[PLACE_PATH], *table;
	struct dm_device *d;

	(void)state;
	place_file(path, "4kn", MIB);
	assert_int_equal(map("x", 2047, "file,logical=4K:", path), -EINVAL);
	assert_int_equal(map("x", 2048, "file,logical=4K,physical=16K:", path), 0);
	table = rows(&f, DM_DO_TABLE, "x", 0);
	assert_non_null(strstr(table, "linear file,logical=4096,physical=16384:/"));
	free(table);
	d = hold("x");
	assert_int_equal(d->active->limits.logical, 4096);
	assert_int_equal(d->active->limits.physical, 16384);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 1, 8, data), -EINVAL);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 8, 1, data), -EINVAL);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 8, 8, data), 0);
	dm_close(d);
}

static void read_only_files_serve_read_only_tables(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "ro", .flags = DM_WITH_READONLY, .cwd = "/" };
	char text[PLACE_PATH + 32], path[PLACE_PATH], data[512];
	struct stat before, after;
	struct dm_device *d;

	(void)state;
	place_file(path, "ro", MIB);
	snprintf(text, sizeof(text), "0 2048 linear %s 0", path);
	c.text = text;
	stat(path, &before);
	assert_int_equal(run(&f, &c, file_why), 0);
	dm_reply_free(&c.reply);
	d = hold("ro");
	assert_true(d->active->stores[0]->readonly);
	assert_int_equal(request(&f, d, 0, DM_READ, 0, 0, 1, data), 0);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, 0, 1, data), -EROFS);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	dm_close(d);
	stat(path, &after);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	if (!chmod(path, 0400) && access(path, W_OK)) {		/* root may write all the same */
		assert_int_equal(map("rw", 8, "", path), -EACCES);
		assert_says("read-only");
	}
}

/* Far more requests with unaligned memory than there are aligned buffers. */
static void direct_requests_wait_for_a_buffer(void **state)
{
	struct job jobs[64];
	char path[PLACE_PATH];
	struct dm_device *d;
	uint8_t *data = malloc(64 * MIB / 8 + 1), *in = malloc(64 * MIB / 8 + 1);
	size_t i;

	(void)state;
	place_file(path, "direct", 64 * MIB / 8);
	assert_int_equal(map("x", 64 * 256, "file,direct:", path), 0);
	d = hold("x");
	for (i = 0; i < 64 * MIB / 8 + 1; i++)
		data[i] = (uint8_t)(i * 7 + i / 4096);
	for (i = 0; i < 64; i++)
		job_start(&f, &jobs[i], d, 0, DM_WRITE, 0, i * 256, 256, data + 1 + i * MIB / 8);
	for (i = 0; i < 64; i++)
		assert_int_equal(job_wait(&jobs[i]), 0);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, 0, 64 * 256, in + 1), 0);
	assert_memory_equal(in + 1, data + 1, 64 * MIB / 8);
	assert_int_equal(truncate(path, MIB + 300), 0);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, 0, 64 * 256, in + 1), -EIO);
	dm_close(d);
	free(data);
	free(in);
}

static enum aio_engine engines[] = { AIO_POOL, AIO_AUTO };

#define CASE(name, i) { #name " [" #i "]", name, begin, file_teardown, &engines[i] }
#define BOTH(name) CASE(name, 0), CASE(name, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(bad_words_get_a_sentence, 1),
		CASE(a_fifo_and_a_socket_are_refused_at_once, 1),
		CASE(relative_paths_start_where_the_caller_is, 1),
		CASE(blanks_in_a_path_are_quoted, 1),
		CASE(one_file_is_opened_once, 1),
		CASE(what_is_not_a_whole_block_is_not_there, 1),
		CASE(a_longer_file_is_measured_anew, 1),
		CASE(blocks_can_be_played, 1),
		CASE(read_only_files_serve_read_only_tables, 1),
		BOTH(holes_are_known),
		BOTH(a_file_that_shrinks_is_told_and_stays_short),
		BOTH(direct_requests_wait_for_a_buffer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
