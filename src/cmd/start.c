/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a daemon: see start.h. The child runs this same program, which goes into the background by itself and exits
 * when the daemon serves, so there is nothing to poll.
 */
#include "cmd/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own_file.h"
#include "base/own_socket.h"
#include "cmd/say.h"

int start_lock(struct start *s, const char *control, struct err *e)
{
	int r = paths_make_directory(control, false, e);

	if (r)
		return r;
	snprintf(s->path, sizeof(s->path), "%s.start", control);
	s->lock = own_file_lock(s->path, true, e);
	return s->lock < 0 ? s->lock : 0;
}

void start_unlock(struct start *s)
{
	own_file_unlock(s->path, s->lock);
}

bool start_await_end(const char *control)
{
	if (!own_socket_is_ending(control))
		return false;
	say_note("the daemon on %s has not ended yet: waiting for it", control);
	own_socket_await_end(control);
	return true;
}

void start_forget_environment(void)
{
	static const char *const names[] = {
		"NOTIFY_SOCKET", "FDSTORE", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC", "JOURNAL_STREAM",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		unsetenv(names[i]);
}

/* The daemon keeps nothing of the caller's: no descriptors, and none of systemd's environment variables. */
static void start_become(const char *control)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	start_forget_environment();
	execl("/proc/self/exe", "dmuse", "daemon", "--socket", control, (char *)NULL);
	_exit(127);
}

int start_daemon(const char *control, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		start_become(control);
	if (pid < 0)
		return err_set(e, -errno, "cannot start a daemon: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, -errno, "cannot start a daemon: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(e, -EIO, "the daemon did not start on %s", control);
	return 0;
}
