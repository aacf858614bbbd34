/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ioctl can tell no more than a number. The sentence behind it goes to the caller's stderr, as one line, where
 * people who read "Invalid argument" look next; never where it would have to wait.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fronts/fuse/dev_call.h"

/* The process of thread TID: only that can be asked for its descriptors. */
static pid_t say_process(pid_t tid)
{
	char path[40], line[128];
	int tgid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && tgid < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) != 1)
			tgid = -1;
	if (f)
		fclose(f);
	return tgid;
}

static int say_stderr(pid_t tid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, say_process(tid), 0), fd = -1;

	if (pidfd >= 0) {
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, STDERR_FILENO, 0);
		close(pidfd);
	}
	return fd;
}

/* A program that tries the same again is told once. */
static bool say_again(struct fuse_file *file, const char *text)
{
	char *said;

	if (!file || (file->said && !strcmp(file->said, text)))
		return true;
	said = strdup(text);
	if (said) {
		free(file->said);
		file->said = said;
	}
	return false;
}

void dev_say(struct dev_call *c, const char *text)
{
	char line[PIPE_BUF];
	struct pollfd p = { .fd = say_again(c->file, text) ? -1 : say_stderr(c->tid), .events = POLLOUT };
	int n = snprintf(line, sizeof(line) - 1, "dmuse: %s\n", text);

	if (p.fd < 0)
		return;
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && n < (int)sizeof(line) - 1 && write(p.fd, line, (size_t)n) < 0)
		n = 0;		/* then it stays in the log alone */
	close(p.fd);
}
