/* SPDX-License-Identifier: BSD-2-Clause */
/* See at_hand.h. */
#include "core/table/at_hand.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef STATX_MNT_ID_UNIQUE	/* Linux 6.8 */
#define STATX_MNT_ID_UNIQUE 0x00004000u
#endif

#define MOUNTS 64u		/* that are remembered; another one takes the place of the oldest */
#define HEAD (32u * 1024u)	/* bytes of a file that an opening reads */

static struct mount {
	uint64_t id;		/* 0: none */
	unsigned is;		/* DM_MOUNT_... */
} mounts[MOUNTS];
static unsigned n_mounts;	/* that were learned, so far */
static pthread_mutex_t mounts_lock = PTHREAD_MUTEX_INITIALIZER;

/* The unique id of the mount that FD is on; 0: it has none, or FD is no regular file with a name. */
static uint64_t mount_id(int fd)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MNT_ID_UNIQUE, &x) ||
	    !(x.stx_mask & STATX_MNT_ID_UNIQUE) || !S_ISREG(x.stx_mode))
		return 0;
	return x.stx_mnt_id;
}

/* With the lock held. */
static struct mount *mount_find(uint64_t id)
{
	unsigned i;

	for (i = 0; i < MOUNTS; i++)
		if (mounts[i].id == id)
			return &mounts[i];
	return NULL;
}

void dm_at_hand_learn(int fd, unsigned mount)
{
	uint64_t id = mount_id(fd);
	struct mount *m;

	if (!id)
		return;
	pthread_mutex_lock(&mounts_lock);
	m = mount_find(id);
	if (!m)
		m = &mounts[n_mounts++ % MOUNTS];
	*m = (struct mount){ id, mount };
	pthread_mutex_unlock(&mounts_lock);
}

/* The root directory of a process: where paths begin, and in which mounts they lead on. */
struct root {
	uint64_t mount;		/* its unique id, which is of one mount in one namespace; 0: not known */
	uint64_t inode;
};

static struct root root_of(const char *link)
{
	struct statx x;

	if (statx(AT_FDCWD, link, AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID_UNIQUE, &x) || !(x.stx_mask & STATX_MNT_ID_UNIQUE))
		return (struct root){ 0 };
	return (struct root){ x.stx_mnt_id, x.stx_ino };
}

static struct root own;		/* of this process, which stays the same */

static void own_look(void)
{
	own = root_of("/proc/self/root");
}

/* The paths of the process, or thread, PID (0: of this one) are this process's. */
static bool sees_the_same(int pid)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct root theirs;
	char path[64];

	pthread_once(&once, own_look);
	if (!own.mount || !pid)
		return own.mount;
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	theirs = root_of(path);
	return theirs.mount == own.mount && theirs.inode == own.inode;
}

/* Without empty names, "." and "..": PATH is the file's name then, if there are no links in it. */
static bool is_plain(const char *path)
{
	const char *name;

	for (name = path; *name == '/'; name += strcspn(name, "/")) {
		size_t n = strcspn(++name, "/");

		if (!n || (n == 1 && *name == '.') || (n == 2 && !strncmp(name, "..", 2)))
			return false;
	}
	return name != path;
}

/* What an opening reads of FD is in the page cache. Not with a partition table, whose parts may be anywhere. */
static bool head_is_cached(int fd)
{
	char again[32], head[HEAD];
	struct iovec v = { head, sizeof(head) };
	ssize_t n = -1;
	int in;

	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	in = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (in >= 0) {
		n = preadv2(in, &v, 1, 0, RWF_NOWAIT);
		close(in);
	}
	return n == sizeof(head) && (head[510] != '\x55' || head[511] != '\xaa');
}

static bool is_at_hand(int fd, unsigned *mount)
{
	uint64_t id = mount_id(fd);
	struct mount *m, found = { 0 };

	pthread_mutex_lock(&mounts_lock);
	m = id ? mount_find(id) : NULL;
	if (m)
		found = *m;
	pthread_mutex_unlock(&mounts_lock);
	*mount = found.is;
	return found.id && ((found.is & DM_MOUNT_MEMORY) || head_is_cached(fd));
}

int dm_at_hand(const char *path, int caller, unsigned *mount)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS };
	int fd;

	if (!is_plain(path) || !sees_the_same(caller))
		return -1;
	fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd < 0 || is_at_hand(fd, mount))
		return fd < 0 ? -1 : fd;
	close(fd);
	return -1;
}
