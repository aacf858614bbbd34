/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See replace.h. The steps: the other program is asked whether it can take over (a child, which says HANDOVER_FORM); TLS
 * connections are told to end; all devices stand still (core/device/move_hand_over.c); NBD connections are saved; execve(2).
 * Each may fail, and then all goes on here.
 */
#include "cmd/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/log.h"
#include "base/notify.h"
#include "cmd/handover.h"
#include "cmd/question.h"
#include "core/command/do.h"
#include "core/device/move.h"
#include "core/state/handed.h"
#include "core/table/nameless.h"
#include "fronts/nbd/nbd.h"

#define REPLACE_PATIENCE (5 * TIMERS_SECOND)	/* for the devices to stand still */

struct replace {
	struct dm_world *world;
	struct nbd *nbd;
	struct replace_opts o;
	struct dm_cmd *cmd;		/* that is being carried out, or NULL */
	void (*done)(struct dm_cmd *c);	/* its own */
	struct question *question;	/* whose answer it waits for, or NULL */
	struct timer patience;
	int old, here;			/* while the other program is started: this one, and its directory; or -1 */
	char id[HANDOVER_ID + 1], why[ERR_TEXT];	/* of the command that has led here */
};

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
	struct replace *r = c->pending;

	question_forget(r->question);
	r->question = NULL;
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

static void replace_was_told(void *arg, const struct err *e)
{
	struct replace *r = arg;
	struct dm_cmd *c = r->cmd;

	r->question = NULL;
	dm_pending_done(c);
	c->reply.err = *e;
	if (e->code || dm_hand_over_may(r->world, &c->reply.err)) {
		dm_finish(c);
		return;
	}
	if (r->nbd)
		nbd_end_tls(r->nbd);
	loop_timer(r->world->loop, &r->patience, REPLACE_PATIENCE);
	dm_move_hand_over(c);
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

	if (replace_was_answered(r, c))
		return;
	if (replace_forbidden(r)) {
		dm_fail(c, r->cmd ? -EBUSY : -ENOTSUP, "%s", replace_forbidden(r));
		return;
	}
	r->question = question_new(w->helpers, c->message, replace_was_told, r, &c->reply.err);
	if (!r->question) {
		dm_finish(c);
		return;
	}
	r->cmd = c;
	r->done = c->done;
	c->done = replace_over;
	dm_pending(c, r, replace_give_up);
}

/* Descriptors that the other program gets beside those that are kept; CLOEXEC: 0, or FD_CLOEXEC. */
static void replace_pass_on(const struct replace *r, int cloexec)
{
	const int fds[] = { r->o.directory, r->o.control, r->o.nbd_socket };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			fcntl(fds[i], F_SETFD, cloexec);
}

/* This one's files, and its directory, are what they were. */
static void replace_stays(struct replace *r)
{
	replace_pass_on(r, FD_CLOEXEC);
	if (r->here >= 0 && fchdir(r->here))
		log_warn("cannot go back to the directory of this program: %s", strerror(errno));
	if (r->here >= 0)
		close(r->here);
	if (r->old >= 0)
		close(r->old);
	r->here = r->old = -1;
}

static void replace_go_on(struct replace *r, const struct err *e)
{
	replace_stays(r);
	keep_hand_back();
	if (r->nbd)
		nbd_hand_back(r->nbd);
	dm_handed_back(r->world, r->cmd, e);
}

static void replace_passed(struct text *t, int fd, const char *name)
{
	if (fd >= 0)
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
	int n;

	dm_nameless_look(r->world);
	n = replace_is_kept(e);
	if (!n)
		n = dm_hand_over_text(r->world, &saved, e);
	if (n) {
		text_free(&saved);
		return n;
	}
	r->old = open("/proc/self/exe", O_RDONLY);
	n = r->nbd ? nbd_handed_over(r->nbd, &nbd) : 0;
	text_add(t, HANDOVER_FORM);
	text_printf(t, "old %d\n", r->old);
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
	return err_set(e, n ? n : -ENOMEM, "cannot hand the clients over: %s", strerror(n ? -n : ENOMEM));
}

/* Relative paths of the words that it was started with begin there. */
static void replace_go_where_it_was_started(struct replace *r)
{
	if (r->o.directory < 0)
		return;
	r->here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fchdir(r->o.directory))
		log_warn("cannot go back to where the daemon was started: %s", strerror(errno));
}

/* All stands still, and is saved. */
static void replace_become(void *arg)
{
	struct replace *r = arg;
	struct text t = TEXT_SECRET;
	struct err e = ERR_INIT;

	if (r->o.forbidden) {
		err_set(&e, -ESHUTDOWN, "%s", r->o.forbidden);
	} else if (!replace_text(r, &t, &e)) {
		log_info("replaced by %s", r->cmd->message);
		replace_pass_on(r, 0);
		replace_go_where_it_was_started(r);
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
	r->old = r->here = -1;
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

void replace_stop(struct replace *r)
{
	r->o.forbidden = "the daemon is ending";
}

void replace_free(struct replace *r)
{
	question_forget(r->question);
	free(r);
}
