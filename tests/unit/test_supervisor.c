/* SPDX-License-Identifier: BSD-2-Clause */
/* The supervisor alone: what it answers, and how it starts and ends. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/supervisor.h"
#include "support/supervised.h"

static bool nodes(void)
{
	int fd;

	CHECK(supervised_says(open("control", O_RDWR), "control"));
	CHECK(supervised_says(open("disk", O_RDONLY), "252:0"));
	CHECK(supervised_says(open("ubd", O_RDWR | O_DIRECT), "98:16"));
	CHECK(open("none", O_RDWR) < 0 && errno == ENXIO);	/* a number of ours without a device */
	CHECK(supervised_says(open("file", O_RDWR), "file"));
	CHECK(open("nothing", O_RDWR) < 0 && errno == ENOENT);
	fd = open("disk", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	fd = open("disk", O_RDWR | O_APPEND | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && !(fcntl(fd, F_GETFL) & O_APPEND));
	CHECK(supervised_says(fd, "252:0"));
	CHECK(supervised_says(creat("disk", 0600) >= 0 ? open("disk", O_RDONLY) : -1, "252:0"));
	return true;
}

static void nodes_open_as_their_io_files(void **state)
{
	(void)state;
	supervised(nodes);
}

static bool paths(void)
{
	char name[600];
	int dir = open(".", O_PATH | O_DIRECTORY), fd;

	CHECK(dir >= 0);
	snprintf(name, sizeof(name), "%s/./sub/../disk", supervised_place);
	CHECK(supervised_says(open(name, O_RDONLY), "252:0"));
	CHECK(supervised_says(openat(dir, "sub/link", O_RDONLY), "252:0"));
	CHECK(open("sub/link", O_RDONLY | O_NOFOLLOW) < 0 && errno == ELOOP);
	CHECK(open("disk", O_RDONLY | O_DIRECTORY) < 0 && errno == ENOTDIR);
	CHECK(open("disk", O_RDWR | O_CREAT | O_EXCL, 0600) < 0 && errno == EEXIST);
	CHECK(chdir("sub") == 0 && supervised_says(open("../disk", O_RDONLY), "252:0") && chdir("..") == 0);
	fd = open("disk", O_PATH);
	CHECK(fd >= 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK(supervised_says(open(name, O_RDONLY), "252:0"));
	snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", fd);
	CHECK(supervised_says(open(name, O_RDONLY), "252:0"));
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	CHECK(supervised_says(open(name, O_RDONLY), "252:0"));
	snprintf(name, sizeof(name), "/proc/self/cwd/disk");
	CHECK(supervised_says(open(name, O_RDONLY), "252:0"));
	fd = openat(dir, ".", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(syscall(SYS_openat, AT_FDCWD, (char *)8, O_RDONLY) < 0 && errno == EFAULT);
	return true;
}

static void paths_are_the_callers(void **state)
{
	(void)state;
	supervised(paths);
}

/* A path that ends at the end of its page. */
static bool page_end(void)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(two != MAP_FAILED && munmap(two + 4096, 4096) == 0);
	strcpy(two + 4096 - sizeof("disk"), "disk");
	CHECK(supervised_says(open(two + 4096 - sizeof("disk"), O_RDONLY), "252:0"));
	memset(two, 'x', 4096);
	CHECK(open(two + 8, O_RDONLY) < 0 && errno == EFAULT);
	return true;
}

static void a_path_may_end_with_its_page(void **state)
{
	(void)state;
	supervised(page_end);
}

static int open2(int at, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
}

static bool resolve(void)
{
	int dir = open(".", O_PATH | O_DIRECTORY);

	CHECK(supervised_says(open2(dir, "disk", O_RDWR, 0), "252:0"));
	CHECK(supervised_says(open2(dir, "/disk", O_RDWR, RESOLVE_IN_ROOT), "252:0"));
	CHECK(supervised_says(open2(dir, "sub/../disk", O_RDWR, RESOLVE_BENEATH), "252:0"));
	CHECK(open2(dir, "/disk", O_RDWR, RESOLVE_BENEATH) < 0 && errno == EXDEV);
	CHECK(open2(dir, "sub/link", O_RDWR, RESOLVE_NO_SYMLINKS) < 0 && errno == ELOOP);
	CHECK(open2(dir, "disk", O_RDWR, 1ULL << 60) < 0 && errno == EINVAL);
	CHECK(syscall(SYS_openat2, dir, "disk", NULL, sizeof(struct open_how)) < 0 && errno == EFAULT);
	CHECK(syscall(SYS_openat2, dir, "disk", NULL, 8) < 0 && errno == EINVAL);
	return true;
}

static void openat2_resolves_as_it_is_told(void **state)
{
	(void)state;
	supervised(resolve);
}

static bool elsewhere(void)
{
	CHECK(chroot("sub") == 0 && chdir("/") == 0);
	CHECK(open("/disk", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(supervised_says(open("/inner", O_RDONLY), "252:0"));
	CHECK(supervised_says(open("/../inner", O_RDONLY), "252:0"));
	CHECK(supervised_says(open("link", O_RDONLY), "252:0") == false && errno == ENOENT);	/* ../disk is outside */
	return true;
}

static void a_changed_root_is_the_callers(void **state)
{
	(void)state;
	supervised(elsewhere);
}

static bool namespace(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount("disk", "file", NULL, MS_BIND, NULL) == 0);
	CHECK(supervised_says(open("file", O_RDONLY), "252:0"));
	return true;
}

static void a_mount_namespace_is_the_callers(void **state)
{
	(void)state;
	supervised(namespace);
}

static bool rights(void)
{
	const gid_t groups[] = { 7, 6 };

	CHECK(setgroups(2, groups) == 0 && setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK(open("control", O_RDWR) < 0 && errno == EACCES);
	CHECK(supervised_says(open("grouped", O_RDWR), "252:0"));
	CHECK(open("disk", O_RDONLY) < 0 && errno == EACCES);
	CHECK(supervised_says(open("readable", O_RDONLY), "252:0"));
	CHECK(open("readable", O_RDWR) < 0 && errno == EACCES);
	CHECK(open("readable", O_RDONLY | O_TRUNC) < 0 && errno == EACCES);
	CHECK(open("readable", O_RDONLY | O_NOATIME) < 0 && errno == EPERM);
	return true;
}

static void a_node_asks_for_its_rights(void **state)
{
	(void)state;
	supervised(rights);
}

static void *thread_opens(void *arg)
{
	*(bool *)arg = supervised_says(open("disk", O_RDONLY), "252:0");
	return NULL;
}

static void *thread_alone(void *arg)
{
	if (!unshare(CLONE_FILES | CLONE_FS) && !chdir("sub"))
		*(bool *)arg = supervised_says(open("../disk", O_RDONLY), "252:0");
	return NULL;
}

/* The last thread continues when the first thread of the process is gone. */
static void *thread_last(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	_exit(supervised_says(open("disk", O_RDONLY), "252:0") ? 0 : 1);
}

static bool threads(void)
{
	static pthread_t t[3], self;
	bool good[2] = { false };
	pid_t child;

	CHECK(!pthread_create(&t[0], NULL, thread_opens, &good[0]) && !pthread_create(&t[1], NULL, thread_alone, &good[1]));
	CHECK(!pthread_join(t[0], NULL) && !pthread_join(t[1], NULL));
	CHECK(good[0] && good[1]);
	child = vfork();
	if (!child)
		_exit(syscall(SYS_openat, AT_FDCWD, "disk", O_RDONLY) >= 0 ? 0 : 1);
	CHECK(supervised_status(child) == 0);
	self = pthread_self();
	CHECK(!pthread_create(&t[2], NULL, thread_last, &self));
	pthread_exit(NULL);
}

static void threads_and_children_are_served(void **state)
{
	(void)state;
	supervised(threads);
}

static bool full(void)
{
	const struct rlimit few = { 3, 3 };

	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0 && close_range(3, ~0U, 0) == 0);
	CHECK(open("disk", O_RDONLY) < 0 && errno == EMFILE);
	return true;
}

static void a_full_table_of_descriptors_is_told(void **state)
{
	(void)state;
	supervised(full);
}

static bool other_calls(void)
{
	struct stat a, b;
	struct statx x;
	int fd = open("file", O_RDONLY);

	CHECK(fstat(fd, &a) == 0 && stat("file", &b) == 0 && a.st_ino == b.st_ino && S_ISREG(a.st_mode));
	CHECK(fstatat(AT_FDCWD, "disk", &a, AT_EMPTY_PATH) == 0 && S_ISBLK(a.st_mode));
	CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x) == 0 && x.stx_ino == b.st_ino);
	CHECK(fstat(99, &a) < 0 && errno == EBADF);
	CHECK(mount("none", "nowhere", "tmpfs", 0, NULL) < 0 && errno == ENOENT);
	CHECK(supervisor_filter() == -EBUSY);
	return true;
}

