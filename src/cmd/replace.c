/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See replace.h. The steps: the other program is asked whether it can take over (a child, which says HANDOVER_FORM); TLS
 * connections are told to end; all devices stand still (core/device/move_hand_over.c); NBD connections are saved; execve(2).
 * Each may fail, and then all goes on here.
 */
#include "cmd/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/keep.h"
#include "base/log.h"
#include "base/notify.h"
#include "cmd/handover.h"
#include "core/command/do.h"
#include "core/device/move.h"
#include "core/state/handed.h"
#include "core/table/nameless.h"
#include "fronts/nbd/nbd.h"

#define REPLACE_ASK 5000	/* milliseconds for the other program to say whether it can */
#define REPLACE_PATIENCE (5 * TIMERS_SECOND)	/* for the devices to stand still */

extern char **environ;

struct replace {
	struct dm_world *world;
	struct nbd *nbd;
	struct replace_opts o;
	struct dm_cmd *cmd;		/* that is being carried out, or NULL */
	void (*done)(struct dm_cmd *c);	/* its own */
	struct timer patience;
	char id[HANDOVER_ID + 1], why[ERR_TEXT];	/* of the command that has led here */
};

/* The other program is being asked. It outlives its command, which may be given up. */
struct question {
	struct blocking_call call;
	struct replace *replace;	/* NULL: nobody waits for the answer */
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
	return ms < REPLACE_ASK ? REPLACE_ASK - (int)ms : 0;
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

static void replace_over(struct dm_cmd *c)
{
	struct replace *r = c->pending;

	timer_stop(&r->patience);
	r->cmd = NULL;
	c->done = r->done;
	if (c->reply.err.code)
		log_warn("the daemon was not replaced: %s", c->reply.err.text);
	c->done(c);
}

static void replace_give_up(struct dm_cmd *c)
{
	dm_pending_done(c);
	dm_finish(c);
}

/* The devices do not stand still. */
static void replace_too_long(struct timer *t)
{
	struct replace *r = container(t, struct replace, patience);
	struct text where = TEXT_INIT;

	dm_move_where(r->world, &where);
	err_set(&r->cmd->reply.err, -ETIMEDOUT, "the devices did not stand still within %u s, and go on as before: %.*s",
		(unsigned)(REPLACE_PATIENCE / TIMERS_SECOND), (int)(where.len ? where.len - 1 : 0), text_str(&where));
	text_free(&where);
	dm_cancel(r->cmd);
}

static void question_answered(struct blocking_call *call)
{
	struct question *q = container(call, struct question, call);
	struct replace *r = q->replace;
	struct dm_cmd *c = r->cmd;
	bool wanted = c && c->give_up == replace_give_up;

	if (wanted)
		dm_pending_done(c);
	if (wanted && q->err.code) {
		c->reply.err = q->err;
		dm_finish(c);
	} else if (wanted && dm_hand_over_may(r->world, &c->reply.err)) {
		dm_finish(c);
	} else if (wanted) {
		if (r->nbd)
			nbd_end_tls(r->nbd);
		loop_timer(r->world->loop, &r->patience, REPLACE_PATIENCE);
		dm_move_hand_over(c);
	}
	free(q);
}

static void question_dropped(struct blocking_call *call)
{
	free(container(call, struct question, call));
}

static bool replace_was_answered(const struct replace *r, struct dm_cmd *c)
{
	if (!c->id || !*c->id || strcmp(c->id, r->id))
		return false;
	if (*r->why)
		dm_fail(c, -ENOEXEC, "%s", r->why);
	else
		dm_finish(c);
	return true;
}

static const char *replace_forbidden(const struct replace *r)
{
	if (r->cmd)
		return "the daemon is being replaced already";
	if (!r->o.forbidden && !keep_is_there())
		return "this daemon has neither a keeper nor a service manager that keeps descriptors (FileDescriptorStoreMax=), so no "
		       "other can take it over";
	return r->o.forbidden;
}

static void replace_asked(struct dm_world *w, struct dm_cmd *c)
{
	struct replace *r = w->replacer;
	struct question *q;

	if (replace_was_answered(r, c))
		return;
	if (replace_forbidden(r)) {
		dm_fail(c, r->cmd ? -EBUSY : -ENOTSUP, "%s", replace_forbidden(r));
		return;
	}
	q = calloc(1, sizeof(*q));
	if (!q || strlen(c->message) >= sizeof(q->program)) {
		dm_fail(c, q ? -ENAMETOOLONG : -ENOMEM, "cannot ask %.200s whether it can take over", c->message);
		free(q);
		return;
	}
	strcpy(q->program, c->message);
	q->replace = r;
	q->call = (struct blocking_call){ .call = question_ask, .done = question_answered, .drop = question_dropped };
	r->cmd = c;
	r->done = c->done;
	c->done = replace_over;
	dm_pending(c, r, replace_give_up);
	if (blocking_start(w->helpers, &q->call)) {
		err_set(&c->reply.err, -EAGAIN, "no thread to ask %s whether it can take over", q->program);
		free(q);
		replace_give_up(c);
	}
}

static void replace_go_on(struct replace *r, const struct err *e)
{
	keep_hand_back();
	if (r->nbd)
		nbd_hand_back(r->nbd);
	dm_handed_back(r->world, r->cmd, e);
}

static void replace_passed(struct text *t, int fd, const char *name)
{
	if (fd >= 0 && !fcntl(fd, F_SETFD, 0))
		text_printf(t, "passed %d %s\n", fd, name);
}

/* What was not sent to the keeper yet would not be sent any more. */
static int replace_is_kept(struct err *e)
{
	if (!notify_waits())
		return 0;
	return err_set(e, -EBUSY, "whoever keeps descriptors for this daemon does not answer: is its keeper (pid %ld) stopped?", (long)getppid());
}

static int replace_text(struct replace *r, struct text *t, struct err *e)
{
	struct text nbd = TEXT_INIT, saved = TEXT_SECRET;
	int old, n;

	dm_nameless_look(r->world);
	n = replace_is_kept(e);
	if (!n)
		n = dm_hand_over_text(r->world, &saved, e);
	if (n) {
		text_free(&saved);
		return n;
	}
	old = open("/proc/self/exe", O_RDONLY);
	n = r->nbd ? nbd_handed_over(r->nbd, &nbd) : 0;
	text_add(t, HANDOVER_FORM);
	text_printf(t, "old %d\n", old);
	if (r->o.directory >= 0)
		text_printf(t, "directory %d\n", r->o.directory);
	text_printf(t, "%sid %s\n", r->o.background ? "background\n" : "", r->cmd->id ? r->cmd->id : "");
	replace_passed(t, r->o.control, "control");
	replace_passed(t, r->o.nbd_socket, "nbd");
	keep_hand_over(t);
	handover_end(t, &nbd, &saved);
	text_free(&nbd);
	text_free(&saved);
	if (!n && !t->failed)
		return 0;
	if (old >= 0)
		close(old);
	return err_set(e, n ? n : -ENOMEM, "cannot hand the clients over: %s", strerror(n ? -n : ENOMEM));
}

/* All stands still, and is saved. */
static void replace_become(void *arg)
{
	struct replace *r = arg;
	struct text t = TEXT_SECRET;
	struct err e = ERR_INIT;

	if (!replace_text(r, &t, &e)) {
		log_info("replaced by %s", r->cmd->message);
		if (r->o.directory >= 0) {
			fcntl(r->o.directory, F_SETFD, 0);
			if (fchdir(r->o.directory))
				log_warn("cannot go back to where the daemon was started: %s", strerror(errno));
		}
		handover_exec(r->cmd->message, &t, &e);
	}
	text_free(&t);
	replace_go_on(r, &e);
}

static void replace_hand_over(struct dm_world *w, struct dm_cmd *c)
{
	struct replace *r = w->replacer;

	(void)c;
	timer_stop(&r->patience);
	if (r->nbd)
		nbd_hand_over(r->nbd, replace_become, r);
	else
		replace_become(r);
}

void replace_restart(const struct replace_opts *o, int program, const char *death)
{
	struct text t = TEXT_INIT, nothing = TEXT_INIT;
	struct err e = ERR_INIT;
	char path[32];

	text_printf(&t, "%s%sdeath %s\n", HANDOVER_FORM, o->background ? "background\n" : "", death ? death : "");
	if (o->directory >= 0 && !fcntl(o->directory, F_SETFD, 0) && !fchdir(o->directory))
		text_printf(&t, "directory %d\n", o->directory);
	keep_hand_over(&t);
	handover_end(&t, &nothing, &nothing);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	handover_exec(path, &t, &e);
	log_error("%s", e.text);
	text_free(&t);
}

int replace_new(struct replace **out, struct dm_world *w, struct nbd *nbd, const struct replace_opts *o, struct err *e)
{
	struct replace *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(e, -ENOMEM, "no memory for the daemon");
	r->world = w;
	r->nbd = nbd;
	r->o = *o;
	timer_init(&r->patience, replace_too_long);
	w->replacer = r;
	w->replace = replace_asked;
	w->hand_over = replace_hand_over;
	*out = r;
	return 0;
}

/* A keeper is another program then, and has to start this one. */
static void keep_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct err e = ERR_INIT;

	if (fd < 0 || keep_fd(HANDOVER_PROGRAM, fd, &e))
		log_warn("if this daemon dies, the program that it has replaced is started: %s", fd < 0 ? strerror(errno) : e.text);
	if (fd >= 0)
		close(fd);
}

void replace_done(struct replace *r, const char *id, const char *why)
{
	snprintf(r->id, sizeof(r->id), "%s", id);
	snprintf(r->why, sizeof(r->why), "%s", why);
	keep_program();
}

void replace_free(struct replace *r)
{
	free(r);
}
