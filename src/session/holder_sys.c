/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds our devices to the machine's in /sys. */
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
#define SYS_HOLDERS SYS_OURS "/holders"
#define SYS_WHOLE HOLDER_HIDDEN "/machine-sys"

static const char *const sys_directories[HOLDER_SYS_DIRECTORIES] = { "dev/block", "block", "class/block", "devices/virtual/block" };

static const char *sys_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* An entry that we have already stays. What is the machine's and would be ours is left out. */
static void sys_one(const char *base, const char *directory, int from, const char *name)
{
	char to[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	snprintf(to, sizeof(to), "%s/%s/%s", base, directory, name);
	target[n < 0 ? 0 : n] = '\0';
	if (holder_is_ours(sys_last(n < 0 ? name : target)))
		return;
	if (n >= 0) {
		if (symlink(target, to))
			return;
	} else if (!mkdir(to, 0755) && holder_bind(from, name, to)) {
		rmdir(to);
	}
}

static void sys_all(const char *base, const char *directory, int from)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (*entry->d_name != '.')
			sys_one(base, directory, dirfd(d), entry->d_name);
	if (d)
		closedir(d);
}

/* Adds the machine's entries of /sys/DIRECTORY to ours, which is then mounted in its place. */
static int sys_directory(const char *directory, int *kept, struct err *e)
{
	char ours[64], theirs[64];
	int r;

	snprintf(ours, sizeof(ours), SYS_OURS "/%s", directory);
	snprintf(theirs, sizeof(theirs), "/sys/%s", directory);
	*kept = open(theirs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*kept < 0)
		return 0;
	sys_all(SYS_OURS, directory, *kept);
	r = holder_bind(AT_FDCWD, ours, theirs);
	return r ? err_set(e, r, "%s cannot be shown in a session: %s", theirs, strerror(-r)) : 0;
}

static bool sys_is_dead(int dir, const struct dirent *entry)
{
	char uevent[NAME_MAX + 8];

	snprintf(uevent, sizeof(uevent), "%s/uevent", entry->d_name);
	return *entry->d_name != '.' && faccessat(dir, uevent, F_OK, 0);
}

/* Entries whose device is gone are the machine's: ours are removed with their devices. */
static void sys_prune(const char *directory)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "/sys/%s", directory);
	d = opendir(path);
	while (d && (entry = readdir(d)))
		if (sys_is_dead(dirfd(d), entry)) {
			snprintf(path, sizeof(path), "/sys/%s/%s", directory, entry->d_name);
			umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
			remove(path);
		}
	if (d)
		closedir(d);
}

/* The devices of a session that use one of the machine's: a directory of ours in place of the machine's. */
static void sys_holders_of(const char *number, dev_t ours)
{
	char from[64], to[64];
	struct stat st;

	snprintf(from, sizeof(from), SYS_HOLDERS "/%s", number);
	snprintf(to, sizeof(to), "/sys/dev/block/%s/holders", number);
	if (stat(to, &st) || st.st_dev == ours || (mkdir(from, 0755) && errno != EEXIST))
		return;
	holder_bind(AT_FDCWD, from, to);
}

/* NUMBERS: the machine's /sys/dev/block. What is ours has its own. */
static void sys_holders(int numbers)
{
	int fd = openat(numbers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d)))
		if (*entry->d_name != '.' && strlen(entry->d_name) < 32 && !stat(SYS_HOLDERS, &st))
			sys_holders_of(entry->d_name, st.st_dev);
	if (d)
		closedir(d);
}

void holder_sys_again(const struct holder_machine *m)
{
	size_t i;

	for (i = HOLDER_SYS_DIRECTORIES; i--;)
		if (m->sys[i] >= 0)
			sys_all("/sys", sys_directories[i], m->sys[i]);
	for (i = HOLDER_SYS_DIRECTORIES; i--;)
		if (m->sys[i] >= 0)
			sys_prune(sys_directories[i]);
	if (*m->sys >= 0)
		sys_holders(*m->sys);
}

/*
 * A program that creates namespaces of its own in a session may mount a sysfs there only if there is one of which
 * nothing is covered: so the machine's is kept aside as it is. One that is partly covered already (in a container) is
 * of no use, but does no harm.
 */
static int sys_whole(struct err *e)
{
	int r;

	if (access("/sys", F_OK))
		return 0;
	r = mkdir(SYS_WHOLE, 0755) ? -errno : holder_bind(AT_FDCWD, "/sys", SYS_WHOLE);
	return r ? err_set(e, r, "the machine's /sys cannot be kept in a session: %s", strerror(-r)) : 0;
}

int holder_sys(struct holder_machine *m, struct err *e)
{
	size_t i;
	int r = sys_whole(e);

	for (i = 0; !r && i < HOLDER_SYS_DIRECTORIES; i++)
		r = sys_directory(sys_directories[i], &m->sys[i], e);
	if (!r && *m->sys >= 0)
		sys_holders(*m->sys);
	return r;
}
