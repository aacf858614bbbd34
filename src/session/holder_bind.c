/* SPDX-License-Identifier: BSD-2-Clause */
/* One piece of the machine, or of ours, shown somewhere else. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
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
