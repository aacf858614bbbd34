/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the holder and answers `session`: see sessions.h.
 *
 *   NONE -> STARTING (it mounts, we serve, it puts things in place) -> READY -> NONE, when the holder is gone
 *
 * A holder that failed is started again by the next command: what was missing may be there then.
 */
#include "session/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "core/command/do.h"
#include "core/world.h"
#include "fronts/fuse/fuse.h"
#include "session/ending.h"
#include "session/freeze.h"
#include "session/sessions_holder.h"
#include "session/sessions_users.h"
#include "session/wire.h"

enum sessions_state { SESSIONS_NONE, SESSIONS_STARTING, SESSIONS_READY };

struct sessions {
	struct dm_front front;
	struct dm_world *world;
	struct fuse_front *fuse;
	enum sessions_state state;
	bool stopped;
	struct endings endings;
	bool ending, ended;		/* what programs have left is being ended, or has been */
	void (*end_then)(void *arg, const struct err *e);
	void *end_arg;
	struct list leaving;		/* dm_cmd.node: `shutdown` commands that wait for it */
	struct sessions_holder *holder;	/* unless NONE */
	/* sessions_holder.node: before one ends it may need an answer from our own FUSE, so nobody waits for it before that is stopped */
	struct list dying;
	void (*then)(void *arg);	/* called when all have ended, or NULL */
	void *then_arg;
	struct loop_watch watch;	/* the socket to the holder; fd -1 */
	struct dm_session session;	/* when READY */
	struct list waiting;		/* dm_cmd.node */
	struct freezes freezes;
};

static void sessions_answer_one(const struct sessions *s, struct dm_cmd *c, const struct err *e)
{
	c->reply.session = s->session;
	c->reply.err = *e;
	dm_finish(c);
}

static void sessions_answer(struct sessions *s, const struct err *e)
{
	struct list *n;

	while ((n = list_take(&s->waiting)))
		sessions_answer_one(s, container(n, struct dm_cmd, node), e);
}

/* A process that cannot be watched is not waited for. */
static void sessions_check_stopped(struct sessions *s)
{
	void (*then)(void *arg) = s->then;
	struct list *pos, *next;

	list_each(pos, next, &s->dying)
		if (container(pos, struct sessions_holder, node)->watched)
			return;
	s->then = NULL;
	if (then)
		then(s->then_arg);
}

static void sessions_ended(struct loop_watch *w, uint32_t events)
{
	struct sessions_holder *h = container(w, struct sessions_holder, end);
	struct sessions *s = h->sessions;

	(void)events;
	sessions_holder_free(h, s->world->loop);
	sessions_check_stopped(s);
}

/* The holder has ended, or is told to; programs in its namespaces stay there. */
static void sessions_drop(struct sessions *s)
{
	struct sessions_holder *h = s->holder;

	if (s->state == SESSIONS_NONE)
		return;
	loop_unwatch(s->world->loop, &s->watch);
	sessions_holder_kill(h);
	list_append(&s->dying, &h->node);
	h->end.ready = sessions_ended;
	if (h->end.fd >= 0)
		h->watched = !loop_watch(s->world->loop, &h->end);
	s->holder = NULL;
	s->state = SESSIONS_NONE;
}

static void sessions_failed(struct sessions *s, const struct err *e)
{
	sessions_drop(s);
	sessions_answer(s, e);
}

static void sessions_gone(struct sessions *s)
{
	struct err e = ERR_INIT;

	err_set(&e, -EIO, "the process that holds the session's namespaces exited before it was ready");
	if (s->state == SESSIONS_READY)
		log_error("the process that held the session's namespaces has exited; the next command starts a new one");
	sessions_failed(s, &e);
}

static void sessions_serve(struct sessions *s, int fd)
{
	struct wire m = { .kind = WIRE_SERVED };

	if (fuse_front_dev(s->fuse, fd, s->holder->pid, &m.err))
		sessions_failed(s, &m.err);
	else
		wire_send(s->watch.fd, &m, -1);
}

/* Callers identify the namespaces by this, because in their process namespace the number may be another process's. */
static int sessions_look(struct sessions *s, bool user_ns, struct err *e)
{
	char path[40];
	ssize_t n;

	s->session = (struct dm_session){ .pid = s->holder->pid, .major = s->world->major, .user_ns = user_ns };
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", s->session.pid);
	n = readlink(path, s->session.mount_ns, sizeof(s->session.mount_ns) - 1);
	return n > 0 ? 0 : err_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
}

static void sessions_ready(struct sessions *s, bool user_ns)
{
	struct err e = ERR_INIT;

	if (sessions_look(s, user_ns, &e)) {
		sessions_failed(s, &e);
		return;
	}
	s->state = SESSIONS_READY;
	sessions_holder_keep(s->holder, user_ns);
	endings_add(&s->endings, s->session.pid, user_ns);
	log_debug("programs see the devices in the namespaces of process %d", s->session.pid);
	sessions_answer(s, &e);
}

static void sessions_heard(struct loop_watch *w, uint32_t events)
{
	struct sessions *s = container(w, struct sessions, watch);
	struct wire m;
	int fd, r = wire_receive(w->fd, &m, &fd);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r)
		sessions_gone(s);
	else if (m.kind == WIRE_MOUNTED)
		sessions_serve(s, fd);
	else if (m.kind == WIRE_READY)
		sessions_ready(s, m.user_ns);
	else
		sessions_failed(s, &m.err);
}

static int sessions_watch(struct sessions *s, struct sessions_holder *h)
{
	s->holder = h;
	s->state = SESSIONS_STARTING;
	s->watch = (struct loop_watch){ .fd = h->socket, .events = EPOLLIN, .ready = sessions_heard };
	return loop_watch(s->world->loop, &s->watch);
}

