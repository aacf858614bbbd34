/* SPDX-License-Identifier: BSD-2-Clause */
/* See devnode.h. */
#include "base/devnode.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* The root of a new tmpfs, or -errno. It is gone with the last descriptor on it. */
static int devnode_root(void)
{
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC), fd;

	if (context < 0)
		return -errno;
	fd = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ? -1 : fsmount(context, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		fd = -errno;
	close(context);
	return fd;
}

int devnode_open(mode_t mode, dev_t number, int flags)
{
	int root = devnode_root(), fd;

	if (root < 0)
		return root;
	fd = mknodat(root, "node", mode | 0600, number) ? -1 : openat(root, "node", flags | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(root);
	return fd;
}
