/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds where a path of a caller's leads, quickly: from its root and directory, but with our own rights. This only
 * decides whether the path may be one of our nodes, which it hardly ever is; super_reach() then decides for certain.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/world.h"
#include "fronts/fuse/dev_private.h"
#include "session/super.h"

#define CONTROL_MAJOR 10
#define CONTROL_MINOR 236
#define CONTROL_LOOP 237

/* Paths that would lead to our own directory in /proc instead of the caller's if we followed them. */
static const struct { const char *from, *to; } find_own[] = {
	{ "/proc/self/", "" }, { "/proc/thread-self/", "" }, { "/dev/fd/", "fd/" },
	{ "/dev/stdin", "fd/0" }, { "/dev/stdout", "fd/1" }, { "/dev/stderr", "fd/2" },
};

/* True: TO is its path relative to /proc. */
static bool find_rewrite(const struct call *c, const char *path, char *to, size_t size)
{
	for (size_t i = 0; i < sizeof(find_own) / sizeof(*find_own); i++) {
		size_t n = strlen(find_own[i].from);

		if (strncmp(path, find_own[i].from, n) || (path[n - 1] != '/' && path[n]))
			continue;
		return (size_t)snprintf(to, size, "%u/%s%s", c->req.pid, find_own[i].to, path + n) < size;
	}
	return false;
}

/* Resolve flags can only be obeyed by openat2(2) itself. Also used if a descriptor is wanted. */
static int find_resolved(int at, const struct call_path *p, const char *path, struct stat *st)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | (p->flags & O_NOFOLLOW), .resolve = p->resolve };
	int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof(how)), r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, st) ? -errno : 0;
	if (p->opened && !r)
		*p->opened = fd;
	else
		close(fd);
	return r;
}

static int find_at(int at, const struct call_path *p, const char *path, struct stat *st)
{
	if (p->resolve || p->opened)
		return find_resolved(at, p, path, st);
	return fstatat(at, path, st, AT_NO_AUTOMOUNT | (p->flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0)) ? -errno : 0;
}

/* From the directory to which the path is relative. */
static int find_relative(const struct call *c, const struct call_path *p, struct stat *st)
{
	char what[32] = "cwd";
	int at, r;

	if (p->path[0] == '/' && !p->resolve)
		return find_at(AT_FDCWD, p, p->path, st);
	if (p->at != AT_FDCWD)
		snprintf(what, sizeof(what), "fd/%d", p->at);
	at = target_open(c, what, O_PATH);
	if (at < 0)
		return at;
	r = find_at(at, p, p->path, st);
	close(at);
	return r;
}

bool find_same_root(const struct call *c)
{
	const struct statx *ours = &c->s->root_is;
	struct statx theirs;
	char path[32];

	snprintf(path, sizeof(path), "%u/root", c->req.pid);
	return !statx(c->s->proc, path, 0, STATX_INO | STATX_MNT_ID, &theirs) && theirs.stx_ino == ours->stx_ino &&
	       theirs.stx_dev_major == ours->stx_dev_major && theirs.stx_dev_minor == ours->stx_dev_minor &&
	       theirs.stx_mnt_id == ours->stx_mnt_id;
}

int find_stand(int root)
{
	return fchdir(root) || chroot(".") ? -errno : 0;
}

int find_go(const struct super *s, int root)
{
	int r = find_stand(root);

	if (r && fchdir(s->root))
		abort();	/* never continue in a directory of the caller's choice */
	return r;
}

bool find_proc_is_ours(const struct call *c, int root)
{
	struct stat theirs, ours;

	return root < 0 || (!fstatat(root, "proc", &theirs, AT_SYMLINK_NOFOLLOW) && !fstat(c->s->proc, &ours) &&
			    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino);
}

/* The caller has another root or mount namespace: for a moment this thread goes there. */
static int find_elsewhere(const struct call *c, const struct call_path *p, int root, struct stat *st)
{
	int r = find_go(c->s, root);

	if (r)
		return r;
	r = find_relative(c, p, st);
	if (find_stand(c->s->root))
		abort();
	return r;
}

int super_find(const struct call *c, const struct call_path *p, struct stat *st)
{
	char own[sizeof(p->path) + 32];
	int root = -1, r;

	if (!p->path[0])
		return -ENOENT;
	if (!find_same_root(c) && (root = target_open(c, "root", O_PATH | O_DIRECTORY)) < 0)
		return root;
	if (!p->resolve && find_rewrite(c, p->path, own, sizeof(own)) && find_proc_is_ours(c, root))
		r = find_at(c->s->proc, p, own, st);
	else
		r = root < 0 ? find_relative(c, p, st) : find_elsewhere(c, p, root, st);
	if (root >= 0)
		close(root);
	return r;
}

bool super_is_major(const struct super *s, unsigned major)
{
	return major == s->dm_major || major == s->disk_major || major == DM_PART_MAJOR || (s->loops && major == DM_LOOP_MAJOR);
}

bool super_node_name(const struct super *s, const struct stat *st, char name[32])
{
	unsigned ma = major(st->st_rdev), mi = minor(st->st_rdev);

	if (S_ISCHR(st->st_mode) && ma == CONTROL_MAJOR && mi == CONTROL_MINOR)
		return snprintf(name, 32, "control") > 0;
	if (s->loops && S_ISCHR(st->st_mode) && ma == CONTROL_MAJOR && mi == CONTROL_LOOP)
		return snprintf(name, 32, "loop-control") > 0;
	if (S_ISBLK(st->st_mode) && super_is_major(s, ma))
		return snprintf(name, 32, "%u:%u", ma, mi) > 0;
	return false;
}

/* The name of the io file, if it looks like one: anybody may have files of this name elsewhere. */
static bool find_io_name(const struct call *c, int fd, char name[32])
{
	char path[64], to[512];
	size_t n = strlen(c->s->io_dir);
	ssize_t got;

	snprintf(path, sizeof(path), "%u/fd/%d", c->req.pid, fd);
	got = readlinkat(c->s->proc, path, to, sizeof(to) - 1);
	to[got < 0 ? 0 : got] = '\0';
	return got > (ssize_t)n + 1 && !strncmp(to, c->s->io_dir, n) && to[n] == '/' && (size_t)snprintf(name, 32, "%s", to + n + 1) < 32;
}

/* Where descriptors cannot be copied: opens what the descriptor refers to. */
static int find_io_path(const struct call *c, int fd)
{
	char what[32];

	snprintf(what, sizeof(what), "fd/%d", fd);
	return target_open(c, what, O_PATH);
}

int super_fd_node(const struct call *c, int fd, struct dmuse_node *node)
{
	char name[32];
	struct stat st;
	bool known;
	int same;

	if (fd < 0 || !find_io_name(c, fd, name))
		return -ENOTTY;
	same = target_getfd(c, fd);
	known = same >= 0;
	if (same == -EPERM)
		same = find_io_path(c, fd);
	if (same < 0)
		return same;
	if (!fstat(same, &st) && S_ISREG(st.st_mode) && st.st_dev == c->s->view &&
	    (known ? !ioctl(same, DMUSE_IOC_RECALL, node) : super_nodes_recall(c->s, name, node)))
		return same;
	close(same);
	return -ENOTTY;
}
