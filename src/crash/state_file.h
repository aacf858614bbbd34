/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state disk as a file, DIRECTORY/disk (FUSE), for loop devices, file system programs and checks. Each state is a file of its own to
 * the kernel, which keeps nothing of the one before.
 *
 * A process of its own serves it, outside of the mount namespace in which it is mounted. For when a namespace ends, what is mounted on the file is
 * unmounted by whichever process was the last in it; the server of the file would then wait for itself, and every sync(2) of the machine for it.
 */
#ifndef CRASH_STATE_FILE_H
#define CRASH_STATE_FILE_H

#include <sys/types.h>

#include "crash/state_disk.h"

#define STATE_FILE_NAME "disk"

struct state_file {
	pid_t server;
	int socket;			/* to it */
};

/*
 * Starts the process. When the caller has ended, it ends all that is left in the namespace where the file is mounted, and itself. BASE: mapped. 0,
 * or -errno and a sentence.
 */
int state_file_start(struct state_file *f, const struct history *h, const uint8_t *base, struct err *e);

/* Mounts on DIRECTORY, in a mount namespace that the caller has entered since. */
int state_file_mount(struct state_file *f, const char *directory, struct err *e);

/* The file is that state now; who still has another one open gets EIO. */
int state_file_become(struct state_file *f, const struct state *s, struct err *e);

/* Nothing is mounted on the file any more: the process ends, and is waited for. */
void state_file_end(struct state_file *f);

#endif
