/* SPDX-License-Identifier: BSD-2-Clause */
/* LVM's configuration in sessions: no udev, no helpers that run beside it, and no devices but the session's own. */
#ifndef SESSION_LVM_H
#define SESSION_LVM_H

#include <sys/stat.h>

#include "base/err.h"
#include "base/text.h"

/*
 * To be called inside a session. One process at a time may be between lvm_lock() and having closed what that returned
 * (-errno and a sentence): it asks which disks there are, and writes.
 */
int lvm_lock(struct err *e);

/* DISKS: their names, one a line. A file that says the same already is left alone. */
int lvm_write(const struct text *disks, struct err *e);

/*
 * Somebody is about to read it: what has become of loop devices is brought in. If somebody else has the lock, he sees to
 * that; he may be the one who reads, so nobody waits for him.
 */
void lvm_refresh(void);
int lvm_stat(struct stat *st);	/* of the file; 0 or -errno */
dev_t lvm_device(void);		/* of the file system that is made for it and little else; 0: there is none */

#endif
