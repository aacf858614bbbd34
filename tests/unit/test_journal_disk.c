/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Journals on disks that are full or fail, and without memory: a commit fails with a sentence and leaves all as it was,
 * what undoes a change has its space, and a journal that is durable says what is on the disk and what is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/loop.h"
#include "support/journals.h"
#include "support/place.h"

#define LONG 5000u

/* What fails, if it is above zero after that many successes. */
static atomic_int writes_left = -1, syncs_left = -1, memory_left = -1;
static atomic_uint syncs;

ssize_t __real_pwrite64(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(atomic_int *left)
{
	if (atomic_load(left) < 0)
		return false;
	if (atomic_load(left) == 0)
		return true;
	atomic_fetch_sub(left, 1);
	return false;
}

/* A disk that fails has written a part. */
ssize_t __wrap_pwrite64(int fd, const void *p, size_t n, off_t at)
{
	if (!fails(&writes_left))
		return __real_pwrite64(fd, p, n, at);
	if (n > 1 && __real_pwrite64(fd, p, n / 2, at) < 0)
		return -1;
	errno = EIO;
	return -1;
}

int __wrap_fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	if (!fails(&syncs_left))
		return __real_fdatasync(fd);
	errno = EIO;
	return -1;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails(&memory_left) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails(&memory_left) ? NULL : __real_realloc(p, size);
}

static void refused(struct journal *j, int code, const char *part)
{
	struct err e = ERR_INIT;

	assert_int_equal(journal_commit(j, &e), code);
	assert_int_equal(e.code, code);
	if (!strstr(e.text, part))
		fail_msg("'%s' does not say '%s'", e.text, part);
}

/* Puts LONG bytes, of which none are committed yet. */
static void put_long(struct journal *j, const char *key)
{
	static char value[LONG + 1];

	memset(value, 'l', LONG);
	journals_put(j, key, value);
}

static void failed_write_leaves_the_state_before_it(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;

	(void)state;
	place_path(path, "state");
	j = journals_open(path, -1);
	journals_set(j, "a", "1");
	atomic_store(&writes_left, 0);
	put_long(j, "a");
	put_long(j, "b");
	refused(j, -EIO, "the change cannot be recorded in ");
	journals_has(j, "a=1\n");
	atomic_store(&writes_left, -1);
	journals_set(j, "c", "2");
	journals_has(j, "a=1\nc=2\n");
	j = journals_again(j, path);
	journals_has(j, "a=1\nc=2\n");
	journal_remove(j);
}

/* And if no other comes, the part that was written is not taken for a transaction. */
static void nothing_of_a_failed_write_is_found_later(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;

	(void)state;
	place_path(path, "state");
	j = journals_open(path, -1);
	journals_set(j, "a", "1");
	atomic_store(&writes_left, 0);
	put_long(j, "a");
	refused(j, -EIO, "Input/output error");
	atomic_store(&writes_left, -1);
	j = journals_again(j, path);
	journals_has(j, "a=1\n");
	journal_remove(j);
}

/* With each number of allocations that succeed. */
static void without_memory_a_commit_fails_whole(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;
	struct err e;
	int left, r = -1;

	(void)state;
	place_path(path, "state");
	j = journals_open(path, -1);
	journals_set(j, "a", "1");
	for (left = 0; r; left++) {
		atomic_store(&memory_left, left);
		journals_put(j, "a", "2");
		put_long(j, "b");
		put_long(j, "c");
		r = journal_commit(j, &e);
		atomic_store(&memory_left, -1);
		if (r) {
			assert_int_equal(r, -ENOMEM);
			journals_has(j, "a=1\n");
		}
	}
	assert_true(left > 2);
	journal_drop(j, "b");
	journal_drop(j, "c");
	journals_commit(j);
	journals_has(j, "a=2\n");
	journal_remove(j);
}

