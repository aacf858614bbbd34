/* SPDX-License-Identifier: BSD-2-Clause */
/* Mounts a file or directory, the machine's or ours, on another path. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/holder_parts.h"

int holder_bind(int at, const char *from, const char *to)
{
	int tree = open_tree(at, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW), r;

	if (tree < 0)
		return -errno;
	r = move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) ? -errno : 0;
	close(tree);
	return r;
}

static int show_link(int at, const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(at, from, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlink(target, to) ? -errno : 0;
}

int holder_show(int at, const char *from, const char *to)
{
	struct stat st;
	int r;

	if (fstatat(at, from, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISLNK(st.st_mode))
		return show_link(at, from, to);
	if (S_ISDIR(st.st_mode) ? mkdir(to, 0755) : mknod(to, S_IFREG | 0600, 0))
		return -errno;
	r = holder_bind(at, from, to);
	if (r)
		remove(to);
	return r;
}
