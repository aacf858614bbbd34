/* SPDX-License-Identifier: BSD-2-Clause */
/* The paths of sockets: `dmuse help` has the rules in words. */
#ifndef CMD_PATHS_H
#define CMD_PATHS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define PATHS_MAX 108	/* size in sockaddr_un, including NUL */

/*
 * The control socket: GIVEN unless it is NULL, else $DMUSE_SOCKET, else the default for this user. 0, or -errno and a
 * sentence.
 */
int paths_control(char out[PATHS_MAX], const char *given, struct err *e);

/* The system daemon's socket if root's default is another one (in an XDG directory), else NULL. */
const char *paths_second(const char *given);

/* Another place where a daemon's socket exists: the system's, or that of the user who called sudo. */
bool paths_elsewhere(char out[PATHS_MAX], const char *path, uid_t *owner);

/* NAME in the directory of the socket CONTROL. */
int paths_beside(char out[PATHS_MAX], const char *control, const char *name, struct err *e);

/*
 * Creates the directory of the socket CONTROL, for its owner only (with OPEN, others may traverse it). An existing one
 * must belong to this user or root and be writable for nobody else, unless it is sticky like /tmp.
 */
int paths_make_directory(const char *control, bool open, struct err *e);

/* The first directory of the absolute PATH that other users cannot traverse, in DIRECTORY; false if there is none. */
bool paths_closed(const char *path, char directory[PATHS_MAX]);

/* PATH made absolute (freed by the caller), or NULL and a sentence. */
char *paths_absolute(const char *path, struct err *e);

#endif
