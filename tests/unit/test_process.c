/* SPDX-License-Identifier: BSD-2-Clause */
/* Another process's memory and descriptors, by the system calls for that, and in containers where these are forbidden. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/process.h"

#define LONG_RUN 3	/* pages */
#define HOLE ((size_t)1 << 30)

static char word[] = "before";
static char *pages;	/* the last one is not mapped */

/* Another process with the same addresses, which waits to be killed. */
static pid_t other_begin(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void other_end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The rest of this process cannot use those system calls. */
static void forbid(void)
{
	static const int calls[] = { SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd) };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i], 0), 0);
	assert_int_equal(seccomp_load(ctx), 0);
	seccomp_release(ctx);
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void check_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char got[sizeof(word)] = "", run[LONG_RUN * 65536];
	pid_t pid = other_begin();
	int proc = open("/proc", O_PATH | O_DIRECTORY);

	assert_int_equal(process_peek(AT_FDCWD, pid, address(word), got, sizeof(got)), 0);
	assert_string_equal(got, "before");
	assert_int_equal(process_poke(proc, pid, address(word), "after!", sizeof(got)), 0);
	assert_string_equal(word, "before");
	assert_int_equal(process_peek(proc, pid, address(word), got, sizeof(got)), 0);
	assert_string_equal(got, "after!");
	assert_int_equal(process_peek(proc, pid, address(pages), run, LONG_RUN * page), -EFAULT);
	assert_int_equal(process_peek(proc, pid, address(pages), run, (LONG_RUN - 1) * page), 0);
	assert_int_equal(process_peek(proc, pid, 0, got, 1), -EFAULT);
	assert_int_equal(process_poke(proc, pid, 0, got, 1), -EFAULT);
	assert_int_equal(process_peek(proc, pid, UINT64_MAX - 1, got, 1), -EFAULT);
	close(proc);
	other_end(pid);
}

static void memory_is_reached(void **state)
{
	(void)state;
	check_memory();
}

/* Runs CHECK in a child: it succeeds if the child ends well. */
static void in_forbidden(void (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		setenv("CMOCKA_TEST_ABORT", "1", 1);	/* a failure ends this process */
		forbid();
		check();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void memory_is_reached_without_its_calls(void **state)
{
	(void)state;
	in_forbidden(check_memory);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Its writer has a position of its own, and would overwrite what we write. */
static void check_files(void)
{
	int there = memfd_create("there", 0), end = memfd_create("end", 0), copy;
	pid_t pid;

	assert_int_equal(fcntl(end, F_SETFL, O_APPEND), 0);
	pid = other_begin();
	assert_int_equal(process_fetch_or_open(AT_FDCWD, pid, there, O_WRONLY), -EPERM);
	copy = process_fetch_or_open(AT_FDCWD, pid, end, O_WRONLY);
	assert_true(copy >= 0 && same_file(copy, end));
	close(copy);
	other_end(pid);
}

/* A process gets nothing done by our rights that it could not do by its own descriptor. */
static void check_own_rights(void)
{
	int end = memfd_create("end", 0), ends[2], reads, path;
	char link[32];
	pid_t pid;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", end);
	reads = open(link, O_RDONLY | O_APPEND);
	path = open(link, O_PATH);
	assert_true(reads >= 0 && path >= 0);
	assert_int_equal(pipe(ends), 0);
	pid = other_begin();
	assert_int_equal(process_fetch_or_open(AT_FDCWD, pid, reads, O_WRONLY), -EPERM);
	assert_int_equal(process_fetch_or_open(AT_FDCWD, pid, path, O_RDONLY), -EPERM);
	assert_int_equal(process_fetch_or_open(AT_FDCWD, pid, ends[0], O_WRONLY), -EPERM);
	assert_int_equal(process_fetch_or_open(AT_FDCWD, pid, ends[1], O_RDONLY), -EPERM);
	path = process_fetch_or_open(AT_FDCWD, pid, reads, O_RDONLY);
	assert_true(path >= 0 && same_file(path, end));
	other_end(pid);
}

static void check_reopened(void)
{
	int ends[2], fd = open("/proc/self/status", O_RDONLY), null = open("/dev/null", O_RDWR), copy;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ends), 0);
	pid = other_begin();
	assert_int_equal(process_fetch(AT_FDCWD, pid, ends[1]), -EPERM);
	copy = process_fetch_or_open(AT_FDCWD, pid, ends[1], O_WRONLY);
	assert_true(copy >= 0 && same_file(copy, ends[1]));
	close(copy);
	copy = process_point(AT_FDCWD, pid, fd);
	assert_true(copy >= 0 && same_file(copy, fd) && read(copy, &c, 1) < 0);
	close(copy);
	/* What would behave differently if it was opened again is refused. */
	assert_int_equal(process_fetch_or_open(AT_FDCWD, pid, null, O_RDWR), -EPERM);
	other_end(pid);
	check_files();
}

static void descriptors_are_opened_again_where_copies_are_forbidden(void **state)
{
	(void)state;
	in_forbidden(check_reopened);
}

static void what_was_opened_for_reading_is_not_written_to(void **state)
{
	(void)state;
	in_forbidden(check_own_rights);
}

static void descriptors_are_copied(void **state)
{
	int ends[2], copy;
	pid_t pid;
	char c = 'x';

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = other_begin();
	copy = process_fetch(AT_FDCWD, pid, ends[1]);
	assert_true(copy >= 0 && same_file(copy, ends[1]));
	assert_int_equal(write(copy, &c, 1), 1);
	assert_int_equal(process_fetch(AT_FDCWD, pid, 9999), -EBADF);
	other_end(pid);
	close(copy);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_reached),
		cmocka_unit_test(memory_is_reached_without_its_calls),
		cmocka_unit_test(descriptors_are_copied),
		cmocka_unit_test(descriptors_are_opened_again_where_copies_are_forbidden),
		cmocka_unit_test(what_was_opened_for_reading_is_not_written_to),
	};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	/* New mappings are placed at the upper end of a hole, so nothing is mapped directly after the pages. */
	pages = mmap(NULL, HOLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pages == MAP_FAILED || munmap(pages + (LONG_RUN - 1) * page, HOLE - (LONG_RUN - 1) * page))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
