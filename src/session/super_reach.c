/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is at a path of a caller's, reached as the caller itself would: from its root and directory, with its rights, so
 * that the kernel decides at every step. Only done where super_find() has found one of our nodes already: ordinary
 * files never cost this.
 *
 * The open itself is not done, because it would reach a driver. Instead there are two checks: may the caller access the
 * node (faccessat2), and do nodes work on that mount?
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/super.h"

/* The state of a path walk. */
struct reach {
	struct rights rights;
	int root;		/* the caller's; -1: the same as ours */
	int at;			/* where REST starts; AT_FDCWD: at the root */
	const char *rest;	/* "": nothing, AT is the result */
	bool astray;		/* the path had a link of /proc that may have led to something of ours */
	char other[64];		/* a link in another process's /proc that leads to AT: the caller's rights decide; or "" */
};

static bool reach_is_us(const struct super *s, unsigned pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "self/task/%u", pid);
	return !fstatat(s->proc, path, &st, 0);
}

/*
 * Links that always lead the caller to something of its own, and us to something else, are opened for it:
 * /proc/self/fd/3. In another process's directory of /proc the caller needs rights; not in ours, where we have them.
 */
static int reach_link(const struct call *c, struct reach *r)
{
	struct super_link l;

	if (!super_link(c, r->rest, &l))
		return 0;
	r->rest = l.rest;
	if (!l.pid) {
		r->at = target_open(c, l.what, O_PATH);
		return r->at < 0 ? r->at : 0;
	}
	if (reach_is_us(c->s, l.pid))
		return -EACCES;
	snprintf(r->other, sizeof(r->other), "%u/%s", l.pid, l.what);
	return 0;
}

static int reach_start(const struct call *c, const struct call_path *p, struct reach *r)
{
	char what[32] = "cwd";

	r->rest = p->path;
	if (!p->resolve && p->path[0] == '/')
		return find_proc_is_ours(c, r->root) ? reach_link(c, r) : 0;
	if (p->at != AT_FDCWD)
		snprintf(what, sizeof(what), "fd/%d", p->at);
	r->at = target_open(c, what, O_PATH);
	return r->at < 0 ? r->at : 0;
}

/* Collects the caller's rights and where it is; these are really the caller's if it still waits. */
static int reach_meet(const struct call *c, const struct call_path *p, struct reach *r)
{
	int err = rights_of(c, &r->rights);

	if (!err && !find_same_root(c) && (r->root = target_open(c, "root", O_PATH | O_DIRECTORY)) < 0)
		err = r->root;
	if (!err)
		err = reach_start(c, p, r);
	return !err && !call_valid(c) ? -ESRCH : err;
}

static int reach_open(int at, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW), .resolve = resolve };
	int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/*
 * A container's device rules, which do not know our devices, fail with EPERM after everything else was allowed; but so
 * does an immutable file, before that.
 */
static int reach_access(int fd, int access)
{
	struct statx x;

	if (!access || !syscall(SYS_faccessat2, fd, "", access, AT_EACCESS | AT_EMPTY_PATH))
		return 0;
	if (errno != EPERM)
		return -errno;
	return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x) || x.stx_attributes & STATX_ATTR_IMMUTABLE ? -EPERM : 0;
}

/* Walks the path as the caller, from where it is. A descriptor (O_PATH), or -errno. */
static int reach_walk(const struct super *s, const struct call_path *p, struct reach *r, int access)
{
	int fd, err;

	if (r->other[0] && (r->at = reach_open(s->proc, r->other, 0, 0)) < 0)
		return r->at;
	if (r->rest[0]) {
		fd = reach_open(r->at, r->rest, p->flags, p->resolve | RESOLVE_NO_MAGICLINKS);
		r->astray = fd == -ELOOP;
		if (r->astray)
			fd = reach_open(r->at, r->rest, p->flags, p->resolve);
	} else {
		fd = p->flags & O_NOFOLLOW ? -ELOOP : fcntl(r->at, F_DUPFD_CLOEXEC, 0);
	}
	err = fd < 0 ? fd : reach_access(fd, access);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static int reach_node(const struct super *s, const struct call_path *p, struct reach *r, int access)
{
	int fd = r->root < 0 ? 0 : find_go(s, r->root);

	if (fd < 0)
		return fd;
	fd = rights_take(s, &r->rights);
	if (!fd) {
		fd = reach_walk(s, p, r, access);
		rights_return(s, &r->rights);
	}
	if (r->root >= 0 && find_stand(s->root))
		abort();	/* never continue in a directory of the caller's choice */
	return fd;
}

/*
 * Do nodes work on that mount? The kernel checks this before anything else in an open. And before it calls a driver, it
 * refuses O_NOATIME to anybody who neither owns the file nor has the capability: so EPERM means yes.
 */
static int reach_counts(const struct super *s, int node, uid_t owner)
{
	struct rights stranger = s->own;
	char link[32];
	int fd, err;

	stranger.uid = owner ? 0 : 1;
	stranger.capabilities &= ~(1ULL << CAP_FOWNER);
	if (s->user_namespace)
		stranger.uid = s->own.uid;	/* there is no other user */
	err = rights_take(s, &stranger);
	if (err)
		return err;
	snprintf(link, sizeof(link), "self/fd/%d", node);
	fd = openat(s->proc, link, O_RDONLY | O_NOATIME | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	err = fd < 0 && errno == EACCES ? -EACCES : 0;
	rights_return(s, &stranger);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Our own /dev is mounted with nodev (holder_namespaces.c), because its nodes mean nothing to the kernel. */
static int reach_mount(const struct super *s, const struct reach *r, int node, const struct stat *st)
{
	struct statfs fs;

	if (!S_ISBLK(st->st_mode) && !S_ISCHR(st->st_mode))
		return 0;
	if (r->astray)
		return -EACCES;
	if (st->st_dev == s->view)
		return 0;
	if (fstatfs(node, &fs))
		return -errno;
	return fs.f_type == FUSE_SUPER_MAGIC ? -EACCES : reach_counts(s, node, st->st_uid);
}

int super_reach(const struct call *c, const struct call_path *p, int access, struct stat *st)
{
	struct reach r = { .root = -1, .at = AT_FDCWD };
	int node = reach_meet(c, p, &r), err;

	if (!node)
		node = reach_node(c->s, p, &r, access);
	err = node < 0 ? node : fstat(node, st) ? -errno : reach_mount(c->s, &r, node, st);
	if (!err && (p->flags & O_NOATIME) && !rights_owner(&r.rights, st->st_uid))
		err = -EPERM;
	if (node >= 0)
		close(node);
	if (r.at >= 0)
		close(r.at);
	if (r.root >= 0)
		close(r.root);
	rights_free(&r.rights);
	return err;
}
