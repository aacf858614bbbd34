/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open(2), creat(2), openat(2), openat2(2): a node of ours is opened as its io file, in the caller's place; lists of /proc
 * are super_proc.c's, and udev's database super_udev.c's.
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

/* What an opened device knows of; the rest was meant for the path, or means nothing to a disk (O_APPEND). */
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

/* The arguments of all four calls in one form. False: it is nothing for us. */
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
	/* O_CREAT | O_EXCL is for what is not there yet: of a node the kernel says so. */
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

/* A server that knows no such thing (ENOTTY) keeps no claims. */
static int open_remember(int fd, struct dmuse_node *node, uint64_t flags)
{
	node->flags = (uint32_t)flags;
	return ioctl(fd, DMUSE_IOC_REMEMBER, node) && errno != ENOTTY ? -errno : 0;
}

static void open_device(struct call *c, const char *name, struct dmuse_node *node, uint64_t flags)
{
	int fd = openat(c->s->io, name, (int)(flags & OPEN_OF_DEVICE) | O_CLOEXEC), r;

	if (fd < 0) {
		if (errno != ENOENT)	/* the kernel has its own words for a node without a device */
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
	call_inject(c, fd, flags);
}

/* /proc/self/fd/N and the like, where N is an io file: it stands for the node that was opened. */
static bool open_again(const struct call *c, const struct call_path *p, char name[32], struct dmuse_node *node)
{
	const char *digits = strrchr(p->path, '/');
	int fd, theirs, r;

	if (!strncmp(p->path, "/dev/std", 8))
		theirs = p->path[8] == 'i' ? 0 : p->path[8] == 'o' ? 1 : 2;
	else if (digits && digits[1] >= '0' && digits[1] <= '9')
		theirs = atoi(digits + 1);
	else
		return false;
	if (!super_fd_name(c, theirs, name) || (fd = target_getfd(c, theirs)) < 0)
		return false;
	r = ioctl(fd, DMUSE_IOC_RECALL, node);
	close(fd);
	return !r;
}

void super_open(struct call *c)
{
	struct dmuse_node node;
	struct call_path p;
	struct stat st;
	char name[32];
	int err;

	if (!open_args(c, &p) || super_udev(c, &p))
		return;
	err = super_find(c, &p, &st);
	if (err == -ENOENT)
		super_proc_lost(c, &p);
	if (err)
		return;
	if (super_node_name(c->s, &st, name)) {
		node = open_node(&st);
	} else if (S_ISREG(st.st_mode) && st.st_dev == c->s->view && open_again(c, &p, name, &node)) {
		st.st_mode = node.mode;
		st.st_uid = node.uid;
		st.st_gid = node.gid;
	} else {
		super_lvm(c, &st);
		super_proc(c, &p, &st);
		return;
	}
	if (call_valid(c) && target_may(c, &st, p.flags))
		open_device(c, name, &node, p.flags);
}
