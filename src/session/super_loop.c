/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loop device on an io file, for the kernel to mount. It is detached at its last close. The io file remembers its
 * number, so that others find it, and so that the daemon can tell it when the device changes its size.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/devnode.h"
#include "fronts/fuse/dev_private.h"
#include "session/holder.h"
#include "session/super.h"

#define LOOP_MAJOR_NUMBER 7
#define LOOP_TRIES 64
#define LOOP_PATIENCE_NS 10000000

static int loop_open(int n)
{
	return devnode_open(S_IFBLK, makedev(LOOP_MAJOR_NUMBER, (unsigned)n), O_RDWR);
}

static struct loop_config loop_config(int io, const char *name)
{
	struct loop_config l = { .fd = (uint32_t)io };
	int size = 512, readonly = 0;

	ioctl(io, BLKSSZGET, &size);
	ioctl(io, BLKROGET, &readonly);
	l.block_size = (uint32_t)size;
	l.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | (readonly ? LO_FLAGS_READ_ONLY : 0);
	snprintf((char *)l.info.lo_file_name, sizeof(l.info.lo_file_name), "%s", name);
	return l;
}

/* The machine's, in a session that shows its own loop devices instead, too. */
static int loop_control(const struct super *s)
{
	return open(s->loops ? HOLDER_MACHINE "/loop-control" : "/dev/loop-control", O_RDWR | O_CLOEXEC);
}

/* Another process may take the free number before us. */
static int loop_attach(const struct super *s, int io, const char *name)
{
	const struct loop_config config = loop_config(io, name);
	int control = loop_control(s), fd = -EBUSY, n = -1;

	if (control < 0)
		return -errno;
	for (int i = 0; i < LOOP_TRIES && fd == -EBUSY; i++) {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		fd = n < 0 ? -errno : loop_open(n);
		if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
			int r = -errno;

			close(fd);
			fd = r;
		}
	}
	close(control);
	if (fd >= 0)
		ioctl(io, DMUSE_IOC_LOOP, &n);
	return fd;
}

/* The one that the device has already. It may be detached at any time, and its number reused. */
static int loop_find(int io)
{
	struct loop_info64 info;
	struct stat st;
	int n, fd;

	if (ioctl(io, DMUSE_IOC_LOOPED, &n) || fstat(io, &st))
		return -ENOENT;
	fd = loop_open(n);
	if (fd < 0)
		return fd;
	if (!ioctl(fd, LOOP_GET_STATUS64, &info) && info.lo_inode == st.st_ino && info.lo_device == (uint64_t)st.st_dev)
		return fd;
	close(fd);
	return -ENOENT;
}

/* As if a program had opened it. A server that does not know this ioctl (ENOTTY) keeps no claims. */
static int loop_claim(int io, bool claim)
{
	struct dmuse_node node = { .flags = claim ? O_EXCL : 0 };

	return ioctl(io, DMUSE_IOC_REMEMBER, &node) && errno != ENOTTY ? -errno : 0;
}

static int loop_get_once(const struct super *s, int io, const char *name, bool claim)
{
	int fd = loop_find(io), r;

	if (fd != -ENOENT)
		return fd;
	r = loop_claim(io, claim);
	return r ? r : loop_attach(s, io, name);
}

int loop_get(const struct super *s, const char *io_name, const char *name, bool claim)
{
	const struct timespec soon = { .tv_nsec = LOOP_PATIENCE_NS };
	int io = openat(s->io, io_name, O_RDWR | O_CLOEXEC), fd;

	if (io < 0)
		return -errno;
	fd = loop_get_once(s, io, name, claim);
	if (fd == -EBUSY) {	/* another mount may be about to attach one */
		nanosleep(&soon, NULL);
		fd = loop_get_once(s, io, name, claim);
	}
	close(io);
	return fd;
}
