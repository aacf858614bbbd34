/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ender: a process of the daemon's that goes into a session at its end and brings order: what programs have mounted
 * there is unmounted, deepest first, their loop devices are detached, and processes that still use any of it, or a
 * device, are waited for. When the time is up they are named, get SIGTERM and then SIGKILL.
 */
#ifndef SESSION_ENDER_H
#define SESSION_ENDER_H

#define ENDER_WORD "session-ender"	/* the program's first word */

/* Its whole life; its socket is HOLDER_FD. Returns the exit code. */
int ender_main(void);

#endif
