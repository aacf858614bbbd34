/* SPDX-License-Identifier: BSD-2-Clause */
/* A daemon for one invocation of the program: in a temporary directory of its own, and gone with whoever started it. */
#ifndef CMD_PRIVATE_H
#define CMD_PRIVATE_H

#include <sys/types.h>

#include "base/err.h"
#include "cmd/paths.h"

struct private {
	pid_t pid;		/* our child; 0: there is none */
	int life;		/* while this is open, it lives */
	char control[PATHS_MAX];
};

/* Returns when it serves. SECONDS: its stop_timeout. 0, or -errno and a sentence. */
int private_start(struct private *p, unsigned seconds, struct err *e);

/* From now on a signal to us that would end a program makes the daemon end what is left in its session, without a wait. */
void private_hurry_on_signals(const struct private *p);

/* It was told to end, or ends now; returns when nothing of it is left. */
void private_end(struct private *p);

#endif
