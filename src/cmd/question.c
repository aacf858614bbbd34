/* SPDX-License-Identifier: BSD-2-Clause */
/* See question.h. A helper thread runs the program, and waits for what it says. */
#include "cmd/question.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/blocking.h"
#include "cmd/handover.h"

#define QUESTION_PATIENCE 5000	/* milliseconds */

extern char **environ;

struct question {
	struct blocking_call call;
	void (*answered)(void *arg, const struct err *e);	/* NULL: nobody waits for the answer */
	void *arg;
	char program[PATH_MAX];
	struct err err;
};

static int question_spawn(struct question *q, int out, pid_t *pid)
{
	char *words[] = { (char[]){ "dmuse" }, (char[]){ HANDOVER_WORD }, NULL };
	posix_spawn_file_actions_t a;
	int r;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&a, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&a, STDERR_FILENO, "/dev/null", O_RDWR, 0);
	r = posix_spawn(pid, q->program, &a, NULL, words, environ);
	posix_spawn_file_actions_destroy(&a);
	return -r;
}

static int question_left(const struct timespec *since)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
	return ms < QUESTION_PATIENCE ? QUESTION_PATIENCE - (int)ms : 0;
}

/* What it says, or nothing if it takes too long. */
static void question_hear(int in, char *said, size_t size)
{
	struct pollfd p = { .fd = in, .events = POLLIN };
	struct timespec since;
	size_t n = 0;
	ssize_t got = 1;

	clock_gettime(CLOCK_MONOTONIC, &since);
	while (got > 0 && n < size - 1) {
		int left = question_left(&since);

		got = left && poll(&p, 1, left) > 0 ? read(in, said + n, size - 1 - n) : 0;
		n += got > 0 ? (size_t)got : 0;
	}
	said[n] = '\0';
}

static void question_ask(struct blocking_call *call)
{
	struct question *q = container(call, struct question, call);
	char said[128] = "";
	int fds[2], status = 0, r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		err_set(&q->err, -errno, "cannot ask %s whether it can take over: %s", q->program, strerror(errno));
		return;
	}
	r = question_spawn(q, fds[1], &pid);
	close(fds[1]);
	if (!r) {
		question_hear(fds[0], said, sizeof(said));
		kill(pid, SIGKILL);	/* it has ended, or takes too long; nobody else waits for it */
		waitpid(pid, &status, 0);
	}
	close(fds[0]);
	if (r)
		err_set(&q->err, r, "cannot run %s: %s", q->program, strerror(-r));
	else if (strcmp(said, HANDOVER_FORM))
		err_set(&q->err, -ENOEXEC, "%s is not a dmuse that can take over from this one (%s); the daemon goes on as it is", q->program,
			*said ? "it hands over in another form" : "it did not answer");
}

static void question_answered(struct blocking_call *call)
{
	struct question *q = container(call, struct question, call);

	if (q->answered)
		q->answered(q->arg, &q->err);
	free(q);
}

static void question_dropped(struct blocking_call *call)
{
	free(container(call, struct question, call));
}

struct question *question_new(struct blocking *helpers, const char *program, void (*answered)(void *arg, const struct err *e), void *arg,
			      struct err *e)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q || strlen(program) >= sizeof(q->program)) {
		err_set(e, q ? -ENAMETOOLONG : -ENOMEM, "cannot ask %.200s whether it can take over", program);
		free(q);
		return NULL;
	}
	strcpy(q->program, program);
	q->answered = answered;
	q->arg = arg;
	q->call = (struct blocking_call){ .call = question_ask, .done = question_answered, .drop = question_dropped };
	if (!blocking_start(helpers, &q->call))
		return q;
	err_set(e, -EAGAIN, "no thread to ask %s whether it can take over", program);
	free(q);
	return NULL;
}

void question_forget(struct question *q)
{
	if (q)
		q->answered = NULL;
}
