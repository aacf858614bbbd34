/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The freezer's life: see freezer.h. FIFREEZE may take long, because everything that the file system has in memory is
 * written first, through that very device; in this process nobody else has to wait for it.
 */
#include "session/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/devnode.h"
#include "base/mountinfo.h"
#include "session/helper.h"
#include "session/holder.h"
#include "session/loops.h"
#include "session/wire.h"

#define FREEZER_MOST 64		/* file systems on one device */

struct freezer {
	dev_t device, view;
	ino_t io;			/* of its io file */
	struct {
		dev_t dev;
		int fd;
		bool frozen;		/* by this process */
	} at[FREEZER_MOST];
	unsigned n;
};

static int freezer_wait(struct wire *m, int *fd)
{
	struct pollfd p = { .fd = HOLDER_FD, .events = POLLIN };
	int r;

	do {
		poll(&p, 1, -1);
		r = wire_receive(HOLDER_FD, m, fd);
	} while (r == -EAGAIN);
	return r;
}

static int freezer_enter(struct freezer *f, int mnt, int user, struct err *e)
{
	struct stat st, dev;
	char path[64];

	snprintf(path, sizeof(path), HOLDER_HIDDEN "/io/%u:%u", major(f->device), minor(f->device));
	if ((user >= 0 && setns(user, CLONE_NEWUSER)) || setns(mnt, CLONE_NEWNS) ||
	    (user >= 0 && (setresgid(0, 0, 0) || setresuid(0, 0, 0))))
		return err_set(e, -errno, "the session cannot be entered to freeze what is mounted there: %s", strerror(errno));
	if (stat(path, &st) || stat("/dev", &dev)) {
		if (errno == ENOTCONN || errno == ENOENT)
			return 0;	/* the session has lost its /dev, so nothing is mounted on what was there: no number is ours */
		return err_set(e, -errno, "the session's /dev does not answer: %s", strerror(errno));
	}
	f->io = st.st_ino;
	f->view = dev.st_dev;
	return 0;
}

static int freezer_begin(struct freezer *f, struct err *e)
{
	int user = -1, fd, r;
	struct wire m;

	do {
		r = freezer_wait(&m, &fd);
		if (!r && m.kind == WIRE_USER_NS)
			user = fd;
	} while (!r && m.kind != WIRE_FREEZE);
	if (r)
		return err_set(e, r, "the daemon is gone");
	f->device = makedev(m.major, m.minor);
	r = freezer_enter(f, fd, user, e);
	close(fd);
	return r;
}

/* Mounted by the kernel, through a loop device. */
static bool is_on_loop(const struct freezer *f, const struct mount_line *m)
{
	struct loop_info64 info;
	bool ours;
	int fd;

	if (major(m->dev) != LOOPS_MAJOR)
		return false;
	fd = devnode_open(S_IFBLK, m->dev, O_RDONLY);
	if (fd < 0)
		return false;
	ours = !ioctl(fd, LOOP_GET_STATUS64, &info) && info.lo_device == f->view && info.lo_inode == f->io;
	close(fd);
	return ours;
}

/* File systems on several devices and FUSE servers have a device number of their own, so their source is compared. */
static bool is_on_device(const struct freezer *f, const struct mount_line *m)
{
	struct stat st;

	return is_on_loop(f, m) || (*m->source == '/' && !stat(m->source, &st) && S_ISBLK(st.st_mode) && st.st_rdev == f->device);
}

static bool is_done(const struct freezer *f, dev_t dev)
{
	unsigned i;

	for (i = 0; i < f->n; i++)
		if (f->at[i].dev == dev)
			return true;
	return false;
}

/*
 * What cannot be frozen (a FUSE server; anything, by an ordinary user) is at least written out. What is frozen already
 * stays so.
 */
static int freezer_freeze(struct freezer *f, const struct mount_line *m, struct err *e)
{
	int fd = mountinfo_top(m->path) == m->id ? open(m->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	int r;

	if (fd < 0)
		return 0;	/* covered by another mount; perhaps it is mounted elsewhere, too */
	r = ioctl(fd, FIFREEZE, 0) ? -errno : 0;
	f->at[f->n].dev = m->dev;
	f->at[f->n].fd = fd;
	f->at[f->n++].frozen = !r;
	if (r == -EOPNOTSUPP || r == -ENOTTY || r == -EPERM)
		r = syncfs(fd) ? -errno : 0;
	return r && r != -EBUSY ? err_set(e, r, "the file system on %s cannot be frozen: %s (--nolockfs leaves that out)", m->path,
					  strerror(-r)) : 0;
}

static int freezer_freeze_all(struct freezer *f, struct err *e)
{
	struct mountinfo all;
	size_t i;
	int r = mountinfo_read(&all, "/proc/self/mountinfo");

	if (r)
		err_set(e, r, "the session's mounts cannot be read: %s", strerror(-r));
	for (i = 0; !r && i < all.n && f->n < FREEZER_MOST; i++)
		if (!is_done(f, all.mounts[i].dev) && is_on_device(f, &all.mounts[i]))
			r = freezer_freeze(f, &all.mounts[i], e);
	mountinfo_free(&all);
	return r;
}

static void freezer_thaw(struct freezer *f, struct err *e)
{
	while (f->n--)
		if (f->at[f->n].frozen && ioctl(f->at[f->n].fd, FITHAW, 0) && errno != EINVAL)
			err_set(e, -errno, "a file system cannot be thawed: %s", strerror(errno));
	f->n = 0;
}

int freezer_main(void)
{
	struct freezer f = { .n = 0 };
	struct wire m = { .kind = WIRE_FROZEN }, end = { .kind = WIRE_THAWED }, word;
	int fd;

	prctl(PR_SET_NAME, HELPER_FREEZER);
	setsid();
	if (!freezer_begin(&f, &m.err))
		freezer_freeze_all(&f, &m.err);
	if (m.err.code)
		freezer_thaw(&f, NULL);
	m.count = f.n;
	if (!wire_send(HOLDER_FD, &m, -1) && f.n)
		freezer_wait(&word, &fd);
	freezer_thaw(&f, &end.err);
	return m.count && wire_send(HOLDER_FD, &end, -1) ? 1 : 0;
}
