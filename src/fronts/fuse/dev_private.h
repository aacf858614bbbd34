/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the session's supervisor asks of an io file (/dev/.dmuse/io/...) with ioctl(2), on the descriptor that it opened
 * in a program's place. Only a header: including it links nothing.
 */
#ifndef FRONTS_FUSE_DEV_PRIVATE_H
#define FRONTS_FUSE_DEV_PRIVATE_H

#include <stdint.h>
#include <sys/ioctl.h>

/* The stat of the node that a program opened, for fstat to return: as struct stat, with sizes of its own. */
struct dmuse_node {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, blksize;
	uint32_t rdev_major, rdev_minor;
	int64_t atime, mtime, ctime;			/* seconds */
	uint32_t atime_nsec, mtime_nsec, ctime_nsec;
	uint32_t flags;					/* of open(2), O_EXCL among them */
};

/*
 * Allowed once, right after the open; EPERM later, because the program has the file then. With O_EXCL in flags it
 * claims the device: EBUSY if another file or a table has it.
 */
#define DMUSE_IOC_REMEMBER _IOW('D', 1, struct dmuse_node)
/* Returns what was remembered; ENODATA if nothing was. */
#define DMUSE_IOC_RECALL _IOR('D', 2, struct dmuse_node)
/* The io file is behind the loop device of this number, which from now on follows the device's size. */
#define DMUSE_IOC_LOOP _IOW('D', 3, int)
/* The number of a loop device that is on this file; ENODATA if there is none. */
#define DMUSE_IOC_LOOPED _IOR('D', 4, int)

/*
 * Allowed once, right after the open of a list of mounts: the caller's descriptor of the kernel's list, which is read
 * and watched from then on.
 */
#define DMUSE_IOC_MOUNTS _IOW('D', 5, int)

#define DEV_DISK_GROUP 6	/* the group of device nodes: "disk" on Debian and its derivatives */

/* On a directory of /dev, by root: mknod(2), which the kernel refuses in user namespaces, of a device of the session. */
struct dmuse_mknod {
	uint32_t mode, major, minor;
	char name[256];
};
#define DMUSE_IOC_MKNOD _IOW('D', 6, struct dmuse_mknod)

#endif
