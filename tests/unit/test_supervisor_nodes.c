/* SPDX-License-Identifier: BSD-2-Clause */
/* Where one of our nodes works: wherever the kernel lets nodes work, and nowhere else. */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/supervised.h"

#define USER 1000
#define DISK makedev(252, 0)
#define says supervised_says
#define refused supervised_refused
#define become supervised_become

/* LVM's test suite creates nodes in a directory of its own. */
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

/*
 * A file system that was mounted in a user namespace is nodev, although no flag says so. Root outside creates the node.
 */
static bool foreign_root(void)
{
	int go[2], up[2];
	char path[64], byte;
	pid_t child;

	CHECK(pipe(go) == 0 && pipe(up) == 0);
	child = supervised_child();
	if (!child) {
		close(go[1]);	/* so that the failure of the parent is noticed */
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

/* A file server that shows a disk and the control node, accessible to everybody. */
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

/* Nothing forbids nodes there, as when root mounts for others. */
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
	server = supervised_child();
	if (!server)
		show(fd);
	close(fd);
	CHECK(stat("sub/disk", &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == DISK);
	CHECK(!says(open("sub/disk", O_RDONLY), "252:0") && !says(open("sub/control", O_RDWR), "control"));
	if (!supervised_child())
		_exit(!become(USER, 0, NULL) || says(open("sub/disk", O_RDWR), "252:0") || says(open("sub/control", O_RDWR), "control"));
	CHECK(supervised_status(-1) == 0);
	return kill(server, SIGKILL) == 0 && supervised_status(server) == 1000 + SIGKILL;
}

static void a_node_that_a_file_server_shows_is_none(void **state)
{
	(void)state;
	supervised(shown);
}

static int begin(void **state)
{
	int r = supervised_begin(state);

	if (r || !supervised_usable)
		return r;
	if (mkdir("nodev", 0755) || mkdir("dev", 0755) || mount("none", "nodev", "tmpfs", MS_NODEV, "mode=755") ||
	    mount("none", "dev", "tmpfs", 0, "mode=755"))
		return -1;
	return supervised_nodes("nodev") && !mknod("dev/disk", S_IFBLK | 0666, DISK) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_of_ones_own_counts),
		cmocka_unit_test(a_node_where_nodes_do_not_count_is_none),
		cmocka_unit_test(mounts_of_a_user_namespace_have_no_nodes),
		cmocka_unit_test(a_node_that_a_file_server_shows_is_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, supervised_end);
}
