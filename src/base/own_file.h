/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's own files, in directories where others may have put something else in their place. Opening never blocks,
 * follows no symbolic links, and accepts only a regular file that belongs to this user.
 */
#ifndef BASE_OWN_FILE_H
#define BASE_OWN_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Is UID this user or root? Nobody else's files and sockets are trusted. */
bool own_user(uid_t uid);

/* A descriptor of PATH, which is created (mode 0600) if it is missing; FLAGS as for open(2). -errno and a sentence. */
int own_file_open(const char *path, int flags, struct err *e);
/* The same without creating it; -ENOENT if it is missing. */
int own_file_open_old(const char *path, int flags, struct err *e);

/*
 * Locks the file PATH, which exists as long as a process has it locked or waits for that. A descriptor for
 * own_file_unlock(), or -errno and a sentence; without WAIT, -EWOULDBLOCK if another process has it.
 */
int own_file_lock(const char *path, bool wait, struct err *e);
void own_file_unlock(const char *path, int fd);

/* Whoever has FD's file locked tells others that it will be unlocked soon, or takes that back. */
void own_file_unlock_soon(int fd, bool soon);
/* Has another process said so of PATH? */
bool own_file_is_unlocked_soon(const char *path);
/* Waits until that is done, however long it takes. Nothing is locked or left behind. */
void own_file_await_unlock(const char *path);

#endif
