/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a daemon: see start.h. The child is this same program; it goes into
 * the background by itself and ends when the daemon serves, so there is nothing to poll.
 */
#include "cmd/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/paths.h"

int start_lock(const char *control, struct err *e)
{
	char path[PATHS_MAX];
	int r = paths_make_folder(control, false, e), fd;

	if (!r)
		r = paths_beside(path, control, ".", e);
	if (r)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "cannot open %s: %s", path, strerror(errno));
	while (flock(fd, LOCK_EX))
		if (errno != EINTR) {
			r = err_set(e, -errno, "cannot lock %s: %s", path, strerror(errno));
			close(fd);
			return r;
		}
	return fd;
}

void start_forget_environment(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("JOURNAL_STREAM");
}

/* Nothing of the caller's is to live on in the daemon: no descriptor, and nothing that systemd told the caller. */
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
