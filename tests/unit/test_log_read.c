/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of logs of writes: what a small log says, and that a log which is no log, cut or damaged is refused in a sentence. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "targets/log_writes/format.h"
#include "targets/log_writes/read.h"

enum { SECTOR = 512, ROOM = 24 };	/* sectors */

/* A log that a test is putting together. */
static unsigned char disk[ROOM * SECTOR];
static size_t used;
static uint64_t entries;

static void begin(void)
{
	memset(disk, 0, sizeof(disk));
	used = SECTOR;
	entries = 0;
}

static void add(uint64_t flags, uint64_t sector, uint64_t sectors, const char *text)
{
	struct wlog_disk_entry d = { htole64(sector), htole64(sectors), htole64(flags), htole64(strlen(text)) };

	memcpy(disk + used, &d, sizeof(d));
	memcpy(disk + used + sizeof(d), text, strlen(text));
	used += SECTOR;
	entries++;
	if (flags & (WLOG_MARK | WLOG_DISCARD))
		return;
	memset(disk + used, (int)entries, sectors * SECTOR);
	used += sectors * SECTOR;
}

static void super(uint64_t magic, uint64_t version, uint64_t n, uint32_t size)
{
	struct wlog_super s = { htole64(magic), htole64(version), htole64(n), htole32(size), 0 };

	memcpy(disk, &s, sizeof(s));
}

/* Two writes, one of them with FUA, a discard, a flush and a mark. */
static void small(void)
{
	begin();
	add(0, 8, 2, "");
	add(WLOG_DISCARD, 16, 100, "");
	add(WLOG_FLUSH, 0, 0, "");
	add(WLOG_FUA | WLOG_METADATA, 3, 1, "");
	add(WLOG_MARK, 0, 0, "here");
	super(WLOG_MAGIC, WLOG_VERSION, entries, SECTOR);
}

/* The first BYTES of the disk as a file. */
static int file_of(size_t bytes)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, disk, bytes), bytes);
	return fd;
}

/* Reads it all: how many entries, or -errno and a sentence. */
static int read_all(size_t bytes, struct err *e)
{
	int fd = file_of(bytes), n = 0, found = 0;
	struct wlog_entry entry;
	unsigned char data[SECTOR];
	struct wlog *l;

	*e = (struct err)ERR_INIT;
	if (wlog_open(&l, fd, "x", e)) {
		close(fd);
		return e->code;
	}
	while ((found = wlog_next(l, &entry, e)) > 0) {
		assert_int_equal(entry.number, n++);
		assert_true(strlen(entry.mark) < SECTOR);
		for (uint64_t i = 0; entry.kind == WLOG_IS_WRITE && i < entry.count; i++)
			assert_int_equal(wlog_data(l, &entry, i * SECTOR, data, SECTOR, e), 0);
	}
	wlog_close(l);
	close(fd);
	return found < 0 ? found : n;
}

static void refused(size_t bytes, const char *sentence)
{
	struct err e;

	assert_true(read_all(bytes, &e) < 0);
	assert_string_equal(e.text, sentence);
}

#define is(kind_, flags_, sector_, count_, data_, mark_) do {							\
	assert_int_equal(wlog_next(l, &entry, &e), 1);								\
	assert_int_equal(entry.kind, kind_);									\
	assert_int_equal(entry.flags, flags_);									\
	assert_int_equal(entry.sector, sector_);								\
	assert_int_equal(entry.count, count_);									\
	assert_string_equal(entry.mark, mark_);									\
	if (entry.kind == WLOG_IS_WRITE)									\
		assert_int_equal(entry.data, (uint64_t)(data_) * SECTOR);					\
} while (0)

static void test_a_small_log_is_read_as_it_was_written(void **state)
{
	struct wlog_entry entry;
	unsigned char byte;
	struct wlog *l;
	struct err e;
	int fd;

	(void)state;
	small();
	fd = file_of(used);
	assert_int_equal(wlog_open(&l, fd, "x", &e), 0);
	assert_int_equal(wlog_entries(l), 5);
	assert_int_equal(wlog_sector_size(l), SECTOR);
	is(WLOG_IS_WRITE, 0, 8, 2, 2, "");
	assert_int_equal(wlog_data(l, &entry, 2 * SECTOR - 1, &byte, 1, &e), 0);
	assert_int_equal(byte, 1);
	is(WLOG_IS_DISCARD, WLOG_DISCARD, 16, 100, 0, "");
	is(WLOG_IS_FLUSH, WLOG_FLUSH, 0, 0, 0, "");
	is(WLOG_IS_WRITE, WLOG_FUA | WLOG_METADATA, 3, 1, 7, "");
	is(WLOG_IS_MARK, WLOG_MARK, 0, 0, 0, "here");
	assert_int_equal(wlog_next(l, &entry, &e), 0);
	wlog_rewind(l);
	is(WLOG_IS_WRITE, 0, 8, 2, 2, "");
	wlog_close(l);
	close(fd);
}

static void test_sectors_of_4096_bytes_are_eight_of_512(void **state)
{
	struct wlog_disk_entry d = { .sector = htole64(3), .sectors = htole64(1) };
	struct wlog_entry entry;
	struct wlog *l;
	struct err e;
	int fd;

	(void)state;
	begin();
	super(WLOG_MAGIC, WLOG_VERSION, 1, 4096);
	memcpy(disk + 4096, &d, sizeof(d));
	fd = file_of(3 * 4096);
	assert_int_equal(wlog_open(&l, fd, "x", &e), 0);
	is(WLOG_IS_WRITE, 0, 24, 8, 16, "");
	wlog_close(l);
	close(fd);
}