static void without_memory_nothing_is_opened(void **state)
{
	const struct journal_opts o = { .path = "state", .fd = journals_memory() };
	struct journal *j = journals_open(NULL, o.fd);
	struct err e;
	int left, r = -1;

	(void)state;
	journals_set(j, "a", "1");
	journal_close(j);
	for (left = 0; r; left++) {
		atomic_store(&memory_left, left);
		r = journal_open(&j, &o, &e);
		atomic_store(&memory_left, -1);
		assert_true(!r || r == -ENOMEM);
	}
	assert_true(left > 1);
	journals_has(j, "a=1\n");
	journal_close(j);
	close(o.fd);
}

/* The disk is filled to the last byte by somebody else. */
static void full_disk_refuses_changes_but_what_undoes_them(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;
	struct err e;
	unsigned i;

	(void)state;
	if (!place_tmpfs("small", 1 << 20))
		skip();
	place_path(path, "small/state");
	j = journals_open(path, -1);
	journals_set(j, "a", "before");
	place_run("head -c 2M /dev/zero >small/fill");
	for (i = 0; i < 100; i++) {
		put_long(j, "a");
		if (journal_commit(j, &e))
			break;
	}
	assert_in_range(i, 1, 99);
	assert_int_equal(e.code, -ENOSPC);
	assert_non_null(strstr(e.text, "No space left on device"));
	journals_put(j, "a", "undone");
	assert_int_equal(journal_commit_undo(j, &e), 0);
	put_long(j, "b");
	refused(j, -ENOSPC, "cannot be recorded");
	journals_has(j, "a=undone\n");
	j = journals_again(j, path);
	journals_has(j, "a=undone\n");
	place_run("rm small/fill");
	journals_set(j, "b", "there is room");
	j = journals_again(j, path);
	journals_has(j, "a=undone\nb=there is room\n");
	journal_close(j);
	place_tmpfs_end("small");
}