static void other_calls_go_their_way(void **state)
{
	(void)state;
	supervised(other_calls);
}

static void *thread_kills(void *arg)
{
	for (int i = 0; i < 200; i++)
		close(open(arg, O_RDONLY));
	return NULL;
}

/* Children that die in the middle of calls. */
static bool deaths(void)
{
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();

		if (!child)
			for (;;)
				thread_kills("disk");
		CHECK(supervised_says(open("disk", O_RDONLY), "252:0"));
		CHECK(kill(child, SIGKILL) == 0 && supervised_status(child) == 1000 + SIGKILL);
	}
	CHECK(supervised_says(open("disk", O_RDONLY), "252:0"));
	return true;
}

static void callers_may_die_at_any_time(void **state)
{
	(void)state;
	supervised(deaths);
}

/* A file server that never answers, and callers that wait for it. The last one makes the thread hang that took over. */
static bool in_sys(void)
{
	int dir = open("/sys/kernel", O_PATH | O_DIRECTORY);
	char out[300];

	snprintf(out, sizeof(out), "../..%s/disk", supervised_place);
	CHECK(open("/sys/kernel/inner", O_RDONLY) < 0 && errno == ENXIO);
	CHECK(openat(dir, "inner", O_RDONLY) < 0 && errno == ENXIO);
	CHECK(supervised_says(openat(dir, out, O_RDONLY), "252:0"));
	CHECK(chdir("/sys/kernel") == 0 && open("inner", O_RDONLY) < 0 && errno == ENXIO);
	CHECK(supervised_says(open(out, O_RDONLY), "252:0"));
	return true;
}

