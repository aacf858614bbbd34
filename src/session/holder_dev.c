/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's /dev in ours: links are copied; everything else is bind-mounted on nodes that are created for it. What
 * belongs to the machine's own device-mapper is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/feature.h"
#include "session/holder.h"
#include "session/holder_parts.h"

/* The kernel looks for pts in the directory of the node that is opened, and a node that is mounted alone has none. */
static int dev_terminals(const char *to)
{
	return symlink(HOLDER_MACHINE "/ptmx", to) ? -errno : 0;
}

int holder_dev_add(int machine, const char *name)
{
	char to[NAME_MAX + 8];
	struct stat st;

	snprintf(to, sizeof(to), "/dev/%s", name);
	if (fstatat(machine, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2))
		return dev_terminals(to);
	return holder_show(machine, name, to);
}

bool holder_is_ours(const char *name)
{
	return !strncmp(name, "dm-", 3) || (!strncmp(name, "loop", 4) && !access(HOLDER_LOOP_CONTROL, F_OK));
}

bool holder_dev_wanted(const char *name)
{
	return strcmp(name, ".") && strcmp(name, "..") && strcmp(name, "mapper") && strcmp(name, "block") && strcmp(name, ".dmuse") &&
	       !holder_is_ours(name);
}

void holder_dev_remove(const char *name)
{
	char path[NAME_MAX + 8];

	snprintf(path, sizeof(path), "/dev/%s", name);
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	remove(path);
}

/* An entry that cannot be shown (it may just have been removed) does not make the session fail. */
static void dev_all(DIR *d)
{
	struct dirent *entry;

	while ((entry = readdir(d)))
		if (holder_dev_wanted(entry->d_name))
			holder_dev_add(dirfd(d), entry->d_name);
}

int holder_keep(struct holder_machine *m, struct err *e)
{
	m->dir = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	m->copy = open_tree(AT_FDCWD, "/dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (m->dir < 0 || m->copy < 0)
		return err_set(e, -errno, "cannot clone the machine's /dev: %s", strerror(errno));
	holder_follow_begin(m);
	return 0;
}

int holder_dev(const struct holder_machine *m, struct err *e)
{
	int fd = openat(m->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return err_set(e, -errno, "cannot read /dev: %s", strerror(errno));
	dev_all(d);
	closedir(d);
	holder_numbers(m->dir);
	if (strcmp(feature_fuse_device(), "/dev/fuse"))
		holder_bind(AT_FDCWD, feature_fuse_device(), "/dev/fuse");
	if (access("/dev/null", F_OK))
		return err_set(e, -errno, "the machine's /dev cannot be shown in a session: %s", strerror(errno));
	if (mkdir(HOLDER_MACHINE, 0755) || move_mount(m->copy, "", AT_FDCWD, HOLDER_MACHINE, MOVE_MOUNT_F_EMPTY_PATH))
		return err_set(e, -errno, "the machine's /dev cannot be kept in a session: %s", strerror(errno));
	close(m->copy);
	return 0;
}
