/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's child processes in sessions (holder, ender, freezer): this same program, started with a word that says
 * which.
 */
#ifndef SESSION_HELPER_H
#define SESSION_HELPER_H

#include <sys/types.h>

/* SOCKET becomes descriptor HOLDER_FD of the child. 0 or -errno. */
int helper_spawn(const char *word, int socket, pid_t *pid);

#endif
