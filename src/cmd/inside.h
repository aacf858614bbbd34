/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program finds in a session besides the devices: its environment, and LVM's configuration. */
#ifndef CMD_INSIDE_H
#define CMD_INSIDE_H

#include "base/err.h"

/*
 * In the program's process, inside: CONTROL is the daemon's socket, SESSION names the session. 0, or -errno and a
 * sentence.
 */
int inside_prepare(const char *control, const char *session, struct err *e);

/* dmsetup, mkfs and the like are not on the path of an ordinary user, who may run them here: it has their directories from now on. */
void inside_path(void);

/* Makes programs load the library that answers NetBSD's ioctl (src/preload). 0, or -ENOENT and a sentence. */
int inside_netbsd(struct err *e);

#endif
