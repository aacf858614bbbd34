/* SPDX-License-Identifier: BSD-2-Clause */
/* Being a process in place of another one, our child: for the terminal, the shell, and whoever sends signals. */
#ifndef SESSION_RELAY_H
#define SESSION_RELAY_H

#include <signal.h>
#include <sys/types.h>

/* What the program is to have as the caller had it. */
struct relay_signals {
	sigset_t mask;
	struct sigaction child;
};

/* Before there is a child: signals wait from now on, and children are waited for, even if the caller wanted none. */
void relay_begin(struct relay_signals *was);
/* In the child. */
void relay_restore(const struct relay_signals *was);

struct relay {
	pid_t program, supervisor;	/* our children; supervisor 0: there is none */
	int listener;			/* the supervisor has it, too; -1 */
};

/*
 * Until the program has ended: passes signals on, stops when it stops. Returns its status as waitpid(2) tells it. The
 * supervisor is gone then, unless others are left for it; when it dies before, the listener is closed: calls that
 * nobody answers fail.
 */
int relay_wait(struct relay *r);

#endif
