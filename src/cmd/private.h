/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon for one invocation of the program: in a temporary directory of its own; it ends with the program that
 * started it.
 */
#ifndef CMD_PRIVATE_H
#define CMD_PRIVATE_H

#include <sys/types.h>

#include "base/err.h"
#include "cmd/paths.h"

struct private {
	pid_t pid;		/* our child, the daemon or its keeper; 0: none */
	int life;		/* the daemon runs while this is open */
	char control[PATHS_MAX];
};

/* Its time limits, in seconds: see serve.h, and keeper.h. */
struct private_times {
	unsigned stop, open, restart;
};

/* Returns when it serves. 0, or -errno and a sentence. */
int private_start(struct private *p, struct private_times times, struct err *e);

/* From now on, a signal that would end this process makes the daemon end what is left in its session without waiting. */
void private_end_on_signals(const struct private *p);

/* Ends the daemon, unless it was told to end already; returns when it has ended completely. */
void private_end(struct private *p);

#endif
