/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is given a device: nobody whom the kernel would not give it, had it a driver for the node. */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <grp.h>
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
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/supervised.h"

#define USER 1000
#define DISK makedev(252, 0)
#define says supervised_says

/* PATH cannot be opened: ERROR. */
static bool refused(const char *path, int flags, int error)
{
	int fd = open(path, flags);

	if (fd < 0 && errno == error)
		return true;
	fprintf(stderr, "# %s: %s\n", path, fd < 0 ? strerror(errno) : "it was opened");
	return false;
}

static bool become(uid_t uid, size_t n, const gid_t *groups)
{
	return !setgroups(n, groups) && !setresgid(uid, uid, uid) && !setresuid(uid, uid, uid) && !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* This process's effective and permitted capabilities. */
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

/* What counts is the user of file accesses, and the capabilities that are effective. */
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

/* All capabilities there say nothing of files here. */
static bool namespaced(void)
{
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(refused("theirs/disk", O_RDONLY, EACCES));
	CHECK(says(open("private/disk", O_RDWR), "252:0"));	/* it is root's still */
	return true;
}

static void capabilities_of_another_user_namespace_do_not_count(void **state)
{
	(void)state;
	supervised(namespaced);
}

/* LVM's test suite makes nodes in a directory of its own. */
static bool made(void)
{
	CHECK(mknod("dev/made", S_IFBLK | 0666, DISK) == 0 && mknod("dev/control", S_IFCHR | 0600, makedev(10, 236)) == 0);
	CHECK(says(open("dev/made", O_RDWR | O_EXCL), "252:0") && says(open("dev/control", O_RDWR), "control"));
	CHECK(chown("dev/made", USER, USER) == 0 && says(open("dev/made", O_RDWR), "252:0"));
	CHECK(become(USER, 0, NULL) && says(open("dev/made", O_RDWR), "252:0") && refused("dev/control", O_RDWR, EACCES));
	CHECK(says(open("dev/made", O_RDWR | O_NOATIME), "252:0"));
	return true;
}

static void a_node_of_ones_own_counts(void **state)
{
	(void)state;
	supervised(made);
}

static bool nodev(void)
{
	CHECK(refused("nodev/disk", O_RDONLY, EACCES) && refused("nodev/control", O_RDWR, EACCES));
	CHECK(unshare(CLONE_NEWNS) == 0 && says(open("dev/disk", O_RDONLY), "252:0"));
	CHECK(mount("dev", "sub", NULL, MS_BIND, NULL) == 0 && says(open("sub/disk", O_RDONLY), "252:0"));
	CHECK(mount(NULL, "sub", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL) == 0 && refused("sub/disk", O_RDONLY, EACCES));
	CHECK(become(USER, 0, NULL) && refused("sub/disk", O_RDONLY, EACCES) && refused("nodev/disk", O_RDWR, EACCES));
	return true;
}

static void a_node_where_nodes_do_not_count_is_none(void **state)
{
	(void)state;
	supervised(nodev);
}

static bool maps(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return written;
}

/* A fork that does not outlive a test that fails. */
static pid_t child_new(void)
{
	pid_t child = fork();

	if (!child)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

/* A file system that was mounted in a user namespace is nodev, although no flag says so. Root outside makes the node. */
static bool foreign_root(void)
{
	int go[2], up[2];
	char path[64], byte;
	pid_t child;

	CHECK(pipe(go) == 0 && pipe(up) == 0);
	child = child_new();
	if (!child) {
		close(go[1]);	/* so that a parent that fails is noticed */
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || !maps("/proc/self/uid_map", "0 0 1") ||
		    !maps("/proc/self/setgroups", "deny") || !maps("/proc/self/gid_map", "0 0 1") || mount("none", "sub", "tmpfs", 0, NULL) || write(up[1], "", 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(!refused("sub/disk", O_RDONLY, EACCES));
	}
	close(go[0]);
	close(up[1]);
	CHECK(read(up[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/cwd/sub/disk", (int)child);
	CHECK(mknod(path, S_IFBLK | 0666, DISK) == 0 && chmod(path, 0666) == 0);
	CHECK(refused(path, O_RDONLY, EACCES));
	CHECK(write(go[1], "", 1) == 1 && supervised_status(child) == 0);
	return true;
}

static void mounts_of_a_user_namespace_have_no_nodes(void **state)
{
	(void)state;
	supervised(foreign_root);
}

static void show_stat(fuse_req_t req, fuse_ino_t ino, struct stat *st)
{
	(void)req;
	*st = (struct stat){ .st_ino = ino, .st_nlink = 1, .st_mode = S_IFDIR | 0755 };
	if (ino != FUSE_ROOT_ID) {
		st->st_mode = ino == 2 ? S_IFBLK | 0666 : S_IFCHR | 0666;
		st->st_rdev = ino == 2 ? DISK : makedev(10, 236);
	}
}

static void show_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	show_stat(req, ino, &st);
	fuse_reply_attr(req, &st, 1);
}

static void show_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e = { .ino = !strcmp(name, "disk") ? 2 : 3, .attr_timeout = 1, .entry_timeout = 1 };

	(void)parent;
	show_stat(req, e.ino, &e.attr);
	fuse_reply_entry(req, &e);
}

/* A file server that shows a disk and the control node, for everybody to open. */
static _Noreturn void show(int fd)
{
	static const struct fuse_lowlevel_ops ops = { .lookup = show_lookup, .getattr = show_getattr };
	struct fuse_args args = FUSE_ARGS_INIT(1, ((char *[]){ (char[]){ "show" }, NULL }));
	struct fuse_session *s = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	char place[32];

	snprintf(place, sizeof(place), "/dev/fd/%d", fd);
	if (s && !fuse_session_mount(s, place))
		fuse_session_loop(s);
	_exit(0);
}

/* Nothing forbids nodes there, as where root mounts for others. */
static bool shown(void)
{
	int fd = open("/dev/fuse", O_RDWR);
	struct stat st;
	char options[99];
	pid_t server;

	if (fd < 0)
		return true;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fd);
	CHECK(unshare(CLONE_NEWNS) == 0 && mount("none", "sub", "fuse", 0, options) == 0);
	server = child_new();
	if (!server)
		show(fd);
	close(fd);
	CHECK(stat("sub/disk", &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == DISK);
	CHECK(!says(open("sub/disk", O_RDONLY), "252:0") && !says(open("sub/control", O_RDWR), "control"));
	if (!child_new())
		_exit(!become(USER, 0, NULL) || says(open("sub/disk", O_RDWR), "252:0") || says(open("sub/control", O_RDWR), "control"));
	CHECK(supervised_status(-1) == 0);
	return kill(server, SIGKILL) == 0 && supervised_status(server) == 1000 + SIGKILL;
}

static void a_node_that_a_file_server_shows_is_none(void **state)
{
	(void)state;
	supervised(shown);
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
	CHECK(says(open(path, O_RDWR), "252:0"));		/* its owner has been there */
	CHECK(refused(path, O_RDWR | O_NOFOLLOW, ELOOP));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/disk", dir);
	CHECK(refused(path, O_RDONLY, EACCES));
	snprintf(path, sizeof(path), "/dev/fd/%d", closed_one);
	CHECK(refused(path, O_RDONLY, EACCES));
	CHECK(openat(dir, "disk", O_RDONLY) < 0 && errno == EACCES);
	CHECK(says(open("/proc/self/cwd/open/disk", O_RDONLY), "252:0"));
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	peer = child_new();
	if (!peer)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)peer, disk);
	CHECK(says(open(path, O_RDWR), "252:0"));		/* another of the same user */
	CHECK(kill(peer, SIGKILL) == 0 && supervised_status(peer) == 1000 + SIGKILL);
	return true;
}

static void links_in_proc_are_followed_by_the_caller(void **state)
{
	(void)state;
	supervised(links);
}

/* The kernel lets nobody follow a link in a sticky directory that somebody else put there for him. */
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

/* Many callers of different rights at once are not mixed up. */
static bool mixed(void)
{
	for (uid_t i = 0; i < 8; i++)
		if (!child_new()) {
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

static bool node_pair(const char *dir)
{
	char disk[40], control[40];

	snprintf(disk, sizeof(disk), "%s/disk", dir);
	snprintf(control, sizeof(control), "%s/control", dir);
	return !mknod(disk, S_IFBLK | 0666, DISK) && !mknod(control, S_IFCHR | 0666, makedev(10, 236));
}

static int begin(void **state)
{
	int r = supervised_begin(state);

	if (r || !supervised_usable)
		return r;
	if (mkdir("open", 0755) || mkdir("private", 0700) || mkdir("group", 0750) || mkdir("theirs", 0700) || mkdir("nodev", 0755) ||
	    mkdir("dev", 0755) || mkdir("sticky", 01777) || mount("none", "nodev", "tmpfs", MS_NODEV, "mode=755") ||
	    mount("none", "dev", "tmpfs", 0, "mode=755"))
		return -1;
	if (!node_pair("open") || !node_pair("private") || !node_pair("group") || !node_pair("theirs") || !node_pair("nodev") ||
	    mknod("dev/disk", S_IFBLK | 0666, DISK) || symlink("../private/disk", "open/way-in"))
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
		cmocka_unit_test(a_node_of_ones_own_counts),
		cmocka_unit_test(a_node_where_nodes_do_not_count_is_none),
		cmocka_unit_test(mounts_of_a_user_namespace_have_no_nodes),
		cmocka_unit_test(a_node_that_a_file_server_shows_is_none),
		cmocka_unit_test(links_in_proc_are_followed_by_the_caller),
		cmocka_unit_test(a_link_that_was_laid_out_is_not_followed),
		cmocka_unit_test(callers_are_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, supervised_end);
}
