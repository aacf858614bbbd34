/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the holder and answers `session`: see space.h.
 *
 *   NONE -> STARTING (it mounts, we serve, it puts things in place) -> READY -> NONE, when the holder is gone
 *
 * A holder that failed is started again by the next command: what was missing may be there then.
 */
#include "session/space.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "core/command/do.h"
#include "core/world.h"
#include "fronts/fuse/fuse.h"
#include "session/ending.h"
#include "session/freeze.h"
#include "session/holder.h"
#include "session/helper.h"
#include "session/space_users.h"
#include "session/wire.h"

enum space_state { SPACE_NONE, SPACE_STARTING, SPACE_READY };

/*
 * A holder process. Before it ends it may need an answer from our own FUSE, so until that is stopped nobody waits for
 * it.
 */
struct space_holder {
	struct list node;		/* in dying */
	struct space *space;
	pid_t pid;
	struct loop_watch end;		/* its pidfd, watched while it is ending; or fd -1 */
	bool watched;
};

struct space {
	struct dm_front front;
	struct dm_world *world;
	struct fuse_front *fuse;
	enum space_state state;
	bool stopped;
	struct endings endings;
	bool ending, ended;		/* what programs have left is being ended, or has been */
	void (*end_then)(void *arg, const struct err *e);
	void *end_arg;
	struct list leaving;		/* dm_cmd.node: `shutdown` commands that wait for it */
	struct space_holder *holder;	/* unless NONE */
	struct list dying;		/* space_holder.node */
	void (*then)(void *arg);	/* called when all have ended, or NULL */
	void *then_arg;
	struct loop_watch watch;	/* the socket to the holder; fd -1 */
	struct dm_session session;	/* when READY */
	struct list waiting;		/* dm_cmd.node */
	struct freezes freezes;
};

static void space_answer_one(const struct space *s, struct dm_cmd *c, const struct err *e)
{
	c->reply.session = s->session;
	c->reply.err = *e;
	dm_finish(c);
}

static void space_answer(struct space *s, const struct err *e)
{
	struct list *n;

	while ((n = list_take(&s->waiting)))
		space_answer_one(s, container(n, struct dm_cmd, node), e);
}

static void holder_reap(struct space_holder *h)
{
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (h->watched)
		loop_unwatch(h->space->world->loop, &h->end);
	if (h->end.fd >= 0)
		close(h->end.fd);
	list_remove(&h->node);
	free(h);
}

/* A process that cannot be watched is not waited for. */
static void space_check_stopped(struct space *s)
{
	void (*then)(void *arg) = s->then;
	struct list *pos, *next;

	list_each(pos, next, &s->dying)
		if (container(pos, struct space_holder, node)->watched)
			return;
	s->then = NULL;
	if (then)
		then(s->then_arg);
}

static void space_ended(struct loop_watch *w, uint32_t events)
{
	struct space_holder *h = container(w, struct space_holder, end);
	struct space *s = h->space;

	(void)events;
	holder_reap(h);
	space_check_stopped(s);
}

/* The holder has ended, or is told to; programs in its namespaces stay there. */
static void space_drop(struct space *s)
{
	struct space_holder *h = s->holder;

	if (s->state == SPACE_NONE)
		return;
	loop_unwatch(s->world->loop, &s->watch);
	close(s->watch.fd);
	kill(h->pid, SIGKILL);
	list_append(&s->dying, &h->node);
	if (h->end.fd >= 0)
		h->watched = !loop_watch(s->world->loop, &h->end);
	s->holder = NULL;
	s->state = SPACE_NONE;
}

static void space_failed(struct space *s, const struct err *e)
{
	space_drop(s);
	space_answer(s, e);
}

static void space_gone(struct space *s)
{
	struct err e = ERR_INIT;

	err_set(&e, -EIO, "the process that holds the session's namespaces exited before it was ready");
	if (s->state == SPACE_READY)
		log_error("the process that held the session's namespaces has exited; the next command starts a new one");
	space_failed(s, &e);
}

static void space_serve(struct space *s, int fd)
{
	struct wire m = { .kind = WIRE_SERVED };

	if (fuse_front_dev(s->fuse, fd, s->holder->pid, &m.err))
		space_failed(s, &m.err);
	else
		wire_send(s->watch.fd, &m, -1);
}

/* Callers identify the namespaces by this, because in their process namespace the number may be another process's. */
static int space_look(struct space *s, bool user_ns, struct err *e)
{
	char path[40];
	ssize_t n;

	s->session = (struct dm_session){ .pid = s->holder->pid, .major = s->world->major, .user_ns = user_ns };
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", s->session.pid);
	n = readlink(path, s->session.mount_ns, sizeof(s->session.mount_ns) - 1);
	return n > 0 ? 0 : err_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
}

static void space_ready(struct space *s, bool user_ns)
{
	struct err e = ERR_INIT;

	if (space_look(s, user_ns, &e)) {
		space_failed(s, &e);
		return;
	}
	s->state = SPACE_READY;
	endings_add(&s->endings, s->session.pid, user_ns);
	log_debug("programs see the devices in the namespaces of process %d", s->session.pid);
	space_answer(s, &e);
}