/* The supervisor does not look paths up there: a node would be left to the kernel. */
static void what_is_in_sys_is_left_alone(void **state)
{
	(void)state;
	if (!supervised_usable || mount("sub", "/sys/kernel", NULL, MS_BIND, NULL))
		skip();
	supervised(in_sys);
	assert_int_equal(umount2("/sys/kernel", MNT_DETACH), 0);
}

static bool hanging(void)
{
	int server = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	pid_t child[3];
	char options[99];

	if (server < 0)
		return true;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=0,group_id=0", server);
	CHECK(unshare(CLONE_NEWNS) == 0 && mount("none", "sub", "fuse", 0, options) == 0);
	for (int i = 0; i < 3; i++) {
		child[i] = fork();
		if (!child[i])
			_exit(open("sub/hung", O_RDONLY) < 0);
	}
	for (int i = 0; i < 100; i++) {
		CHECK(supervised_says(open("disk", O_RDONLY), "252:0"));
		usleep(500);
	}
	for (int i = 0; i < 3; i++)
		CHECK(kill(child[i], SIGKILL) == 0 && supervised_status(child[i]) == 1000 + SIGKILL);
	CHECK(supervised_says(open("disk", O_RDONLY), "252:0"));
	return close(server) == 0;
}

static void a_call_that_hangs_stops_nobody(void **state)
{
	(void)state;
	supervised(hanging);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_open_as_their_io_files),
		cmocka_unit_test(paths_are_the_callers),
		cmocka_unit_test(a_path_may_end_with_its_page),
		cmocka_unit_test(openat2_resolves_as_it_is_told),
		cmocka_unit_test(a_changed_root_is_the_callers),
		cmocka_unit_test(a_mount_namespace_is_the_callers),
		cmocka_unit_test(a_node_asks_for_its_rights),
		cmocka_unit_test(threads_and_children_are_served),
		cmocka_unit_test(a_full_table_of_descriptors_is_told),
		cmocka_unit_test(other_calls_go_their_way),
		cmocka_unit_test(callers_may_die_at_any_time),
		cmocka_unit_test(what_is_in_sys_is_left_alone),
		cmocka_unit_test(a_call_that_hangs_stops_nobody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, supervised_begin, supervised_end);
}
