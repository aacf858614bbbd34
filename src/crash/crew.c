/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See crew.h. A member is sent the name of a state, and answers with the verdict; or sectors, and answers with the names of files. All are
 * a head and bytes.
 */
#include "crash/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash/talk.h"

#define CREW_MOST 256

struct member {
	pid_t pid;
	int socket;
	struct crew_job *job;		/* that it is at, or NULL */
};

struct crew {
	struct member *members;
	unsigned n;
};

static void member_try(struct trial *t, const struct trial_options *o, const char *name, struct trial_result *r)
{
	struct err e = ERR_INIT;
	struct state s;

	if (state_parse(&s, o->history, name, &e)) {
		text_add(&r->output, e.text);
		return;
	}
	trial_try(t, &s, r);
	state_free(&s);
}

/* The member's process. Its first message says that it is ready, or why not. */
static _Noreturn void member_work(const struct trial_options *o, int fd)
{
	struct talk_head head = { .verdict = VERDICT_PASSED };
	struct text name = TEXT_INIT;
	struct err e = ERR_INIT;
	struct trial_result r;
	struct trial *t;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (trial_new(&t, o, &e))
		head.verdict = VERDICT_NONE;
	if (!talk_send(fd, head, e.text) || e.code)
		_exit(1);
	while (talk_receive(fd, &head, &name)) {
		r = (struct trial_result){ .verdict = VERDICT_NONE, .output = TEXT_INIT };
		if (head.names)
			trial_names(t, text_str(&name), &r.output);
		else
			member_try(t, o, text_str(&name), &r);
		if (!talk_send(fd, (struct talk_head){ .verdict = r.verdict, .status = r.status }, text_str(&r.output)))
			break;
		text_free(&r.output);
		text_clear(&name);
	}
	trial_end(t);
	_exit(0);
}

static int member_start(struct crew *c, const struct trial_options *o, struct err *e)
{
	struct member *m = &c->members[c->n];
	unsigned i;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return err_set(e, -errno, "cannot start a process: %s", strerror(errno));
	m->pid = fork();
	if (!m->pid) {
		close(fds[0]);
		for (i = 0; i < c->n; i++)
			close(c->members[i].socket);
		member_work(o, fds[1]);
	}
	close(fds[1]);
	m->socket = fds[0];
	if (m->pid > 0) {
		c->n++;
		return 0;
	}
	close(fds[0]);
	return err_set(e, -errno, "cannot start a process: %s", strerror(errno));
}

static int member_await(struct member *m, struct err *e)
{
	struct talk_head head = { .verdict = VERDICT_NONE };
	struct text why = TEXT_INIT;
	int r = 0;

	if (!talk_receive(m->socket, &head, &why))
		r = err_set(e, -EIO, "a process that tries states ended before it began");
	else if (head.verdict == VERDICT_NONE)
		r = err_set(e, -EIO, "%s", text_str(&why));
	text_free(&why);
	return r;
}

int crew_new(struct crew **out, unsigned n, const struct trial_options *o, struct err *e)
{
	struct crew *c = calloc(1, sizeof(*c));
	unsigned i;
	int r = 0;

	*out = NULL;
	n = n < CREW_MOST ? n : CREW_MOST;
	if (c)
		c->members = calloc(n, sizeof(*c->members));
	if (!c || !c->members)
		r = err_set(e, -ENOMEM, "no memory for processes");
	for (i = 0; !r && i < n; i++)
		r = member_start(c, o, e);
	for (i = 0; !r && i < n; i++)
		r = member_await(&c->members[i], e);
	if (r)
		crew_free(c);
	else
		*out = c;
	return r;
}

void crew_free(struct crew *c)
{
	unsigned i;

	if (!c)
		return;
	for (i = 0; i < c->n; i++)
		close(c->members[i].socket);
	for (i = 0; i < c->n; i++)
		while (waitpid(c->members[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
	free(c->members);
	free(c);
}

static int member_end(struct member *m, struct err *e)
{
	struct trial_result *r = &m->job->result;
	struct talk_head head;

	if (!talk_receive(m->socket, &head, &r->output))
		return err_set(e, -EIO, "the process that tried state %s has ended", m->job->state);
	r->verdict = head.verdict;
	r->status = head.status;
	m->job->done = true;
	return r->verdict == VERDICT_NONE ? err_set(e, -EIO, "state %s cannot be tried: %s", m->job->state, text_str(&r->output)) : 0;
}

/* Waits until one is done. */
static struct member *crew_wait(struct crew *c)
{
	struct pollfd p[CREW_MOST];
	unsigned i;

	for (;;) {
		for (i = 0; i < c->n; i++)
			p[i] = (struct pollfd){ .fd = c->members[i].job ? c->members[i].socket : -1, .events = POLLIN };
		if (poll(p, c->n, -1) < 0 && errno != EINTR)
			return NULL;
		for (i = 0; i < c->n; i++)
			if (p[i].revents)
				return &c->members[i];
	}
}

/* Gives work to all who have none. How many are at work. */
static unsigned crew_give(struct crew *c, struct crew_job *jobs, size_t n, size_t *next)
{
	unsigned i, busy = 0;

	for (i = 0; i < c->n; i++) {
		struct member *m = &c->members[i];

		if (!m->job && *next < n) {
			m->job = &jobs[(*next)++];
			talk_send(m->socket, (struct talk_head){ .len = 0 }, m->job->state);
		}
		busy += m->job != NULL;
	}
	return busy;
}

int crew_try(struct crew *c, struct crew_job *jobs, size_t n, bool (*seen)(void *arg, const struct crew_job *job), void *arg, struct err *e)
{
	struct member *m;
	size_t next = 0;
	int r = 0;

	while (crew_give(c, jobs, n, &next) && (m = crew_wait(c))) {
		if (member_end(m, e))
			r = e->code;
		else if (!seen(arg, m->job))
			next = n;
		m->job = NULL;
		if (r)
			next = n;
	}
	return r;
}

void crew_names(struct crew *c, const char *sectors, struct text *out)
{
	struct talk_head head = { .names = true };

	if (talk_send(c->members[0].socket, head, sectors))
		talk_receive(c->members[0].socket, &head, out);
}
