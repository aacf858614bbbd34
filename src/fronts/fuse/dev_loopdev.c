/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session's own loop devices: the ioctls of /dev/loop-control and /dev/loopN, where the machine's cannot be used. See
 * core/device/loopdev.h. An attachment is the command `disk`: the file is opened on a helper thread, by the caller's
 * descriptor, which the caller keeps until it is answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/devnode.h"
#include "base/log.h"
#include "base/process.h"
#include "core/device/loopdev.h"
#include "core/device/parts.h"
#include "core/state/lost.h"
#include "fronts/fuse/dev_call.h"
#include "fronts/fuse/dev_loopdev_info.h"

#define LOOP_IO "/dev/.dmuse/io/"	/* of a device of the session: its number follows */
#define LOOP_SETTABLE (DM_LOOP_READONLY | DM_LOOP_AUTOCLEAR | DM_LOOP_PARTSCAN | DM_LOOP_DIRECT)
#define LOOP_CHANGEABLE (DM_LOOP_AUTOCLEAR | DM_LOOP_PARTSCAN)	/* later */

/* One that is being attached, or changed. */
struct loopdev_call {
	struct dev_call *c;
	struct dm_device *attaches;	/* NULL: it has a file already */
	struct dm_loop loop;
	char word[PATH_MAX];		/* for its file */
};

/* The machine's are usable if losetup would find them so, or if its nodes can be made. */
bool dev_loop_machine(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), n, fd;
	char path[32];

	if (control < 0)
		return false;
	n = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (n < 0)
		return false;
	snprintf(path, sizeof(path), "/dev/loop%d", n);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = devnode_open(S_IFBLK, makedev(DM_LOOP_MAJOR, (unsigned)n), O_RDWR);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void loop_number(struct dev_call *c, const struct dm_device *d)
{
	fuse_reply_ioctl(c->req, (int)d->minor, NULL, 0);
	free(c);
}

void dev_loop_control(struct dev_call *c)
{
	struct dm_world *w = c->mount->front->world;
	struct err e = ERR_INIT;
	struct dm_device *d;
	int r;

	switch (c->cmd) {
	case LOOP_CTL_GET_FREE:
		r = dm_loop_free(w, &d, &e);
		break;
	case LOOP_CTL_ADD:
		r = (int)c->arg < 0 ? dm_loop_free(w, &d, &e) : dm_loop_add(w, (uint32_t)c->arg, &d, &e);
		break;
	case LOOP_CTL_REMOVE:
		d = dm_find_number(w, DM_LOOP_MAJOR, (uint32_t)c->arg);
		dev_call_end(c, d ? dm_loop_remove(d) : -ENODEV, NULL, 0);
		return;
	default:
		r = -ENOTTY;
	}
	if (r)
		dev_call_end(c, r, NULL, 0);
	else
		loop_number(c, d);
}

static void loop_over(struct dev_call *c)
{
	struct fuse_mount *m = c->mount;

	dev_call_end(c, c->result, NULL, 0);
	m->n_jobs--;
	fuse_mount_unref(m);
}

static void loop_done(struct dm_cmd *cmd)
{
	struct loopdev_call *l = cmd->owner;
	struct dev_call *c = l->c;
	bool saying = false;

	list_remove(&c->node);
	if (l->attaches)
		l->attaches->loopdev->attaching = false;
	c->result = cmd->reply.err.code;
	if (c->result && c->result != -EBUSY && c->result != -EINTR) {
		log_warn("%s", cmd->reply.err.text);
		saying = dev_say(c, cmd->reply.err.text, loop_over);
	}
	dm_reply_free(&cmd->reply);
	free(l);
	if (!saying)
		loop_over(c);
}

/* L's file is to be shown as its loop says. */
static void loop_do(struct loopdev_call *l, struct dm_device *d)
{
	struct dev_call *c = l->c;
	struct dm_cmd *cmd = &c->dm.cmd;

	fuse_done_id(c->mount, c->unique, c->id);
	*cmd = (struct dm_cmd){ .verb = DM_DO_DISK, .name = d->name, .text = l->word, .loop = &l->loop, .flags = l->loop.flags & DM_LOOP_READONLY ? DM_WITH_READONLY : 0,
				.id = *c->id ? c->id : NULL, .done = loop_done, .owner = l };
	list_append(&c->file->calls, &c->node);
	c->mount->n_jobs++;
	dm_do(c->mount->front->world, cmd);
}

static struct loopdev_call *loopdev_call_new(struct dev_call *c)
{
	struct loopdev_call *l = calloc(1, sizeof(*l));

	if (l)
		l->c = c;
	return l;
}

