/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a program in a session. This takes three processes:
 *
 *   us           waits, passes signals on, and stops and ends as the program does (relay.h)
 *   program      our child, in the session, under the supervisor's filter
 *   supervisor   our child too, in the session; a terminal session of its own, and it outlives us
 *                as long as the program has left others behind
 */
#ifndef SESSION_RUN_H
#define SESSION_RUN_H

#include <stdint.h>

#include "session/join.h"

enum run_status {
	RUN_FAILED = 125,	/* as in env(1) and timeout(1): we could not even try */
	RUN_CANNOT = 126,	/* it exists but cannot be executed */
	RUN_MISSING = 127,	/* it does not exist */
};

struct run {
	char *const *argv;
	const struct join *join;	/* NULL: we are in the session already, and supervised */
	const char *cwd;
	uint32_t major;			/* of the mapped devices */
	int (*inside)(void *arg, struct err *e);	/* called in the program's process before exec: 0, or -errno */
	void *arg;
	void (*say)(const char *fmt, ...) __attribute__((format(printf, 1, 2)));	/* on stderr */
};

/* Runs it to its end. *STATUS is as waitpid(2) returns it. Earlier failures have been printed, and are one of RUN_... */
int run_program(const struct run *r, int *status, struct err *e);

/* Waits briefly for a supervisor that is about to end because it has no processes left. */
void run_reap(void);

/* Ends this process like STATUS: with the exit code that is returned, or by the same signal. */
int run_end_like(int status);

#endif
