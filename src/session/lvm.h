/* SPDX-License-Identifier: BSD-2-Clause */
/* LVM's configuration in sessions: no udev, no daemons but a dmeventd of the session's own, and only the session's own devices. */
#ifndef SESSION_LVM_H
#define SESSION_LVM_H

#include <sys/stat.h>

#include "base/err.h"
#include "base/text.h"

/* Is there a dmeventd that can watch LVM's snapshots and mirrors? */
bool lvm_is_watched(void);

/*
 * To be called inside a session. Only one process at a time may be between lvm_lock() and closing what it returned
 * (-errno and a sentence): it asks which disks there are, and writes.
 */
int lvm_lock(struct err *e);

/* DISKS: their names, one per line. A file that has this content already is left alone. */
int lvm_write(const struct text *disks, struct err *e);

/*
 * To be called when the file is about to be read: updates it to the current loop devices. If another process has the
 * lock, it will do that; it may be the reader itself, so it is not waited for.
 */
void lvm_refresh(void);
int lvm_stat(struct stat *st);	/* of the file; 0 or -errno */
dev_t lvm_device(void);		/* of the file system that contains it and little else; 0: there is none */

#endif
