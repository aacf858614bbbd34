/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The freezer: a process of the daemon's that freezes the file systems which are mounted on a device in a session, and
 * thaws them when it is told to, or when the daemon is gone: a frozen file system could not even be unmounted.
 */
#ifndef SESSION_FREEZER_H
#define SESSION_FREEZER_H

#define FREEZER_WORD "session-freezer"	/* the program's first word */

/* Its whole life; its socket is HOLDER_FD. Returns the exit code. */
int freezer_main(void);

#endif