static void limit_on_the_size_of_files_refuses_changes(void **state)
{
	struct rlimit all, little = { .rlim_cur = 200 << 10 };
	char path[PLACE_PATH];
	struct journal *j;
	struct err e;
	unsigned i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	little.rlim_max = all.rlim_max;
	place_path(path, "state");
	j = journals_open(path, -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	for (i = 0; i < 100; i++) {
		put_long(j, "a");
		if (journal_commit(j, &e))
			break;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_in_range(i, 1, 99);
	assert_int_equal(e.code, -EFBIG);
	journal_drop(j, "a");
	journals_set(j, "b", "1");
	journals_has(j, "b=1\n");
	journal_remove(j);
}

/* --- durable -------------------------------------------------------------------------------------------------------- */

struct waiter {
	struct journal_wait w;
	unsigned told;
};

static void waiter_told(struct loop_msg *msg)
{
	container(msg, struct waiter, w.msg)->told++;
}

static struct journal *open_durable(const char *path, struct loop **l)
{
	struct journal_opts o = { .path = path, .fd = -1, .durable = true };
	struct journal *j;
	struct err e = ERR_INIT;

	if (loop_new(l, &e))
		fail_msg("%s", e.text);
	o.loop = *l;
	if (journal_open(&j, &o, &e))
		fail_msg("%s", e.text);
	return j;
}

/* Commits, and waits for the disk; what it has answered. */
static int set_durably(struct journal *j, struct loop *l, const char *key, const char *value)
{
	struct waiter w = { .w.msg.run = waiter_told };

	journals_set(j, key, value);
	assert_true(journal_sync(j, &w.w));
	while (!w.told)
		loop_turn(l, -1);
	return w.w.code;
}

static void one_wait_for_the_disk_is_enough_for_many(void **state)
{
	struct waiter w[100];
	char path[PLACE_PATH], key[16];
	struct journal *j;
	struct loop *l;
	unsigned i;

	(void)state;
	place_path(path, "state");
	j = open_durable(path, &l);
	atomic_store(&syncs, 0);
	memset(w, 0, sizeof(w));
	for (i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "key/%u", i);
		journals_set(j, key, "value");
		w[i].w.msg.run = waiter_told;
		assert_true(journal_sync(j, &w[i].w));
	}
	for (i = 0; i < 100; i++) {
		while (!w[i].told)
			loop_turn(l, -1);
		assert_int_equal(w[i].w.code, 0);
	}
	assert_in_range(atomic_load(&syncs), 1, 100);
	journal_remove(j);
	loop_free(l);
}

static void one_that_is_not_durable_has_nothing_to_wait_for(void **state)
{
	struct waiter w = { .told = 0 };
	char path[PLACE_PATH];
	struct journal *j;
	struct err e;

	(void)state;
	place_path(path, "state");
	j = journals_open(path, -1);
	journals_set(j, "a", "1");
	assert_false(journal_sync(j, &w.w));
	assert_int_equal(journal_failed(j, &e), 0);
	journal_remove(j);
}

/* A second fdatasync(2) would say that all is well; what was written must be written anew. */
static void after_a_failed_wait_all_is_written_anew(void **state)
{
	char path[PLACE_PATH];
	struct journal *j;
	struct loop *l;
	struct stat before, after;
	struct err e;

	(void)state;
	place_path(path, "state");
	j = open_durable(path, &l);
	assert_int_equal(set_durably(j, l, "a", "1"), 0);
	atomic_store(&syncs_left, 0);
	assert_int_equal(set_durably(j, l, "a", "2"), -EIO);
	assert_int_equal(journal_failed(j, &e), -EIO);
	assert_non_null(strstr(e.text, "Input/output error"));
	assert_int_equal(set_durably(j, l, "a", "3"), -EIO);
	assert_int_equal(stat(path, &before), 0);
	atomic_store(&syncs_left, -1);
	assert_int_equal(set_durably(j, l, "a", "4"), 0);
	assert_int_equal(journal_failed(j, &e), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size > before.st_size);
	journals_has(j, "a=4\n");
	journal_close(j);
	loop_free(l);
	j = journals_open(path, -1);
	journals_has(j, "a=4\n");
	journal_remove(j);
}

/* Through many new logs, some of which fail at each of their steps. */
static void durable_logs_are_begun_while_it_is_written(void **state)
{
	static char value[60 << 10];
	char path[PLACE_PATH], got[64];
	unsigned i, failures = 0;
	struct journal *j;
	struct loop *l;
	struct stat st;
	size_t len;

	(void)state;
	place_path(path, "state");
	j = open_durable(path, &l);
	memset(value, '.', sizeof(value) - 1);
	for (i = 0; i < 200; i++) {
		value[snprintf(value, sizeof(value), "%u", i)] = '.';
		if (i % 10 == 9)
			atomic_store(&syncs_left, (int)(i / 10 % 4));
		failures += set_durably(j, l, "key", value) != 0;
		atomic_store(&syncs_left, -1);
		snprintf(got, sizeof(got), "%.20s", journal_get(j, "key", &len));
		assert_int_equal(atoi(got), i);
	}
	assert_true(failures > 4);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, 3 << 20);
	assert_int_equal(set_durably(j, l, "key", "the end"), 0);
	journal_close(j);
	loop_free(l);
	j = journals_open(path, -1);
	journals_has(j, "key=the end\n");
	journal_remove(j);
}

static int begin(void **state)
{
	(void)state;
	place_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	place_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_write_leaves_the_state_before_it),
		cmocka_unit_test(nothing_of_a_failed_write_is_found_later),
		cmocka_unit_test(without_memory_a_commit_fails_whole),
		cmocka_unit_test(without_memory_nothing_is_opened),
		cmocka_unit_test(full_disk_refuses_changes_but_what_undoes_them),
		cmocka_unit_test(limit_on_the_size_of_files_refuses_changes),
		cmocka_unit_test(one_wait_for_the_disk_is_enough_for_many),
		cmocka_unit_test(one_that_is_not_durable_has_nothing_to_wait_for),
		cmocka_unit_test(after_a_failed_wait_all_is_written_anew),
		cmocka_unit_test(durable_logs_are_begun_while_it_is_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("journals on disks that fail", tests, begin, end);
}
