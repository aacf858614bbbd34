/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ender: a child process of the daemon that cleans up a session at its end. It unmounts what programs have mounted
 * there, deepest first, detaches their loop devices, and waits for processes that still use any of this, or a device.
 * When the time is up, these are named and get SIGTERM, then SIGKILL.
 */
#ifndef SESSION_ENDER_H
#define SESSION_ENDER_H

#define ENDER_WORD "session-ender"	/* the program's first word */

/* Runs the process; its socket is HOLDER_FD. Returns the exit code. */
int ender_main(void);

#endif
