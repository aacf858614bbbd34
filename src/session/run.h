/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a program in a session. Three processes come of it:
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
	RUN_FAILED = 125,	/* as env(1) and timeout(1) have them: we could not even try */
	RUN_CANNOT = 126,	/* it is there and cannot be run */
	RUN_MISSING = 127,	/* it is not there */
};

struct run {
	char *const *argv;
	const struct join *join;	/* NULL: we are in the session already, and supervised */
	const char *cwd;
	uint32_t major;			/* of the mapped devices */
	int (*inside)(void *arg, struct err *e);	/* in the program's process, before it is one: 0, or -errno, sentence */
	void *arg;
	void (*say)(const char *fmt, ...) __attribute__((format(printf, 1, 2)));	/* on stderr */
};

/* Runs it to its end. *STATUS is as waitpid(2) tells it; what failed before that has been said, and is a RUN_... */
int run_program(const struct run *r, int *status, struct err *e);

/* A supervisor that has nobody left ends: waits for that, a moment. */
void run_reap(void);

/* Ends this process as STATUS says: with the exit code that is returned, or by the same signal. */
int run_end_like(int status);

#endif
