/* SPDX-License-Identifier: BSD-2-Clause */
/* A function in a process of its own: see apart.h. */
#include "base/apart.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static int apart_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int apart(int (*f)(void *arg), void *arg)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction was;
	pid_t pid;
	int r;

	sigaction(SIGCHLD, &usual, &was);
	pid = fork();
	if (!pid)
		_exit(f(arg));
	r = pid < 0 ? -errno : apart_wait(pid);
	sigaction(SIGCHLD, &was, NULL);
	return r;
}
