/* SPDX-License-Identifier: BSD-2-Clause */
/* Our devices among the machine's in /sys and /proc, and folders that programs of a session share. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/holder.h"
#include "session/holder_parts.h"

#define SYS_OURS HOLDER_HIDDEN "/sys"

static void sys_one(const char *folder, int from, const char *name)
{
	char to[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	snprintf(to, sizeof(to), SYS_OURS "/%s/%s", folder, name);
	if (n >= 0) {
		target[n] = '\0';
		if (symlink(target, to))
			return;		/* one of ours has that name */
	} else if (!mkdir(to, 0755) && holder_bind(from, name, to)) {
		rmdir(to);
	}
}

/* The machine's entries of /sys/FOLDER go to ours, which then takes their place. */
static int sys_folder(const char *folder, struct err *e)
{
	char ours[64], theirs[64];
	struct dirent *entry;
	DIR *d;
	int r;

	snprintf(ours, sizeof(ours), SYS_OURS "/%s", folder);
	snprintf(theirs, sizeof(theirs), "/sys/%s", folder);
	d = opendir(theirs);
	if (!d)
		return 0;
	while ((entry = readdir(d)))
		if (*entry->d_name != '.' && strncmp(entry->d_name, "dm-", 3))
			sys_one(folder, dirfd(d), entry->d_name);
	closedir(d);
	r = holder_bind(AT_FDCWD, ours, theirs);
	return r ? err_set(e, r, "%s cannot be shown in a session: %s", theirs, strerror(-r)) : 0;
}

int holder_sys(struct err *e)
{
	static const char *const folders[] = { "dev/block", "block", "class/block", "devices/virtual/block" };
	size_t i;
	int r = 0;

	for (i = 0; !r && i < sizeof(folders) / sizeof(*folders); i++)
		r = sys_folder(folders[i], e);
	if (r)
		return r;
	r = holder_bind(AT_FDCWD, HOLDER_HIDDEN "/proc-devices", "/proc/devices");
	return r ? err_set(e, r, "/proc/devices cannot be shown in a session: %s", strerror(-r)) : 0;
}

static int run_tmpfs(const char *path, const char *mode, struct err *e)
{
	if (!mount("dmuse", path, "tmpfs", MS_NOSUID | MS_NODEV, mode))
		return 0;
	return err_set(e, -errno, "cannot mount a tmpfs on %s: %s", path, strerror(errno));
}

static int run_folder(const char *path, struct err *e)
{
	return mkdir(path, 0755) ? err_set(e, -errno, "cannot make %s: %s", path, strerror(errno)) : 0;
}

/*
 * What programs keep there is about the machine's devices. There is no udev for ours, and nobody is to wait for one; and
 * an ordinary user's cryptsetup needs a folder for its locks.
 */
static int run_hide(struct err *e)
{
	static const char *const folders[] = { "/run/udev", "/run/lvm", "/run/cryptsetup" };
	size_t i;
	int r = 0;

	for (i = 0; !r && i < sizeof(folders) / sizeof(*folders); i++)
		if (!access(folders[i], F_OK))
			r = run_tmpfs(folders[i], "mode=0700", e);
	return r;
}

int holder_run(struct err *e)
{
	int r = run_folder(HOLDER_RUN, e);

	if (!r)
		r = run_tmpfs(HOLDER_RUN, "mode=0755", e);
	if (!r)
		r = run_folder(HOLDER_LVM, e);
	if (!r)
		r = run_folder(HOLDER_RUN "/lock", e);
	return r ? r : run_hide(e);
}
