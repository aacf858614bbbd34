/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a device of the machine by its number. /dev may have no node for it, or a wrong one, or be mounted with nodev.
 * So this uses a node on a file system of its own, to which no path leads. Only root may do it.
 */
#ifndef BASE_DEVNODE_H
#define BASE_DEVNODE_H

#include <sys/types.h>

/* MODE: S_IFBLK or S_IFCHR. A descriptor (close-on-exec) or -errno. */
int devnode_open(mode_t mode, dev_t number, int flags);

#endif
