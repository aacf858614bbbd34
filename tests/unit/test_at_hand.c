/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files are opened without a helper thread: only those that the kernel's caches lead to, on a mount that is known. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/table/at_hand.h"
#include "support/temp.h"

static char directory[TEMP_PATH], path[TEMP_PATH + 8];
static int file = -1;
static char head[32768];	/* as much of it as an opening reads */

static unsigned learned_mount;

static void learn(unsigned mount)
{
	learned_mount = mount;
	dm_at_hand_learn(file, mount);
}

/* Is PATH at hand, and what was learned of its mount known, and the descriptor that of the file? */
static bool at_hand(const char *name, int caller)
{
	unsigned mount = 0;
	int fd = dm_at_hand(name, caller, &mount);
	struct stat a, b;

	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(file, &b), 0);
	assert_int_equal(mount, learned_mount);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	close(fd);
	return true;
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(temp_template(directory, "at-hand")))
		return -1;
	snprintf(path, sizeof(path), "%s/file", directory);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return file < 0 || write(file, head, sizeof(head)) != sizeof(head) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(file);
	unlink(path);
	return rmdir(directory);
}

static void test_a_mount_that_was_never_seen_is_not_at_hand(void **state)
{
	(void)state;
	assert_false(at_hand(path, 0));
}

/* False: the kernel (before Linux 6.8) does not tell mounts from later ones. */
static bool learned(void)
{
	learn(DM_MOUNT_LOCAL | DM_MOUNT_MEMORY | DM_MOUNT_SMOOTH);
	return at_hand(path, 0);
}

static void test_a_file_on_a_known_mount_is_at_hand(void **state)
{
	(void)state;
	if (!learned())
		skip();
	assert_true(at_hand(path, getpid()));
}

static void test_other_names_of_the_file_are_not(void **state)
{
	char name[2 * TEMP_PATH], target[TEMP_PATH + 8];

	(void)state;
	if (!learned())
		skip();
	snprintf(name, sizeof(name), "%s/./file", directory);
	assert_false(at_hand(name, 0));
	snprintf(name, sizeof(name), "%s/../%s/file", directory, strrchr(directory, '/') + 1);
	assert_false(at_hand(name, 0));
	snprintf(name, sizeof(name), "/%s", path);
	assert_false(at_hand(name, 0));
	snprintf(name, sizeof(name), "%s/", path);
	assert_false(at_hand(name, 0));
	assert_false(at_hand("file", 0));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	assert_false(at_hand(name, 0));
	snprintf(target, sizeof(target), "%s/link", directory);
	assert_int_equal(symlink(path, target), 0);
	assert_false(at_hand(target, 0));
	unlink(target);
}

static void test_only_regular_files_are(void **state)
{
	char name[TEMP_PATH + 16];

	(void)state;
	if (!learned())
		skip();
	assert_false(at_hand(directory, 0));
	snprintf(name, sizeof(name), "%s/fifo", directory);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_false(at_hand(name, 0));
	unlink(name);
	assert_false(at_hand("/dev/null", 0));
	snprintf(name, sizeof(name), "%s/not-there", directory);
	assert_false(at_hand(name, 0));
}

/* A process whose root is the test's directory: the same path is another file there. */
static void test_the_files_of_a_caller_with_another_root_are_not(void **state)
{
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	if (getuid() || !learned())
		skip();
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if (chroot(directory) || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_false(at_hand(path, pid));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(at_hand(path, pid));
	close(ready[0]);
	close(ready[1]);
}

/* On a file system with a disk the beginning of the file must be in memory, and without a partition table, which may go on anywhere. */
static void test_what_would_have_to_be_read_is_not(void **state)
{
	(void)state;
	if (!learned())
		skip();
	learn(DM_MOUNT_LOCAL | DM_MOUNT_HARDWARE);
	if (!at_hand(path, 0))
		skip();		/* it cannot be asked without reading */
	assert_int_equal(pwrite(file, "\x55\xaa", 2, 510), 2);
	assert_false(at_hand(path, 0));
	assert_int_equal(pwrite(file, "\0", 1, 511), 1);
	assert_true(at_hand(path, 0));
	assert_int_equal(fsync(file), 0);
	assert_int_equal(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_false(at_hand(path, 0));
	assert_int_equal(ftruncate(file, 512), 0);	/* shorter than what is read */
	assert_false(at_hand(path, 0));
}

static void test_the_oldest_mount_is_forgotten_only_for_another(void **state)
{
	unsigned i;

	(void)state;
	if (!learned())
		skip();
	for (i = 0; i < 1000; i++)
		learn(DM_MOUNT_LOCAL | DM_MOUNT_MEMORY | DM_MOUNT_SMOOTH);
	assert_true(at_hand(path, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mount_that_was_never_seen_is_not_at_hand),
		cmocka_unit_test(test_a_file_on_a_known_mount_is_at_hand),
		cmocka_unit_test(test_other_names_of_the_file_are_not),
		cmocka_unit_test(test_only_regular_files_are),
		cmocka_unit_test(test_the_files_of_a_caller_with_another_root_are_not),
		cmocka_unit_test(test_what_would_have_to_be_read_is_not),
		cmocka_unit_test(test_the_oldest_mount_is_forgotten_only_for_another),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
