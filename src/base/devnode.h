/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device of the machine's by its number. /dev may have no node of it, or somebody else's, or be mounted so that nodes
 * open nothing: this goes through a node on a file system of its own, to which no path leads. Only root may.
 */
#ifndef BASE_DEVNODE_H
#define BASE_DEVNODE_H

#include <sys/types.h>

/* MODE: S_IFBLK or S_IFCHR. A descriptor (close-on-exec) or -errno. */
int devnode_open(mode_t mode, dev_t number, int flags);

#endif