/* Was the caller's file opened only for reading? */
static bool loop_file_reads(pid_t tid, int fd)
{
	char path[48], line[64];
	unsigned flags = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	if (f)
		fclose(f);
	return (flags & O_ACCMODE) == O_RDONLY;
}

/* Its file system is not asked: that may be one that does not answer. */
static int loop_stat(struct loopdev_call *l, int fd)
{
	int point = process_point(AT_FDCWD, l->c->tid, fd), r;
	struct statx x;

	if (point < 0)
		return point;
	r = statx(point, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &x) ? -errno : 0;
	close(point);
	if (r)
		return r;
	if (!S_ISREG(x.stx_mode) && !S_ISBLK(x.stx_mode))
		return -EINVAL;
	l->loop.dev = makedev(x.stx_dev_major, x.stx_dev_minor);
	l->loop.ino = x.stx_ino;
	l->loop.rdev = makedev(x.stx_rdev_major, x.stx_rdev_minor);
	return 0;
}

/* What the caller's descriptor is. A device of the session is known by its number. */
static int loop_file(struct loopdev_call *l, int fd)
{
	char path[PATH_MAX];
	unsigned major, minor;
	ssize_t n;

	snprintf(l->word, sizeof(l->word), "/proc/%d/fd/%d", (int)l->c->tid, fd);
	n = readlink(l->word, path, sizeof(path) - 1);
	if (n < 0)
		return errno == ENOENT ? -EBADF : -errno;
	path[n] = '\0';
	if (sscanf(path, LOOP_IO "%u:%u", &major, &minor) != 2)
		return loop_stat(l, fd);
	snprintf(l->word, sizeof(l->word), "%u:%u", major, minor);
	l->loop.rdev = makedev(major, minor);
	return 0;
}

static int loop_configured(struct loopdev_call *l, int *fd)
{
	struct loop_config config = { .fd = (uint32_t)l->c->arg };
	int r = l->c->cmd == LOOP_CONFIGURE ? dev_call_in(l->c, &config, sizeof(config)) : 0;

	if (!r && config.info.lo_flags & ~LOOP_SETTABLE)
		r = -EINVAL;
	if (!r)
		r = loop_info(&l->loop, &config.info, LOOP_SETTABLE);
	l->loop.block = config.block_size;
	*fd = (int)config.fd;
	return r;
}

/* Of two who have found the same device free, the first gets it. */
static int loop_attach(struct dev_call *c, struct dm_device *d)
{
	bool busy = dm_loop_attached(d) || d->loopdev->attaching;
	struct loopdev_call *l = busy ? NULL : loopdev_call_new(c);
	int fd, r;

	if (!l)
		return busy ? -EBUSY : -ENOMEM;
	r = loop_configured(l, &fd);
	if (!r)
		r = loop_file(l, fd);
	if (r) {
		free(l);
		return r;
	}
	if (loop_file_reads(c->tid, fd) || (c->file->info.flags & O_ACCMODE) == O_RDONLY)
		l->loop.flags |= DM_LOOP_READONLY;
	l->attaches = d;
	d->loopdev->attaching = true;
	loop_do(l, d);
	return 0;
}

/* Another file of the same size takes the place of one that is only read. */
static int loop_exchange(struct dev_call *c, struct dm_device *d)
{
	bool reads = d->loopdev->is.flags & DM_LOOP_READONLY;
	struct loopdev_call *l = reads ? loopdev_call_new(c) : NULL;
	int r;

	if (!l)
		return reads ? -ENOMEM : -EINVAL;
	l->loop = d->loopdev->is;
	l->loop.sectors = d->active->sectors;
	r = loop_file(l, (int)c->arg);
	if (r)
		free(l);
	else
		loop_do(l, d);
	return r;
}

/* The same file, measured again, as L says. If it was waited for, that is over. */
static int loop_change(struct dev_call *c, struct dm_device *d, const struct dm_loop *to)
{
	const struct dm_store *s = d->active->lost ? NULL : d->active->stores[0];
	struct loopdev_call *l = loopdev_call_new(c);
	char *file = dm_disk_file(d->active);
	bool memory = l && file;

	if (memory) {
		l->loop = *to;
		l->loop.sectors = 0;
		if (s && s->device)
			snprintf(l->word, sizeof(l->word), "%u:%u", s->major, s->minor);
		else
			snprintf(l->word, sizeof(l->word), "%s", file);
		loop_do(l, d);
	} else {
		free(l);
	}
	free(file);
	return memory ? 0 : -ENOMEM;
}

