/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of block devices in /proc. By whatever path one is opened, the caller gets a file of our file system instead,
 * with our devices added. Nothing is mounted on /proc: otherwise the kernel would consider it partly covered, and not
 * allow programs to mount another one in a namespace of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fronts/fuse/dev_private.h"
#include "session/super.h"

#define PROC_ROOT_INODE 1
#define PROC_MOUNTS "mountinfo"

static const char *const proc_lists[SUPER_LISTS] = { "devices", "diskstats", "partitions" };

void super_proc_begin(struct super *s)
{
	struct stat st;

	s->lists = openat(s->io, "../proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < SUPER_LISTS; i++)
		s->list_is[i] = fstatat(s->proc, proc_lists[i], &st, 0) ? 0 : st.st_ino;
}

/* What P leads to, if that is on a proc file system: an O_PATH descriptor, or below 0. */
static int proc_open(const struct call *c, const struct call_path *p, struct stat *st)
{
	struct call_path again = *p;
	struct statfs fs;
	int fd = -1;

	again.opened = &fd;
	if (super_find(c, &again, st))
		return -1;
	if (!fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC)
		return fd;
	close(fd);
	return -1;
}

/*
 * A list that is the same for all processes is recognized by its inode number; on another file system that number is
 * another file's.
 */
static const char *proc_list(const struct call *c, const struct call_path *p, const struct stat *st)
{
	const char *name = NULL;
	struct stat same;
	int fd;

	for (size_t i = 0; i < SUPER_LISTS; i++)
		if (st->st_ino == c->s->list_is[i])
			name = proc_lists[i];
	fd = name ? proc_open(c, p, &same) : -1;
	if (fd < 0)
		return NULL;
	close(fd);
	return same.st_dev == st->st_dev && same.st_ino == st->st_ino ? name : NULL;
}

static const char *proc_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* By its name, or by what a link leads to; programs that examine many processes open many other files of /proc. */
static bool proc_may_be_mounts(const struct call *c, const struct call_path *p)
{
	struct call_path link = *p;
	struct stat st;

	link.flags |= O_NOFOLLOW;
	return !strcmp(proc_last(p->path), PROC_MOUNTS) || (!super_find(c, &link, &st) && S_ISLNK(st.st_mode));
}

/* The kernel's list of the mounts that the caller itself sees: a descriptor, or below 0. */
static int proc_own_mounts(const struct call *c, bool thread)
{
	char path[64];

	snprintf(path, sizeof(path), "%u/" PROC_MOUNTS, (unsigned)(thread ? (pid_t)c->req.pid : target_process(c)));
	return openat(c->s->proc, path, O_RDONLY | O_CLOEXEC);
}

/*
 * The kernel's list to which the path leads; a descriptor, or below 0. When we follow /proc/self, it leads to our own;
 * the caller meant its own, unless it used our process number.
 */
static int proc_mounts_at(const struct call *c, const struct call_path *p, int at)
{
	char link[40], to[4096], ours[32];
	ssize_t n;

	snprintf(link, sizeof(link), "self/fd/%d", at);
	n = readlinkat(c->s->proc, link, to, sizeof(to) - 1);
	to[n < 0 ? 0 : n] = '\0';
	if (strcmp(proc_last(to), PROC_MOUNTS))
		return -1;
	snprintf(ours, sizeof(ours), "/%d/", (int)getpid());
	if (strstr(to, ours) && !strstr(p->path, ours + 1))
		return proc_own_mounts(c, strstr(to, "/task/"));
	return openat(c->s->proc, link, O_RDONLY | O_CLOEXEC);
}

/* In a /proc of another process namespace, /proc/self does not exist for us. */
static int proc_mounts_of_self(const struct call *c, const struct call_path *p)
{
	static const char *const own[] = { "thread-self/" PROC_MOUNTS, "self/" PROC_MOUNTS };
	struct call_path root = *p;
	size_t n = strlen(p->path), len = 0, i;
	struct stat st;
	int fd;

	for (i = 0; i < 2; i++) {
		len = strlen(own[i]);
		if (n >= len && !strcmp(p->path + n - len, own[i]) && (n == len || p->path[n - len - 1] == '/'))
			break;
	}
	if (i == 2)
		return -1;
	strcpy(root.path + n - len, n == len ? "." : "");
	root.flags = 0;
	fd = proc_open(c, &root, &st);
	if (fd < 0)
		return -1;
	close(fd);
	return st.st_ino == PROC_ROOT_INODE ? proc_own_mounts(c, !i) : -1;
}

static int proc_mounts(const struct call *c, const struct call_path *p)
{
	struct stat st;
	int at = proc_open(c, p, &st), fd = at < 0 ? -1 : proc_mounts_at(c, p, at);

	if (at >= 0)
		close(at);
	return fd;
}

/* MOUNTS, which is closed, is the list that ours is to show; or -1. */
static void proc_answer(struct call *c, const char *name, int mounts, uint64_t flags)
{
	int fd = openat(c->s->lists, name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && mounts >= 0 && ioctl(fd, DMUSE_IOC_MOUNTS, &mounts)) {
		close(fd);	/* the kernel's own list is opened then */
		fd = -1;
	}
	if (mounts >= 0)
		close(mounts);
	if (fd >= 0)
		call_inject(c, fd, flags);
}

/* Files of /proc have size 0 and are not on a disk. */
static bool proc_likely(const struct call *c, const struct stat *st)
{
	return S_ISREG(st->st_mode) && !st->st_size && !major(st->st_dev) && st->st_dev != c->s->view;
}

void super_proc(struct call *c, const struct call_path *p, const struct stat *st)
{
	const char *name;
	struct stat again;
	int mounts = -1;

	if ((p->flags & O_ACCMODE) != O_RDONLY || c->s->lists < 0 || !proc_likely(c, st))
		return;
	name = proc_list(c, p, st);
	/* In an ordinary user's session no device can be mounted. */
	if (!name && !c->s->user_namespace && proc_may_be_mounts(c, p) && (mounts = proc_mounts(c, p)) >= 0)
		name = PROC_MOUNTS;
	if (!name)
		return;
	if (!super_reach(c, p, R_OK, &again))
		proc_answer(c, name, mounts, p->flags);
	else if (mounts >= 0)
		close(mounts);
}

void super_proc_lost(struct call *c, const struct call_path *p)
{
	int mounts;

	if ((p->flags & O_ACCMODE) != O_RDONLY || c->s->lists < 0 || c->s->user_namespace)
		return;
	mounts = proc_mounts_of_self(c, p);
	if (mounts >= 0 && call_valid(c))
		proc_answer(c, PROC_MOUNTS, mounts, p->flags);
	else if (mounts >= 0)
		close(mounts);
}
