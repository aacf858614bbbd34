/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the daemon's own in directories where others may have put something else in their place. Opening never
 * waits, follows no symbolic link, and takes nothing but a regular file that belongs to this user alone.
 */
#ifndef BASE_OWN_FILE_H
#define BASE_OWN_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Is UID this user or root? Nobody else's files and sockets are trusted. */
bool own_user(uid_t uid);

/* A descriptor of PATH, which is made (mode 0600) if it is not there; FLAGS as of open(2). -errno and a sentence. */
int own_file_open(const char *path, int flags, struct err *e);

/*
 * Locks the file PATH, which is there as long as somebody has it locked or waits for that. A descriptor for
 * own_file_unlock(), or -errno and a sentence; without WAIT -EWOULDBLOCK if another has it.
 */
int own_file_lock(const char *path, bool wait, struct err *e);
void own_file_unlock(const char *path, int fd);

#endif
