/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ioctl can return only a number. The sentence goes to the caller's stderr as one line, where people who read
 * "Invalid argument" look next; nobody waits long for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/process.h"
#include "base/timers.h"
#include "fronts/fuse/dev_call.h"

#define SAY_PATIENCE (TIMERS_SECOND / 10)	/* it should come before the caller's own message */
#define SAY_MOST 4	/* threads that write or hang; they are the same that open files for tables */

/* A program that repeats a failing call is told once. */
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

/*
 * stderr may block: it may be a file on a suspended device or on a dead file server. So a helper thread opens it and
 * writes. After a moment the call continues without it, and the daemon does not wait for it when it ends.
 */
struct say {
	struct blocking_call call;
	struct fuse_front *front;
	struct timer patience;
	struct dev_call *told;		/* the call that waits; NULL: none any more */
	void (*then)(struct dev_call *c);
	pid_t tid;
	int n;
	char line[PIPE_BUF];
};

static void say_write(struct blocking_call *call)
{
	struct say *s = container(call, struct say, call);
	int fd = process_fetch_or_open(AT_FDCWD, s->tid, STDERR_FILENO, O_WRONLY);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return;
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && write(fd, s->line, (size_t)s->n) < 0)
		s->n = 0;	/* it is only in the log then */
	close(fd);
}

static void say_drop(struct blocking_call *call)
{
	free(container(call, struct say, call));
}

static void say_over(struct blocking_call *call)
{
	struct say *s = container(call, struct say, call);

	timer_stop(&s->patience);
	s->front->n_saying--;
	if (s->told)
		s->then(s->told);
	free(s);
}

static void say_too_long(struct timer *t)
{
	struct say *s = container(t, struct say, patience);
	struct dev_call *c = s->told;

	if (blocking_give_up(s->front->world->helpers, &s->call)) {
		say_over(&s->call);
		return;
	}
	s->told = NULL;
	s->then(c);
}

static bool say_start(struct dev_call *c, struct say *s, void (*then)(struct dev_call *c))
{
	struct fuse_front *f = c->mount->front;

	s->call.call = say_write;
	s->call.done = say_over;
	s->call.drop = say_drop;
	s->front = f;
	s->told = c;
	s->then = then;
	timer_init(&s->patience, say_too_long);
	if (f->n_saying >= SAY_MOST || blocking_start(f->world->helpers, &s->call))
		return false;
	f->n_saying++;
	loop_timer(f->world->loop, &s->patience, SAY_PATIENCE);
	return true;
}

bool dev_say(struct dev_call *c, const char *text, void (*then)(struct dev_call *c))
{
	struct say *s = say_again(c->file, text) ? NULL : calloc(1, sizeof(*s));

	if (!s)
		return false;
	s->tid = c->tid;
	s->n = snprintf(s->line, sizeof(s->line), "dmuse: %s\n", text);
	if (s->n < (int)sizeof(s->line) && say_start(c, s, then))
		return true;
	free(s);
	return false;
}
