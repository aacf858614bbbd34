/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets a device: nobody to whom the kernel would refuse it, if it had a driver for the node. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/supervised.h"

#define USER 1000
#define says supervised_says
#define refused supervised_refused
#define become supervised_become

/* Sets this process's effective and permitted capabilities. */
static bool only(uint64_t capabilities)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return false;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted &= (uint32_t)(capabilities >> 32 * i);
	return !syscall(SYS_capset, &head, data);
}

static bool closed(void)
{
	CHECK(says(open("private/disk", O_RDWR), "252:0"));
	CHECK(become(USER, 0, NULL));
	CHECK(says(open("open/disk", O_RDWR), "252:0"));
	CHECK(refused("private/disk", O_RDONLY, EACCES));
	CHECK(refused("private/control", O_RDWR, EACCES));
	CHECK(refused("private/../open/disk", O_RDONLY, EACCES));
	CHECK(refused("open/way-in", O_RDONLY, EACCES));
	CHECK(refused("group/disk", O_RDONLY, EACCES));
	CHECK(chdir("open") == 0 && refused("../private/disk", O_RDONLY, EACCES));
	CHECK(says(open("disk", O_RDONLY), "252:0"));
	return true;
}

static void a_directory_that_may_not_be_searched_is_closed(void **state)
{
	(void)state;
	supervised(closed);
}

static bool in_group(void)
{
	const gid_t groups[] = { 5, 6, 7 };

	CHECK(become(USER, 3, groups));
	CHECK(says(open("group/disk", O_RDONLY), "252:0"));
	CHECK(says(open("grouped", O_RDWR), "252:0"));
	return true;
}

static void all_groups_count(void **state)
{
	(void)state;
	supervised(in_group);
}

/* The user for file accesses and the effective capabilities count. */
static bool fine(void)
{
	CHECK(setfsuid(USER) == 0);
	CHECK(refused("private/disk", O_RDONLY, EACCES) && says(open("open/disk", O_RDONLY), "252:0"));
	CHECK(setfsuid(0) == USER);
	CHECK(says(open("theirs/disk", O_RDWR), "252:0"));
	CHECK(only(~0ULL & ~(1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH)));
	CHECK(refused("theirs/disk", O_RDONLY, EACCES) && says(open("private/disk", O_RDONLY), "252:0"));
	return true;
}

static bool searching(void)
{
	CHECK(!prctl(PR_SET_KEEPCAPS, 1) && become(USER, 0, NULL));
	CHECK(refused("private/disk", O_RDONLY, EACCES));
	CHECK(only(1ULL << CAP_DAC_READ_SEARCH));
	CHECK(says(open("private/disk", O_RDWR), "252:0"));
	CHECK(says(open("disk", O_RDONLY), "252:0") && refused("disk", O_WRONLY, EACCES));
	return true;
}

static void rights_are_those_of_the_moment(void **state)
{
	(void)state;
	supervised(fine);
	supervised(searching);
}

/* All capabilities there give no access to files here. */
static bool namespaced(void)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(refused("theirs/disk", O_RDONLY, EACCES));
	CHECK(says(open("private/disk", O_RDWR), "252:0"));	/* it is still root's */
	return true;
}

static void capabilities_of_another_user_namespace_do_not_count(void **state)
{
	(void)state;
	supervised(namespaced);
}

static bool links(void)
{
	char path[64];
	int disk = open("private/disk", O_PATH), closed_one = open("disk", O_PATH), dir = open("private", O_PATH);
	pid_t root = getppid(), peer;

	CHECK(disk >= 0 && closed_one >= 0 && dir >= 0);
	snprintf(path, sizeof(path), "/proc/%d/cwd/open/disk", (int)root);
	CHECK(says(open(path, O_RDONLY), "252:0"));
	CHECK(become(USER, 0, NULL));
	CHECK(refused(path, O_RDONLY, EACCES));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk);
	CHECK(says(open(path, O_RDWR), "252:0"));		/* its owner has access */
	CHECK(refused(path, O_RDWR | O_NOFOLLOW, ELOOP));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/disk", dir);
	CHECK(refused(path, O_RDONLY, EACCES));
	snprintf(path, sizeof(path), "/dev/fd/%d", closed_one);
	CHECK(refused(path, O_RDONLY, EACCES));
	CHECK(openat(dir, "disk", O_RDONLY) < 0 && errno == EACCES);
	CHECK(says(open("/proc/self/cwd/open/disk", O_RDONLY), "252:0"));
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	peer = supervised_child();
	if (!peer)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)peer, disk);
	CHECK(says(open(path, O_RDWR), "252:0"));		/* another process of the same user */
	CHECK(kill(peer, SIGKILL) == 0 && supervised_status(peer) == 1000 + SIGKILL);
	return true;
}

static void links_in_proc_are_followed_by_the_caller(void **state)
{
	(void)state;
	supervised(links);
}

/* The kernel does not let anybody follow a link in a sticky directory that another user created there. */
static bool trap(void)
{
	FILE *f = fopen("/proc/sys/fs/protected_symlinks", "r");

	if (!f || fgetc(f) != '1')
		return true;
	CHECK(refused("sticky/link", O_RDONLY, EACCES));
	CHECK(become(USER, 0, NULL) && says(open("sticky/link", O_RDONLY), "252:0"));
	return true;
}

static void a_link_that_was_laid_out_is_not_followed(void **state)
{
	(void)state;
	supervised(trap);
}

/* Many concurrent callers with different rights are not confused. */
static bool mixed(void)
{
	for (uid_t i = 0; i < 8; i++)
		if (!supervised_child()) {
			bool may = i % 2 == 0;

			if (!may && !become(USER + i, 0, NULL))
				_exit(2);
			for (int n = 0; n < 200; n++) {
				if (says(open("private/disk", O_RDONLY), "252:0") != may)
					_exit(1);
				close(open("file", O_RDONLY));
			}
			_exit(0);
		}
	for (int i = 0; i < 8; i++)
		CHECK(supervised_status(-1) == 0);
	return true;
}

static void callers_are_told_apart(void **state)
{
	(void)state;
	supervised(mixed);
}

static int begin(void **state)
{
	int r = supervised_begin(state);

	if (r || !supervised_usable)
		return r;
	if (mkdir("open", 0755) || mkdir("private", 0700) || mkdir("group", 0750) || mkdir("theirs", 0700) || mkdir("sticky", 01777))
		return -1;
	if (!supervised_nodes("open") || !supervised_nodes("private") || !supervised_nodes("group") || !supervised_nodes("theirs") ||
	    symlink("../private/disk", "open/way-in"))
		return -1;
	return chown("group", 0, 6) || chown("theirs", USER, USER) || symlink("../open/disk", "sticky/link") ||
	       lchown("sticky/link", USER, USER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_that_may_not_be_searched_is_closed),
		cmocka_unit_test(all_groups_count),
		cmocka_unit_test(rights_are_those_of_the_moment),
		cmocka_unit_test(capabilities_of_another_user_namespace_do_not_count),
		cmocka_unit_test(links_in_proc_are_followed_by_the_caller),
		cmocka_unit_test(a_link_that_was_laid_out_is_not_followed),
		cmocka_unit_test(callers_are_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, supervised_end);
}