static void test_what_is_no_log_is_refused(void **state)
{
	(void)state;
	begin();
	refused(100, "log x: 100 bytes are too few for a log of writes, which begins with a superblock of 512 bytes at least");
	refused(sizeof(disk), "log x: there is no superblock of a log of writes at byte 0, only zeros: it is written at the first mark, "
			      "the first write with FUA, and when the device is removed");
	super(1, WLOG_VERSION, 0, SECTOR);
	refused(sizeof(disk), "log x: not a log of writes: its first 8 bytes are the number 0x1, not 0x6a736677736872");
	super(WLOG_MAGIC, 2, 0, SECTOR);
	refused(sizeof(disk), "log x: the superblock (byte 0) says version 2 of the format; only version 1 is known");
	super(WLOG_MAGIC, WLOG_VERSION, 0, 513);
	refused(sizeof(disk), "log x: the superblock (byte 0) says that a sector has 513 bytes; it has to be a power of two from 512 to "
			      "65536");
}

static void test_a_log_that_was_cut_is_refused_where_it_ends(void **state)
{
	struct err e;

	(void)state;
	small();
	assert_int_equal(read_all(used, &e), 5);
	refused(4 * SECTOR, "log x: the superblock (byte 0) says that there are 5 entries, but in 2048 bytes there is room for 3 at most: "
			    "the log was cut, or copied in part");
	refused(used - 1, "log x: it ends at byte 4607, after 4 entries; the superblock says 5: the log was cut, or copied in part");
	refused(7 * SECTOR, "log x: entry 3 (byte 3072) has 1 sectors of data, but the log ends after 0 sectors more");
	super(WLOG_MAGIC, WLOG_VERSION, UINT64_MAX, SECTOR);
	refused(used, "log x: the superblock (byte 0) says that there are 18446744073709551615 entries, but in 4608 bytes there is room "
		      "for 8 at most: the log was cut, or copied in part");
}

/* One entry, with these numbers. */
static void one(uint64_t flags, uint64_t sector, uint64_t sectors, uint64_t len)
{
	struct wlog_disk_entry d = { htole64(sector), htole64(sectors), htole64(flags), htole64(len) };

	begin();
	super(WLOG_MAGIC, WLOG_VERSION, 1, SECTOR);
	memcpy(disk + SECTOR, &d, sizeof(d));
}

static void test_an_entry_that_cannot_be_is_refused(void **state)
{
	(void)state;
	one(0, 0, 0, 0);
	refused(sizeof(disk), "log x: entry 0 (byte 512) is neither a flush nor a mark, and has no sectors");
	one(0x40, 0, 1, 0);
	refused(sizeof(disk), "log x: entry 0 (byte 512) has the flags 0x40; only 0x1f are known");
	one(WLOG_MARK | WLOG_FUA, 0, 0, 1);
	refused(sizeof(disk), "log x: entry 0 (byte 512) is a mark, which has no sectors and no other flags, but it has 0 sectors and the "
			      "flags 0xa");
	one(WLOG_MARK, 0, 0, 481);
	refused(sizeof(disk), "log x: entry 0 (byte 512) is a mark of 481 bytes; there is room for 480 at most");
	one(WLOG_MARK, 0, 0, 3);
	refused(sizeof(disk), "log x: entry 0 (byte 512) is a mark of 3 bytes, but its text ends before");
	one(WLOG_DISCARD | WLOG_FLUSH, 0, 1, 0);
	refused(sizeof(disk), "log x: entry 0 (byte 512) is a discard with the flags 0x5; it has no others but FUA");
	one(WLOG_DISCARD, UINT64_MAX, 2, 0);
	refused(sizeof(disk), "log x: entry 0 (byte 512) says 2 sectors from sector 18446744073709551615 on, which is on no disk");
	one(0, 5, 1, 513);
	refused(sizeof(disk), "log x: entry 0 (byte 512) says 513 bytes of data in 1 sectors of 512 bytes");
	one(0, 5, 1, 0);
	disk[2 * SECTOR - 1] = 1;
	refused(sizeof(disk), "log x: entry 0 (byte 512) is followed by something else than zeros in its sector: it is not an entry, or "
			      "damaged");
}

/* Whatever a byte becomes: five entries, or a sentence with the name of the log in it. */
static void test_every_byte_flipped_in_turn(void **state)
{
	struct err e;
	size_t i;
	int n;

	(void)state;
	for (i = 0; small(), i < used; i++) {
		disk[i] ^= 0xff;
		n = read_all(used, &e);
		if (n < 0)
			assert_ptr_equal(strstr(e.text, "log x: "), e.text);
		else
			assert_in_range(n, 1, 5);
		disk[i] ^= 0xff ^ 0x01;
		n = read_all(used, &e);
		assert_true(n >= 0 || strstr(e.text, "log x: ") == e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_small_log_is_read_as_it_was_written),
		cmocka_unit_test(test_sectors_of_4096_bytes_are_eight_of_512),
		cmocka_unit_test(test_what_is_no_log_is_refused),
		cmocka_unit_test(test_a_log_that_was_cut_is_refused_where_it_ends),
		cmocka_unit_test(test_an_entry_that_cannot_be_is_refused),
		cmocka_unit_test(test_every_byte_flipped_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
