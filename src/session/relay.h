/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands in for another process, our child: for the terminal, the shell, and those that send signals. */
#ifndef SESSION_RELAY_H
#define SESSION_RELAY_H

#include <signal.h>
#include <sys/types.h>

/* The caller's signal settings, which the program is to get. */
struct relay_signals {
	sigset_t mask;
	struct sigaction child;
};

/*
 * Before there is a child: blocks signals from now on, and makes sure that children can be waited for, even if the
 * caller ignores SIGCHLD.
 */
void relay_begin(struct relay_signals *was);
/* In the child. */
void relay_restore(const struct relay_signals *was);

struct relay {
	pid_t program, supervisor;	/* our children; supervisor 0: there is none */
	int listener;			/* also the supervisor's; -1 */
};

/*
 * Runs until the program has ended: passes signals on, stops when it stops. Returns its status as waitpid(2) does. By
 * then the supervisor has ended, unless other processes are left for it. If the supervisor dies earlier, the listener
 * is closed: calls that nobody answers fail.
 */
int relay_wait(struct relay *r);

#endif
