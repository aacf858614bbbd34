/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open(2), creat(2), openat(2), openat2(2): for one of our nodes, its io file is opened in the caller's place. Lists of
 * /proc are opened by super_proc.c, and udev's database by super_udev.c.
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

#include "fronts/fuse/dev_private.h"
#include "session/super.h"

/* Flags that concern an open device; the others concern the path, or mean nothing to a disk (O_APPEND). */
#define OPEN_OF_DEVICE (O_ACCMODE | O_NONBLOCK | O_SYNC | O_DSYNC | O_DIRECT | O_LARGEFILE)

static bool open_how(const struct call *c, struct call_path *p, uint64_t *path)
{
	const __u64 *a = c->req.data.args;
	struct open_how how;

	if (a[3] < sizeof(how) || target_read(c, a[2], &how, sizeof(how)))
		return false;
	*path = a[1];
	p->at = (int)a[0];
	p->flags = how.flags;
	p->resolve = how.resolve;
	return true;
}

/* Reads the arguments of any of the four calls. False: the call is not for us. */
static bool open_args(const struct call *c, struct call_path *p)
{
	const __u64 *a = c->req.data.args;
	uint64_t path = a[0];

	p->at = AT_FDCWD;
	p->resolve = 0;
	p->opened = NULL;
	switch (c->req.data.nr) {
#ifdef SYS_open
	case SYS_open:
		p->flags = (uint32_t)a[1];
		break;
	case SYS_creat:
		p->flags = O_CREAT | O_WRONLY | O_TRUNC;
		break;
#endif
	case SYS_openat:
		p->at = (int)a[0];
		path = a[1];
		p->flags = (uint32_t)a[2];
		break;
	case SYS_openat2:
		if (!open_how(c, p, &path))
			return false;
		break;
	default:
		return false;
	}
	/* O_CREAT | O_EXCL is for new files: for a node, the kernel fails. */
	if (p->flags & (O_PATH | O_DIRECTORY) || (p->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return false;
	return !target_string(c, path, p->path, sizeof(p->path));
}

static struct dmuse_node open_node(const struct stat *st)
{
	return (struct dmuse_node){
		.dev = st->st_dev, .ino = st->st_ino, .nlink = st->st_nlink, .mode = st->st_mode,
		.uid = st->st_uid, .gid = st->st_gid, .blksize = (uint32_t)st->st_blksize,
		.rdev_major = major(st->st_rdev), .rdev_minor = minor(st->st_rdev),
		.atime = st->st_atim.tv_sec, .atime_nsec = (uint32_t)st->st_atim.tv_nsec,
		.mtime = st->st_mtim.tv_sec, .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
		.ctime = st->st_ctim.tv_sec, .ctime_nsec = (uint32_t)st->st_ctim.tv_nsec,
	};
}

/* A server that does not know this ioctl (ENOTTY) keeps no claims. */
static int open_remember(int fd, struct dmuse_node *node, uint64_t flags)
{
	node->flags = (uint32_t)flags;
	return ioctl(fd, DMUSE_IOC_REMEMBER, node) && errno != ENOTTY ? -errno : 0;
}

static void open_device(struct call *c, const char *name, struct dmuse_node *node, uint64_t flags)
{
	int fd = openat(c->s->io, name, (int)(flags & OPEN_OF_DEVICE) | O_CLOEXEC), r;

	if (fd < 0) {
		if (errno != ENOENT)	/* the kernel itself fails for a node without a device */
			call_fail(c, -errno);
		return;
	}
	r = open_remember(fd, node, flags);
	if (r) {
		if (r == -EBUSY && (flags & O_ACCMODE) == O_RDWR)
			super_say_busy(c, fd);
		close(fd);
		call_fail(c, r);
		return;
	}
	super_nodes_note(c->s, name, node);
	call_inject(c, fd, flags);
}

static int open_access(uint64_t flags)
{
	static const int access[] = { [O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK, [O_ACCMODE] = R_OK | W_OK };

	return access[flags & O_ACCMODE] | (flags & O_TRUNC ? W_OK : 0);
}

/* The kernel has no node to check there: the mode is the remembered one. */
static int open_again_may(const struct call *c, const struct dmuse_node *node, uint64_t flags)
{
	struct rights r;
	int err = rights_of(c, &r);

	if (!err && !rights_mode(&r, node->mode, node->uid, node->gid, open_access(flags)))
		err = -EACCES;
	if (!err && (flags & O_NOATIME) && !rights_owner(&r, node->uid))
		err = -EPERM;
	rights_free(&r);
	return err || call_valid(c) ? err : -ESRCH;
}

/* /proc/self/fd/N and the like, where N is an io file: it stands for the node that was opened. */
static int open_again(const struct call *c, const struct call_path *p, struct stat *st, struct dmuse_node *node)
{
	struct super_link l;
	int fd, theirs;

	if (!super_link(c, p->path, &l) || l.pid || *l.rest || sscanf(l.what, "fd/%d", &theirs) != 1)
		return -ENOTTY;
	fd = super_fd_node(c, theirs, node);
	if (fd < 0)
		return fd;
	close(fd);
	st->st_mode = node->mode;
	st->st_rdev = makedev(node->rdev_major, node->rdev_minor);
	return open_again_may(c, node, p->flags);
}

/* For what looks as if it were ours. */
static int open_node_at(const struct call *c, const struct call_path *p, struct stat *st, struct dmuse_node *node)
{
	int err;

	if (S_ISREG(st->st_mode))
		return open_again(c, p, st, node);
	err = super_reach(c, p, open_access(p->flags), st);
	if (!err)
		*node = open_node(st);
	return err;
}

/* Does the path begin in /sys, by its own words or by the directory that it is relative to? */
static bool open_from_sys(const struct call *c, const struct call_path *p)
{
	char link[32], directory[sizeof("/sys/")];

	if (p->path[0] == '/')
		return !strncmp(p->path, "/sys/", 5);
	if (p->at == AT_FDCWD)
		snprintf(link, sizeof(link), "%u/cwd", c->req.pid);
	else
		snprintf(link, sizeof(link), "%u/fd/%d", c->req.pid, p->at);
	return readlinkat(c->s->proc, link, directory, sizeof(directory)) >= 5 && !memcmp(directory, "/sys/", 5);
}

/*
 * What is in /sys is left to the kernel: it has neither nodes nor lists of ours. Programs that list devices open a
 * dozen files of /sys for each, and looking a path up here costs as much as the kernel's own lookup.
 */
static bool open_in_sys(const struct call *c, const struct call_path *p)
{
	return !p->resolve && strncmp(p->path, "..", 2) && !strstr(p->path, "/..") && open_from_sys(c, p) && find_same_root(c);
}

/*
 * If the caller may not open the node, the call continues, and the kernel fails it. But O_NOATIME is checked last by
 * the kernel, which in our /dev, where nodes do not work, never gets that far: EPERM is answered here.
 */
void super_open(struct call *c)
{
	struct dmuse_node node;
	struct call_path p;
	struct stat st;
	char name[32];
	int err;

	if (!open_args(c, &p) || open_in_sys(c, &p) || super_udev(c, &p))
		return;
	err = super_find(c, &p, &st);
	if (err == -ENOENT)
		super_proc_lost(c, &p);
	if (err)
		return;
	if (!super_node_name(c->s, &st, name) && !(S_ISREG(st.st_mode) && st.st_dev == c->s->view)) {
		super_lvm(c, &st);
		super_proc(c, &p, &st);
		return;
	}
	err = open_node_at(c, &p, &st, &node);
	if (!err && super_node_name(c->s, &st, name))
		open_device(c, name, &node, p.flags);
	else if (err == -EPERM)
		call_fail(c, err);
}
