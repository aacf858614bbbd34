/* SPDX-License-Identifier: BSD-2-Clause */
/* See background.h. */
#include "cmd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own_file.h"
#include "cmd/job.h"

#define BACKGROUND_LOG_MOST (1 << 20)	/* bytes of earlier daemons' log that are kept */

/* In the parent: 0 once the daemon serves; else it has said why not. */
static int background_wait_ready(int fd)
{
	char c;
	ssize_t n;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? EXIT_OK : EXIT_FAILED;
}

/* A new session without terminal. stderr is kept until the daemon serves, so that its message reaches the caller. */
static void background_leave(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
	if (chdir("/"))
		return;		/* then some other directory stays in use, nothing worse */
}

static int background_fork(struct background *b, struct err *e)
{
	int fds[2], code;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0) {
		err_set(e, -errno, "cannot fork into the background: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (pid) {
		close(fds[1]);
		code = background_wait_ready(fds[0]);
		close(fds[0]);
		return code;
	}
	close(fds[0]);
	b->ready_fd = fds[1];
	background_leave();
	return -1;
}

int background_begin(struct background *b, const char *log, struct err *e)
{
	b->log_fd = own_file_open(log, O_WRONLY | O_APPEND, e);
	return b->log_fd < 0 ? EXIT_FAILED : background_fork(b, e);
}

static void background_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void background_log(struct background *b)
{
	struct stat st;

	if (!fstat(b->log_fd, &st) && st.st_size > BACKGROUND_LOG_MOST && ftruncate(b->log_fd, 0))
		log_warn("cannot truncate the log: %s", strerror(errno));
	dup2(b->log_fd, STDERR_FILENO);
	background_close(&b->log_fd);
	log_with_time();
}

void background_served(struct background *b)
{
	if (b->log_fd >= 0)
		background_log(b);
	if (b->ready_fd >= 0 && write(b->ready_fd, "\n", 1) < 0)
		log_warn("the process that started this daemon has exited");
	background_close(&b->ready_fd);
}

void background_told_by_other(struct background *b)
{
	background_close(&b->ready_fd);
}

void background_is_log(void)
{
	if (chdir("/"))
		log_warn("the directory in which the daemon was started stays in use: %s", strerror(errno));
	log_with_time();
}
