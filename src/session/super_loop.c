/* SPDX-License-Identifier: BSD-2-Clause */
/* A loop device on an io file: what the kernel can mount. It goes by itself when nobody has it any more. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/super.h"

#define LOOP_MAJOR_NUMBER 7
#define LOOP_TRIES 64

/* The node of number N; where the session's /dev has none (it is younger than the session), one made for this time. */
static int loop_open(int n, char path[LOOP_PATH])
{
	const char *made = "/dev/.dmuse/run/loop";
	struct stat st;
	int fd;

	snprintf(path, LOOP_PATH, "/dev/loop%d", n);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	snprintf(path, LOOP_PATH, "%s%d", made, n);
	if (stat(path, &st) && mknod(path, S_IFBLK | 0600, makedev(LOOP_MAJOR_NUMBER, n)) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
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

/* Somebody may take the free one before us. */
int loop_attach(int io, const char *name, char path[LOOP_PATH])
{
	const struct loop_config config = loop_config(io, name);
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = -EBUSY;

	if (control < 0)
		return -errno;
	for (int i = 0; i < LOOP_TRIES && fd == -EBUSY; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		fd = n < 0 ? -errno : loop_open(n, path);
		if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
			int r = -errno;

			close(fd);
			fd = r;
		}
	}
	close(control);
	return fd;
}

/* The kernel says of a loop device which file is behind it. */
int loop_find(const struct stat *io, char path[LOOP_PATH])
{
	struct loop_info64 info;
	int fd, absent = 0;

	for (int n = 0; n < 1 << 20 && absent < 64; n++) {
		snprintf(path, LOOP_PATH, "/dev/loop%d", n);
		fd = open(path, O_RDWR | O_CLOEXEC);
		absent = fd < 0 ? absent + 1 : 0;
		if (fd < 0)
			continue;
		if (!ioctl(fd, LOOP_GET_STATUS64, &info) && info.lo_inode == io->st_ino &&
		    info.lo_device == (uint64_t)io->st_dev)
			return fd;
		close(fd);
	}
	return -ENOENT;
}