static int sessions_start(struct sessions *s, struct err *e)
{
	struct sessions_holder *h;
	int r = sessions_holder_start(&h, s);

	if (r)
		return err_set(e, r, "cannot start a session: %s", strerror(-r));
	r = sessions_watch(s, h);
	if (!r)
		return 0;
	sessions_drop(s);
	return err_set(e, r, "cannot start a session: %s", strerror(-r));
}

/* Without its /dev, which is ours to serve, programs could not go on in it. */
void sessions_restore(struct sessions *s)
{
	bool user_ns;
	struct sessions_holder *h = sessions_holder_resume(s, &user_ns);

	if (!h)
		return;
	if (!sessions_watch(s, h) && fuse_front_has_dev(s->fuse)) {
		sessions_ready(s, user_ns);
		return;
	}
	log_warn("the session of the former daemon cannot go on: its /dev was not kept; the next command starts a new one");
	sessions_drop(s);
}

/* Programs leave the caller's mount namespace for one made from the daemon's, so these must be the same. */
static bool sessions_elsewhere(const struct sessions *s, const struct dm_cmd *c)
{
	char ours[64];
	ssize_t n = readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1);

	if (n < 0 || !c->mount_ns || (s->state == SESSIONS_READY && !strcmp(c->mount_ns, s->session.mount_ns)))
		return false;
	ours[n] = '\0';
	return strcmp(ours, c->mount_ns) != 0;
}

static void sessions_command(struct dm_front *front, struct dm_cmd *c)
{
	struct sessions *s = container(front, struct sessions, front);
	struct err e = ERR_INIT;

	if (s->state == SESSIONS_READY && sessions_holder_is_dead(s->holder))
		sessions_gone(s);
	if (s->stopped)
		err_set(&e, -ESHUTDOWN, "the daemon is ending");
	else if (sessions_elsewhere(s, c))
		err_set(&e, -EXDEV, "the daemon runs in another mount namespace (a service, a container), and its "
			"sessions would "
			"see the files there: start a daemon of your own here (--socket PATH)");
	else if (s->state == SESSIONS_NONE)
		sessions_start(s, &e);
	if (e.code || s->state == SESSIONS_READY)
		sessions_answer_one(s, c, &e);
	else
		list_append(&s->waiting, &c->node);
}

/* The flush may end at once; then the daemon calls this once more, to end. */
static void sessions_ended_all(void *arg)
{
	struct sessions *s = arg;
	bool orphaned = list_empty(&s->leaving) && !s->end_then;
	void (*then)(void *arg, const struct err *e);
	struct list *n;

	s->ended = true;
	while ((n = list_take(&s->leaving))) {
		struct dm_cmd *c = container(n, struct dm_cmd, node);

		c->reply.err = s->endings.err;
		dm_shutdown_flush(c);
	}
	then = s->end_then;
	s->end_then = NULL;
	if (then)
		then(s->end_arg, &s->endings.err);
	else if (orphaned)
		s->world->shutdown(s->world);	/* the client that asked for it has hung up */
}

static void sessions_begin_end(struct sessions *s)
{
	struct err e = ERR_INIT;

	if (s->ended)
		sessions_ended_all(s);
	if (s->ending)
		return;
	s->ending = s->stopped = true;
	err_set(&e, -ESHUTDOWN, "the daemon is ending");
	sessions_answer(s, &e);
	endings_start(&s->endings, sessions_ended_all, s);
}

static void sessions_shutdown(struct dm_front *front, struct dm_cmd *c)
{
	struct sessions *s = container(front, struct sessions, front);

	list_append(&s->leaving, &c->node);
	sessions_begin_end(s);
}

void sessions_end(struct sessions *s, void (*then)(void *arg, const struct err *e), void *arg)
{
	s->end_then = then;
	s->end_arg = arg;
	sessions_begin_end(s);
}

bool sessions_stop_waiting(struct sessions *s)
{
	if (!s->ending || s->ended)
		return false;
	endings_stop_waiting(&s->endings);
	return true;
}

static void sessions_tell_users(struct dm_front *front, struct text *out)
{
	const struct sessions *s = container(front, struct sessions, front);

	if (s->state == SESSIONS_READY)
		sessions_users(s->session.mount_ns, out);
}

int sessions_new(struct sessions **out, struct dm_world *w, struct fuse_front *fuse, unsigned seconds, struct err *e)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, -ENOMEM, "no memory for sessions");
	s->world = w;
	s->fuse = fuse;
	list_init(&s->waiting);
	list_init(&s->dying);
	list_init(&s->leaving);
	endings_init(&s->endings, w, seconds);
	freezes_init(&s->freezes, w, &s->endings);
	s->front = (struct dm_front){ .name = "session", .session = sessions_command, .shutdown = sessions_shutdown,
				      .users = sessions_tell_users };
	list_append(&w->fronts, &s->front.node);
	*out = s;
	return 0;
}

void sessions_stop(struct sessions *s, void (*then)(void *arg), void *arg)
{
	struct err e = ERR_INIT;

	s->stopped = true;
	s->then = then;
	s->then_arg = arg;
	err_set(&e, -ESHUTDOWN, "the daemon is ending");
	sessions_failed(s, &e);
	sessions_check_stopped(s);
}

void sessions_free(struct sessions *s)
{
	sessions_stop(s, NULL, NULL);
	freezes_free(&s->freezes);
	endings_free(&s->endings);
	while (!list_empty(&s->dying))
		sessions_holder_free(container(s->dying.next, struct sessions_holder, node), s->world->loop);
	list_remove(&s->front.node);
	free(s);
}
