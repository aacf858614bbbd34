/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See relay.h. Signals from the terminal (^C, ^Z) reach the program directly. Only those that other processes send are
 * passed on, and the SIGHUP that the kernel sends to a session leader, which the program would have been.
 */
#include "session/relay.h"

#include <errno.h>
#include <poll.h>
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

void relay_begin(struct relay_signals *was)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t set;

	relay_set(&set);
	sigprocmask(SIG_BLOCK, &set, &was->mask);
	sigaction(SIGCHLD, &usual, &was->child);
}

void relay_restore(const struct relay_signals *was)
{
	sigaction(SIGCHLD, &was->child, NULL);
	sigprocmask(SIG_SETMASK, &was->mask, NULL);
}

/* Stops as the program has stopped, so that our shell notices, and continues the program when we are continued. */
static void relay_stop(pid_t program, int signal)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction was;
	sigset_t one, old;

	sigemptyset(&one);
	sigaddset(&one, signal);
	if (signal != SIGSTOP)
		sigaction(signal, &usual, &was);
	raise(signal);		/* one from the terminal may be pending already: they count as one */
	sigprocmask(SIG_UNBLOCK, &one, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (signal != SIGSTOP)
		sigaction(signal, &was, NULL);
	kill(program, SIGCONT);
}

static void relay_close(struct relay *r)
{
	if (r->listener >= 0)
		close(r->listener);
	r->listener = -1;
}

static bool relay_over(struct relay *r, int *status)
{
	if (r->supervisor && waitpid(r->supervisor, NULL, WNOHANG) == r->supervisor) {
		r->supervisor = 0;
		relay_close(r);
	}
	while (waitpid(r->program, status, WNOHANG | WUNTRACED) == r->program) {
		if (!WIFSTOPPED(*status))
			return true;
		relay_stop(r->program, WSTOPSIG(*status));
	}
	return false;
}

static void relay_pass(pid_t program, const siginfo_t *info)
{
	if (info->si_pid == program)
		return;		/* the program sent it to its own process group, and has it already */
	if (info->si_code == SI_QUEUE)
		sigqueue(program, info->si_signo, info->si_value);
	else if (info->si_code == SI_USER || info->si_code == SI_TKILL ||
		 (info->si_signo == SIGHUP && getsid(0) == getpid()))
		kill(program, info->si_signo);
}

/* The listener reports a hang-up when the last process under the filter has ended, which is when the supervisor ends. */
static void relay_end(struct relay *r)
{
	struct pollfd p = { .fd = r->listener };
	bool last = r->listener < 0 || (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP));

	relay_close(r);
	while (r->supervisor && last && waitpid(r->supervisor, NULL, 0) < 0 && errno == EINTR)
		;
}

int relay_wait(struct relay *r)
{
	siginfo_t info;
	sigset_t set;
	int status;

	relay_set(&set);
	while (!relay_over(r, &status))
		if (sigwaitinfo(&set, &info) >= 0 && info.si_signo != SIGCHLD)
			relay_pass(r->program, &info);
	relay_end(r);
	return status;
}
