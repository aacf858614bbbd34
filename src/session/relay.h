/* SPDX-License-Identifier: BSD-2-Clause */
/* Being a process in place of another one, our child: for the terminal, the shell, and whoever sends signals. */
#ifndef SESSION_RELAY_H
#define SESSION_RELAY_H

#include <signal.h>
#include <sys/types.h>

/* Before there is a child: signals wait from now on. OLD is the mask that the child is to have. */
void relay_begin(sigset_t *old);

/* Until CHILD has ended: passes signals on, stops when it stops. Returns its status as waitpid(2) tells it. */
int relay_wait(pid_t child);

#endif
