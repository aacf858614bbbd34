/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's child processes in sessions (holder, ender, freezer): this same program, started with a word that says
 * which.
 */
#ifndef SESSION_HELPER_H
#define SESSION_HELPER_H

#include <stdbool.h>
#include <sys/types.h>

/* As ps(1) shows them, and the supervisors, which are children of `dmuse exec`. */
#define HELPER_HOLDER "dmuse-session"
#define HELPER_ENDER "dmuse-ender"
#define HELPER_FREEZER "dmuse-freezer"
#define HELPER_SUPERVISOR "dmuse-supervise"

/* SOCKET becomes descriptor HOLDER_FD of the child. 0 or -errno. */
int helper_spawn(const char *word, int socket, pid_t *pid);

/*
 * Is the process whose directory in /proc is PROC a holder, an ender, a freezer or a supervisor? Also one of another version of this program:
 * the daemon may have been replaced since it was started, and `dmuse exec` may be another one anyway.
 */
bool helper_is(int proc);

/* Does the process run the file that this one runs? */
bool helper_runs_this(int proc);

#endif
