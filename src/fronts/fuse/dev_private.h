/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the session's supervisor asks of an io file (/dev/.dmuse/io/...) with ioctl(2), on the descriptor that it
 * opened in a program's place. A header alone: who includes it links nothing.
 */
#ifndef FRONTS_FUSE_DEV_PRIVATE_H
#define FRONTS_FUSE_DEV_PRIVATE_H

#include <stdint.h>
#include <sys/ioctl.h>

/* The stat of the node that a program opened, so that fstat can tell of it: as struct stat, in sizes of its own. */
struct dmuse_node {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, blksize;
	uint32_t rdev_major, rdev_minor;
	int64_t atime, mtime, ctime;			/* seconds */
	uint32_t atime_nsec, mtime_nsec, ctime_nsec;
	uint32_t flags;					/* of open(2), O_EXCL among them */
};

/*
 * Right after the open, once: EPERM later, for the program has it then. With O_EXCL in flags it claims the device: EBUSY if
 * another one or a table does.
 */
#define DMUSE_IOC_REMEMBER _IOW('D', 1, struct dmuse_node)
/* What was remembered; ENODATA if nothing was. */
#define DMUSE_IOC_RECALL _IOR('D', 2, struct dmuse_node)
/* The io file is behind the loop device of this number, which is to have the device's size ever after. */
#define DMUSE_IOC_LOOP _IOW('D', 3, int)
/* The number of one that is; ENODATA if there is none. */
#define DMUSE_IOC_LOOPED _IOR('D', 4, int)

/*
 * Right after the open of a list of what is mounted, once: the caller's descriptor of the kernel's, which is read and watched
 * from then on.
 */
#define DMUSE_IOC_MOUNTS _IOW('D', 5, int)

#define DEV_DISK_GROUP 6	/* of nodes: "disk" on Debian and its kin */

/* Of a directory of /dev, by root: mknod(2), which the kernel denies in user namespaces, of a device of the session's. */
struct dmuse_mknod {
	uint32_t mode, major, minor;
	char name[256];
};
#define DMUSE_IOC_MKNOD _IOW('D', 6, struct dmuse_mknod)

#endif
