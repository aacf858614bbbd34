/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ioctl can tell no more than a number. The sentence behind it goes to the caller's stderr, as one line, where
 * people who read "Invalid argument" look next; nobody waits long for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "fronts/fuse/dev_call.h"

#define SAY_PATIENCE 100	/* milliseconds: it should stand above what the caller itself says */

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

/* A file may wait for its disk, which may be one of ours that is suspended: a thread of its own looks for it and writes. */
struct say {
	struct fuse_job job;
	pid_t tid;
	int n;
	char line[PIPE_BUF];
};

static void say_run(struct fuse_job *job)
{
	struct say *s = container(job, struct say, job);
	int fd = process_fetch_or_open(AT_FDCWD, s->tid, STDERR_FILENO, O_WRONLY);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return;
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && write(fd, s->line, (size_t)s->n) < 0)
		s->n = 0;	/* then it stays in the log alone */
	close(fd);
}

static void say_over(struct fuse_job *job)
{
	free(container(job, struct say, job));
}

void dev_say(struct dev_call *c, const char *text)
{
	struct say *s = say_again(c->file, text) ? NULL : malloc(sizeof(*s));

	if (!s)
		return;
	s->tid = c->tid;
	s->n = snprintf(s->line, sizeof(s->line), "dmuse: %s\n", text);
	s->job.run = say_run;
	s->job.over = say_over;
	if (s->n < (int)sizeof(s->line) && !fuse_job_start(&s->job, c->mount->front))
		fuse_job_wait(&s->job, SAY_PATIENCE);
	else
		free(s);
}
