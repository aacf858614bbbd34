/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the sockets live: dmuse help says it in words. */
#ifndef CMD_PATHS_H
#define CMD_PATHS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define PATHS_MAX 108	/* room of sockaddr_un, with the NUL */

/* The control socket: GIVEN if not NULL, else $DMUSE_SOCKET, else the place for this user. 0, or -errno and a sentence. */
int paths_control(char out[PATHS_MAX], const char *given, struct err *e);

/* The system daemon's socket if root looked elsewhere first (an XDG directory), else NULL. */
const char *paths_second(const char *given);

/* Another place than PATH in which a daemon's socket is: the system's, or that of the user who called sudo. */
bool paths_elsewhere(char out[PATHS_MAX], const char *path, uid_t *owner);

/* NAME in the directory of the socket CONTROL. */
int paths_beside(char out[PATHS_MAX], const char *control, const char *name, struct err *e);

/*
 * Makes the directory of the socket CONTROL, for its owner only (with OPEN others may pass through it). One that
 * is there already must belong to this user or root and be writable for no other, unless it is sticky as /tmp is.
 */
int paths_make_directory(const char *control, bool open, struct err *e);

/* The first directory on the way to the absolute PATH that other users cannot pass through, in DIRECTORY; false if none. */
bool paths_closed(const char *path, char directory[PATHS_MAX]);

/* PATH made absolute (freed by the caller), or NULL and a sentence. */
char *paths_absolute(const char *path, struct err *e);

#endif