/* What needs no other table. */
static int loop_note(struct dm_device *d, const struct dm_loop *to)
{
	const struct dm_loop was = d->loopdev->is;
	struct err e = ERR_INIT;

	d->loopdev->is = *to;
	if (dm_record_now(d, &e)) {
		d->loopdev->is = was;
		return e.code;
	}
	dm_loop_autoclear(d, to->flags & DM_LOOP_AUTOCLEAR);
	return 0;
}

/* 1: it was noted, and that is all. */
static int loop_set(struct dev_call *c, struct dm_device *d, const struct dm_loop *to, bool measure)
{
	const struct dm_loop *is = &d->loopdev->is;
	int r;

	if (measure || to->offset != is->offset || to->limit != is->limit || to->block != is->block)
		return loop_change(c, d, to);
	r = loop_note(d, to);
	return r ? r : 1;
}

static int loop_set_status(struct dev_call *c, struct dm_device *d)
{
	struct dm_loop to = d->loopdev->is;
	struct loop_info64 info;
	int r = c->cmd == LOOP_SET_STATUS ? loop_old_in(c, &info) : dev_call_in(c, &info, sizeof(info));

	if (!r)
		r = loop_info(&to, &info, LOOP_CHANGEABLE);
	return r ? r : loop_set(c, d, &to, false);
}

static int loop_set_one(struct dev_call *c, struct dm_device *d)
{
	struct dm_loop to = d->loopdev->is;

	if (c->cmd == LOOP_SET_BLOCK_SIZE)
		to.block = c->arg <= UINT32_MAX ? (uint32_t)c->arg : 0;
	if (c->cmd == LOOP_SET_BLOCK_SIZE && (c->arg < DM_SECTOR || c->arg > 4096 || (c->arg & (c->arg - 1))))
		return -EINVAL;
	if (c->cmd == LOOP_SET_DIRECT_IO)
		to.flags = c->arg ? to.flags | DM_LOOP_DIRECT : to.flags & ~DM_LOOP_DIRECT;
	return loop_set(c, d, &to, c->cmd == LOOP_SET_CAPACITY);
}

static int loop_status(struct dev_call *c, const struct dm_device *d)
{
	const struct dm_loop *l = &d->loopdev->is;
	struct loop_info64 info = { .lo_device = l->dev, .lo_inode = l->ino, .lo_rdevice = l->rdev, .lo_offset = l->offset,
				    .lo_sizelimit = l->limit, .lo_number = d->minor, .lo_flags = l->flags };

	memcpy(info.lo_file_name, l->name, DM_LOOP_WORD - 1);
	memcpy(info.lo_crypt_name, l->crypt, DM_LOOP_WORD - 1);
	if (c->cmd == LOOP_GET_STATUS)
		return loop_old_status(c, &info);
	dev_call_end(c, 0, &info, sizeof(info));
	return 0;
}

/* Whether it goes at once depends on who else has it open. */
static int loop_detach(struct dev_call *c, struct dm_device *d)
{
	const struct dm_device *busy = d->open_count > 1 ? d : dm_part_in_use(d);
	struct err e = ERR_INIT;
	int r;

	if (busy && dev_call_settle(c, busy))
		return 0;
	r = dm_loop_detach(d, &e);
	return r ? r : 1;
}

/* 0: C is answered, or will be; 1: it is done; -errno. */
static int loop_ioctl(struct dev_call *c, struct dm_device *d)
{
	bool may = (c->file->info.flags & O_ACCMODE) != O_RDONLY || dev_may_control(c->mount->view, c->tid);

	if (c->cmd == LOOP_SET_FD || c->cmd == LOOP_CONFIGURE)
		return loop_attach(c, d);
	if (!dm_loop_attached(d))
		return -ENXIO;
	if (c->cmd != LOOP_GET_STATUS64 && c->cmd != LOOP_GET_STATUS && !may)
		return -EPERM;
	switch (c->cmd) {
	case LOOP_GET_STATUS:
	case LOOP_GET_STATUS64:
		return loop_status(c, d);
	case LOOP_SET_STATUS:
	case LOOP_SET_STATUS64:
		return loop_set_status(c, d);
	case LOOP_SET_CAPACITY:
	case LOOP_SET_DIRECT_IO:
	case LOOP_SET_BLOCK_SIZE:
		return loop_set_one(c, d);
	case LOOP_CHANGE_FD:
		return loop_exchange(c, d);
	case LOOP_CLR_FD:
		return loop_detach(c, d);
	default:
		return -EINVAL;
	}
}

bool dev_loopdev(struct dev_call *c, struct dm_device *d)
{
	int r;

	if (!d->loopdev || _IOC_TYPE(c->cmd) != _IOC_TYPE(LOOP_SET_FD))
		return false;
	r = loop_ioctl(c, d);
	if (r)
		dev_call_end(c, r > 0 ? 0 : r, NULL, 0);
	return true;
}
