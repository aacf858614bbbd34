/* SPDX-License-Identifier: BSD-2-Clause */
/* fstat(2) and similar calls: for a descriptor that we have passed to a program, the stat of the node. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fronts/fuse/dev_private.h"
#include "session/super.h"

struct stat_args {
	int fd;
	uint64_t path, to;
};

static struct stat_args stat_args(const struct call *c)
{
	const __u64 *a = c->req.data.args;

	if (c->req.data.nr == SYS_fstat)
		return (struct stat_args){ (int)a[0], 0, a[1] };
	return (struct stat_args){ (int)a[0], a[1], c->req.data.nr == SYS_statx ? a[4] : a[2] };
}

static void stat_answer(struct call *c, uint64_t to, const void *from, size_t size)
{
	int r = target_write(c, to, from, size);

	if (r)
		call_fail(c, r);
	else
		call_value(c, 0);
}

static void stat_plain(struct call *c, uint64_t to, const struct dmuse_node *n)
{
	struct stat st = {
		.st_dev = n->dev, .st_ino = n->ino, .st_nlink = n->nlink, .st_mode = n->mode, .st_uid = n->uid, .st_gid = n->gid,
		.st_rdev = makedev(n->rdev_major, n->rdev_minor), .st_blksize = n->blksize,
		.st_atim = { n->atime, n->atime_nsec }, .st_mtim = { n->mtime, n->mtime_nsec },
		.st_ctim = { n->ctime, n->ctime_nsec },
	};

	stat_answer(c, to, &st, sizeof(st));
}

/* Mount ID and the like are those of the io file. */
static void stat_extended(struct call *c, uint64_t to, int fd, const struct dmuse_node *n)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &x))
		return;
	x.stx_mode = (uint16_t)n->mode;
	x.stx_nlink = (uint32_t)n->nlink;
	x.stx_uid = n->uid;
	x.stx_gid = n->gid;
	x.stx_ino = n->ino;
	x.stx_size = x.stx_blocks = 0;
	x.stx_blksize = n->blksize;
	x.stx_rdev_major = n->rdev_major;
	x.stx_rdev_minor = n->rdev_minor;
	x.stx_dev_major = major(n->dev);
	x.stx_dev_minor = minor(n->dev);
	x.stx_atime = (struct statx_timestamp){ .tv_sec = n->atime, .tv_nsec = n->atime_nsec };
	x.stx_mtime = (struct statx_timestamp){ .tv_sec = n->mtime, .tv_nsec = n->mtime_nsec };
	x.stx_ctime = (struct statx_timestamp){ .tv_sec = n->ctime, .tv_nsec = n->ctime_nsec };
	stat_answer(c, to, &x, sizeof(x));
}

void super_stat(struct call *c)
{
	struct stat_args a = stat_args(c);
	struct dmuse_node n;
	char first = 0;
	int fd;

	fd = super_fd_node(c, a.fd, &n);
	if (fd < 0)
		return;
	if (!(a.path && (target_read(c, a.path, &first, 1) || first)) && call_valid(c)) {
		if (c->req.data.nr == SYS_statx)
			stat_extended(c, a.to, fd, &n);
		else
			stat_plain(c, a.to, &n);
	}
	close(fd);
}
