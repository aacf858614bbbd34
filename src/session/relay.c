/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See relay.h. What the terminal sends (^C, ^Z, a hang-up) goes to the child as well, without us: only what other
 * processes send is passed on.
 */
#include "session/relay.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static void relay_set(sigset_t *set)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
	size_t i;

	sigfillset(set);
	for (i = 0; i < sizeof(own) / sizeof(*own); i++)
		sigdelset(set, own[i]);
}

void relay_begin(sigset_t *old)
{
	sigset_t set;

	relay_set(&set);
	sigprocmask(SIG_BLOCK, &set, old);
}

/* Stops as the child has stopped, so that our shell notices, and wakes the child when we are woken. */
static void relay_stop(pid_t child, int signal)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction was;
	sigset_t one, old;

	sigemptyset(&one);
	sigaddset(&one, signal);
	if (signal != SIGSTOP)
		sigaction(signal, &usual, &was);
	sigprocmask(SIG_UNBLOCK, &one, &old);
	raise(signal);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (signal != SIGSTOP)
		sigaction(signal, &was, NULL);
	kill(child, SIGCONT);
}

static bool relay_over(pid_t child, int *status)
{
	while (waitpid(child, status, WNOHANG | WUNTRACED) == child) {
		if (!WIFSTOPPED(*status))
			return true;
		relay_stop(child, WSTOPSIG(*status));
	}
	return false;
}

static void relay_pass(pid_t child, const siginfo_t *info)
{
	if (info->si_pid == child)
		return;		/* to its own process group: it has it */
	if (info->si_code == SI_QUEUE)
		sigqueue(child, info->si_signo, info->si_value);
	else if (info->si_code == SI_USER || info->si_code == SI_TKILL)
		kill(child, info->si_signo);
}

int relay_wait(pid_t child)
{
	siginfo_t info;
	sigset_t set;
	int status;

	relay_set(&set);
	while (!relay_over(child, &status))
		if (sigwaitinfo(&set, &info) >= 0 && info.si_signo != SIGCHLD)
			relay_pass(child, &info);
	return status;
}
