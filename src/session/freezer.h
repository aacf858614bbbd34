/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The freezer: a child process of the daemon that freezes the file systems mounted on a device in a session. It thaws
 * them when it is told to, and when the daemon is gone: a frozen file system could not even be unmounted.
 */
#ifndef SESSION_FREEZER_H
#define SESSION_FREEZER_H

#define FREEZER_WORD "session-freezer"	/* the program's first word */
#define FREEZER_NAME "dmuse-freezer"	/* as ps(1) shows it */

/* Runs the process; its socket is HOLDER_FD. Returns the exit code. */
int freezer_main(void);

#endif
