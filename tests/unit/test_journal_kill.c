/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A journal whose process is killed at any moment: before, after and in the middle of each system call that changes the
 * file, the file is copied and read. It must have the last transaction that was answered, or the one that was being
 * written, and all of it. Several new logs are begun meanwhile, in front of the old one and behind.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/journal_format.h"
#include "support/journals.h"

#define KEYS 5u
#define COMMITS 60u
#define LENGTH 8000u	/* of a value: a new log is begun after some transactions */

static int file = -1, copy = -1;
static atomic_uint answered, meant;	/* numbers of transactions */
static unsigned calls;
static bool no_holes;	/* the file system cannot make any */

ssize_t __real_pwrite64(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at);
int __real_ftruncate64(int fd, off_t n);
int __wrap_ftruncate64(int fd, off_t n);
int __real_fallocate64(int fd, int mode, off_t at, off_t n);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t n);

/* All keys must have the value of the same transaction; which one? */
static unsigned number_of(struct journal *j)
{
	unsigned number = 0, i;
	const char *value;
	char key[16];
	size_t len;

	for (i = 0; i < KEYS; i++) {
		snprintf(key, sizeof(key), "key/%u", i);
		value = journal_get(j, key, &len);
		if (!i)
			number = value ? (unsigned)atoi(value) : 0;
		else
			assert_int_equal(number, value ? (unsigned)atoi(value) : 0);
	}
	return number;
}

static void copy_file(void)
{
	size_t n;
	uint8_t *bytes = journals_bytes(file, &n);

	assert_int_equal(__real_ftruncate64(copy, 0), 0);
	assert_int_equal(__real_pwrite64(copy, bytes, n, 0), n);
	free(bytes);
}

/* What a process would find that is started now. */
static void look(void)
{
	int was = file;
	struct journal *j;

	copy_file();
	file = -1;
	j = journals_open(NULL, copy);
	assert_in_range(number_of(j), answered, meant);
	assert_null(journal_get(j, "ghost", NULL));
	journal_close(j);
	file = was;
	calls++;
}

ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at)
{
	size_t half = n / 2;

	if (fd != file)
		return __real_pwrite64(fd, p, n, at);
	look();
	if (__real_pwrite64(fd, p, half, at) != (ssize_t)half)
		return -1;
	look();
	if (__real_pwrite64(fd, (const char *)p + half, n - half, at + (off_t)half) != (ssize_t)(n - half))
		return -1;
	look();
	return (ssize_t)n;
}

int __wrap_ftruncate64(int fd, off_t n)
{
	int r = __real_ftruncate64(fd, n);

	if (fd == file)
		look();
	return r;
}

int __wrap_fallocate64(int fd, int mode, off_t at, off_t n)
{
	int r = no_holes ? -1 : __real_fallocate64(fd, mode, at, n);

	if (no_holes)
		errno = EOPNOTSUPP;
	else if (fd == file)
		look();
	return r;
}

static void put_all(struct journal *j, unsigned number)
{
	char value[LENGTH + 1], key[16];
	unsigned i;

	memset(value, '.', LENGTH);
	value[LENGTH] = '\0';
	for (i = 0; i < KEYS; i++) {
		value[snprintf(value, LENGTH, "%u", number)] = '.';
		snprintf(key, sizeof(key), "key/%u", i);
		journals_put(j, key, value);
	}
}

static void set_all(struct journal *j, unsigned number)
{
	atomic_store(&meant, number);
	put_all(j, number);
	journals_commit(j);
	atomic_store(&answered, number);
	assert_int_equal(number_of(j), number);
}

static struct journal *open_file(int fd)
{
	struct journal *j;

	file = -1;
	j = journals_open(NULL, fd);
	file = fd;
	return j;
}

static void close_file(struct journal *j)
{
	file = -1;
	journal_close(j);
}

static void reopen(struct journal **j)
{
	int was = file;

	close_file(*j);
	*j = open_file(was);
	assert_int_equal(number_of(*j), answered);
}

/* The slot of a journal's current log is in one of two places. */
static bool in_first_slot(void)
{
	char word[4];

	assert_int_equal(pread(file, word, sizeof(word), 4096), sizeof(word));
	return memcmp(word, "slot", 4) == 0;
}

static void killed_at_each_call(void **state)
{
	struct journal *j;
	unsigned logs = 0, i;
	bool first = true;

	(void)state;
	copy = journals_memory();
	j = open_file(journals_memory());
	for (i = 1; i <= COMMITS; i++) {
		set_all(j, i);
		logs += first != in_first_slot();
		first = in_first_slot();
		if (i % 7 == 0)
			reopen(&j);
	}
	assert_true(logs >= 4);
	assert_true(calls > 3 * COMMITS);
	close_file(j);
	close(copy);
}

/* Transactions after that of NUMBER, until a new log is begun. */
static void fill_log(struct journal *j, unsigned number)
{
	bool first = in_first_slot();

	atomic_store(&answered, number);
	while (in_first_slot() == first)
		set_all(j, ++number);
}

/* The last frame of the current log in BYTES, which ends at END. */
static struct journal_head last_frame(const uint8_t *bytes, size_t end)
{
	struct journal_head h = { .len = 0 };
	struct journal_slot s;
	size_t at;

	if (!journal_slot_get(bytes + JOURNAL_BLOCK, &s))
		assert_true(journal_slot_get(bytes + 2 * JOURNAL_BLOCK, &s));
	for (at = s.start; at < end; at += journal_frame_size(h.len))
		assert_true(journal_head_get(bytes + at, &h));
	return h;
}

/* What a log of the same number would have behind it that never became the current one: one more transaction. */
static void haunt(int fd, const uint8_t *bytes, size_t end)
{
	static const char key[] = "ghost";
	uint8_t frame[256] = { 0 }, *record = frame + JOURNAL_HEAD_SIZE;
	struct journal_head h = last_frame(bytes, end);

	h.number++;
	h.safe = 0;
	h.len = (uint32_t)journal_record_size(strlen(key), 0);
	journal_record_put(record, strlen(key), 0, false);
	memcpy(record + JOURNAL_RECORD_SIZE, "ghost\n\n", strlen(key) + 2);
	journal_head_put(frame, &h);
	assert_int_equal(pwrite(fd, frame, journal_frame_size(h.len), (off_t)end), journal_frame_size(h.len));
}

/*
 * A durable journal that was killed may leave a log in front of the current one that the disk did not have yet. The next one
 * that is begun has its number and its place; where it ends, none of the old transactions may follow.
 */
static void never_counts(void)
{
	int fd = journals_memory();
	struct journal *j = open_file(fd);
	uint8_t *before, *after;
	size_t n, end;
	unsigned number;

	copy = journals_memory();
	fill_log(j, 0);
	number = answered;
	close_file(j);
	before = journals_bytes(fd, &n);
	j = open_file(fd);
	fill_log(j, number);
	close_file(j);
	after = journals_bytes(fd, &end);
	assert_true(end < n);
	journals_fill(fd, before, n);
	haunt(fd, after, end);
	j = open_file(fd);
	fill_log(j, number);
	close_file(j);
	free(before);
	free(after);
	close(fd);
	close(copy);
}

static void log_that_never_counted_leaves_nothing(void **state)
{
	(void)state;
	never_counts();
	no_holes = true;
	never_counts();
	no_holes = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_each_call),
		cmocka_unit_test(log_that_never_counted_leaves_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("a killed process's journal", tests, NULL, NULL);
}