static void space_heard(struct loop_watch *w, uint32_t events)
{
	struct space *s = container(w, struct space, watch);
	struct wire m;
	int fd, r = wire_receive(w->fd, &m, &fd);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r)
		space_gone(s);
	else if (m.kind == WIRE_MOUNTED)
		space_serve(s, fd);
	else if (m.kind == WIRE_READY)
		space_ready(s, m.user_ns);
	else
		space_failed(s, &m.err);
}

static int holder_new(struct space *s, int socket)
{
	struct space_holder *h = calloc(1, sizeof(*h));
	int r = h ? helper_spawn(HOLDER_WORD, socket, &h->pid) : -ENOMEM;

	if (r) {
		free(h);
		return r;
	}
	list_init(&h->node);
	h->space = s;
	h->end = (struct loop_watch){ .fd = (int)syscall(SYS_pidfd_open, h->pid, 0), .events = EPOLLIN, .ready = space_ended };
	s->holder = h;
	return 0;
}

static int space_start(struct space *s, struct err *e)
{
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(e, -errno, "cannot start a session: %s", strerror(errno));
	r = holder_new(s, fds[1]);
	close(fds[1]);
	if (r) {
		close(fds[0]);
		return err_set(e, r, "cannot start a session: %s", strerror(-r));
	}
	s->state = SPACE_STARTING;
	s->watch = (struct loop_watch){ .fd = fds[0], .events = EPOLLIN, .ready = space_heard };
	r = loop_watch(s->world->loop, &s->watch);
	if (!r)
		return 0;
	space_drop(s);
	return err_set(e, r, "cannot start a session: %s", strerror(-r));
}

/* Programs leave the caller's mount namespace for one made from the daemon's, so these must be the same. */
static bool space_elsewhere(const struct space *s, const struct dm_cmd *c)
{
	char ours[64];
	ssize_t n = readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1);

	if (n < 0 || !c->mount_ns || (s->state == SPACE_READY && !strcmp(c->mount_ns, s->session.mount_ns)))
		return false;
	ours[n] = '\0';
	return strcmp(ours, c->mount_ns) != 0;
}

/* The holder may have just ended, and its socket has not reported it yet. */
static bool space_is_dead(const struct space *s)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, (id_t)s->holder->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

static void space_command(struct dm_front *front, struct dm_cmd *c)
{
	struct space *s = container(front, struct space, front);
	struct err e = ERR_INIT;

	if (s->state == SPACE_READY && space_is_dead(s))
		space_gone(s);
	if (s->stopped)
		err_set(&e, -ESHUTDOWN, "the daemon is ending");
	else if (space_elsewhere(s, c))
		err_set(&e, -EXDEV, "the daemon runs in another mount namespace (a service, a container), and its "
			"sessions would "
			"see the files there: start a daemon of your own here (--socket PATH)");
	else if (s->state == SPACE_NONE)
		space_start(s, &e);
	if (e.code || s->state == SPACE_READY)
		space_answer_one(s, c, &e);
	else
		list_append(&s->waiting, &c->node);
}

/* The flush may end at once; then the daemon calls this once more, to end. */
static void space_ended_all(void *arg)
{
	struct space *s = arg;
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

static void space_begin_end(struct space *s)
{
	struct err e = ERR_INIT;

	if (s->ended)
		space_ended_all(s);
	if (s->ending)
		return;
	s->ending = s->stopped = true;
	err_set(&e, -ESHUTDOWN, "the daemon is ending");
	space_answer(s, &e);
	endings_start(&s->endings, space_ended_all, s);
}

static void space_shutdown(struct dm_front *front, struct dm_cmd *c)
{
	struct space *s = container(front, struct space, front);

	list_append(&s->leaving, &c->node);
	space_begin_end(s);
}

void space_end(struct space *s, void (*then)(void *arg, const struct err *e), void *arg)
{
	s->end_then = then;
	s->end_arg = arg;
	space_begin_end(s);
}

bool space_hurry(struct space *s)
{
	if (!s->ending || s->ended)
		return false;
	endings_hurry(&s->endings);
	return true;
}

static void space_tell_users(struct dm_front *front, struct text *out)
{
	const struct space *s = container(front, struct space, front);

	if (s->state == SPACE_READY)
		space_users(s->session.mount_ns, out);
}

int space_new(struct space **out, struct dm_world *w, struct fuse_front *fuse, unsigned seconds, struct err *e)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, -ENOMEM, "no memory for sessions");
	s->world = w;
	s->fuse = fuse;
	list_init(&s->waiting);
	list_init(&s->dying);
	list_init(&s->leaving);
	endings_init(&s->endings, w, seconds);
	freezes_init(&s->freezes, w, &s->endings);
	s->front = (struct dm_front){ .name = "session", .session = space_command, .shutdown = space_shutdown,
				      .users = space_tell_users };
	list_append(&w->fronts, &s->front.node);
	*out = s;
	return 0;
}

void space_stop(struct space *s, void (*then)(void *arg), void *arg)
{
	struct err e = ERR_INIT;

	s->stopped = true;
	s->then = then;
	s->then_arg = arg;
	err_set(&e, -ESHUTDOWN, "the daemon is ending");
	space_failed(s, &e);
	space_check_stopped(s);
}

void space_free(struct space *s)
{
	space_stop(s, NULL, NULL);
	freezes_free(&s->freezes);
	endings_free(&s->endings);
	while (!list_empty(&s->dying))
		holder_reap(container(s->dying.next, struct space_holder, node));
	list_remove(&s->front.node);
	free(s);
}
