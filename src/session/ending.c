/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See ending.h. A suspended device would block its file system, and the ender, forever. So when the time is up,
 * suspended devices fail the requests that they hold.
 */
#include "session/ending.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "core/world.h"
#include "session/ender.h"
#include "session/helper.h"
#include "session/wire.h"

#define ENDING_STOPS 3	/* then the ender itself is killed */

struct ending {
	struct list node;
	struct endings *all;
	int mnt, user;			/* namespaces; user -1: the daemon's own */
	pid_t ender;			/* 0: none */
	unsigned stops;
	struct loop_watch socket, timer;
};

void endings_init(struct endings *s, struct dm_world *w, unsigned seconds)
{
	*s = (struct endings){ .world = w, .seconds = seconds, .err = ERR_INIT };
	list_init(&s->sessions);
}

static int ending_open(pid_t holder, const char *name)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)holder, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

void endings_add(struct endings *s, pid_t holder, bool user_ns)
{
	struct ending *e = calloc(1, sizeof(*e));

	if (!e) {
		log_warn("no memory to clean up the session at its end");
		return;
	}
	e->all = s;
	e->mnt = ending_open(holder, "mnt");
	e->user = user_ns ? ending_open(holder, "user") : -1;
	e->socket.fd = e->timer.fd = -1;
	list_append(&s->sessions, &e->node);
}

void endings_each(const struct endings *s, void (*each)(void *arg, int mnt, int user), void *arg)
{
	struct list *pos, *next;

	list_each(pos, next, &s->sessions) {
		const struct ending *e = container(pos, struct ending, node);

		if (e->mnt >= 0)
			each(arg, e->mnt, e->user);
	}
}

static void endings_check(struct endings *s)
{
	struct err lost = ERR_INIT;

	if (s->n)
		return;
	loss_end(&s->loss, s->world, s->err.code ? &lost : &s->err);
	s->then(s->arg);
}

static void ending_unwatch(struct ending *e, struct loop_watch *w)
{
	if (w->fd < 0)
		return;
	loop_unwatch(e->all->world->loop, w);
	close(w->fd);
	w->fd = -1;
}

static void ending_over(struct ending *e, const struct err *err)
{
	struct endings *s = e->all;

	ending_unwatch(e, &e->socket);
	ending_unwatch(e, &e->timer);
	while (e->ender && waitpid(e->ender, NULL, 0) < 0 && errno == EINTR)
		;
	e->ender = 0;
	if (err->code) {
		log_error("%s", err->text);
		if (s->err.code)
			err_prefix(&s->err, "%s; ", err->text);
		else
			s->err = *err;
	}
	s->n--;
	endings_check(s);
}

static void ending_heard(struct loop_watch *w, uint32_t events)
{
	struct ending *e = container(w, struct ending, socket);
	struct wire m = { .kind = WIRE_FAILED };
	int fd, r = wire_receive(w->fd, &m, &fd);

	(void)events;
	if (fd >= 0)
		close(fd);
	if (r == -EAGAIN)
		return;
	if (r || m.kind != WIRE_ENDED)
		err_set(&m.err, -EIO, "the process that ends a session was killed: what was mounted there may have "
			"lost data");
	ending_over(e, &m.err);
}

static void endings_release(struct endings *s)
{
	struct list *pos, *next;

	list_each(pos, next, &s->world->devices) {
		const struct dm_device *d = container(pos, struct dm_device, node);

		if (d->state != DM_ACTIVE && !s->err.code)
			err_set(&s->err, -EBUSY, "'%s' was suspended when the session ended: the requests it held are "
				"lost", d->name);
	}
	dm_world_release(s->world);
}

static void ending_late(struct loop_watch *w, uint32_t events)
{
	struct ending *e = container(w, struct ending, timer);

	(void)events;
	ending_unwatch(e, w);
	endings_release(e->all);
}

static void ending_watch_time(struct ending *e, unsigned seconds)
{
	const struct itimerspec when = { .it_value = { .tv_sec = seconds, .tv_nsec = seconds ? 0 : 1 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return;
	timerfd_settime(fd, 0, &when, NULL);
	e->timer = (struct loop_watch){ .fd = fd, .events = EPOLLIN, .ready = ending_late };
	if (!loop_watch(e->all->world->loop, &e->timer))
		return;
	close(fd);
	e->timer.fd = -1;
}

static int ending_spawn(struct ending *e)
{
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	e->socket = (struct loop_watch){ .fd = fds[0], .events = EPOLLIN, .ready = ending_heard };
	r = helper_spawn(ENDER_WORD, fds[1], &e->ender);
	close(fds[1]);
	if (!r && (r = loop_watch(e->all->world->loop, &e->socket)))
		kill(e->ender, SIGKILL);
	if (!r)
		return 0;
	close(fds[0]);
	e->socket.fd = -1;
	return r;
}

/* If it cannot be sent a message, its socket reports that as well. */
static void ending_begin(struct ending *e)
{
	struct wire m = { .kind = WIRE_USER_NS };
	struct err err = ERR_INIT;
	int r = e->mnt < 0 ? -EBADF : ending_spawn(e);

	if (r) {
		err_set(&err, r, "cannot clean up the session at its end: %s", strerror(-r));
		ending_over(e, &err);
		return;
	}
	if (e->user >= 0)
		wire_send(e->socket.fd, &m, e->user);
	m.kind = WIRE_END;
	m.seconds = e->all->seconds;
	wire_send(e->socket.fd, &m, e->mnt);
	ending_watch_time(e, e->all->seconds);
}

void endings_start(struct endings *s, void (*then)(void *arg), void *arg)
{
	struct list *pos, *next;

	s->then = then;
	s->arg = arg;
	loss_begin(&s->loss, s->world);
	s->n = 1;
	list_each(pos, next, &s->sessions) {
		s->n++;
		ending_begin(container(pos, struct ending, node));
	}
	s->n--;
	endings_check(s);
}

void endings_stop_waiting(struct endings *s)
{
	const struct wire m = { .kind = WIRE_STOP_WAITING };
	struct list *pos, *next;

	list_each(pos, next, &s->sessions) {
		struct ending *e = container(pos, struct ending, node);

		if (!e->ender)
			continue;
		endings_release(s);
		if (++e->stops < ENDING_STOPS)
			wire_send(e->socket.fd, &m, -1);
		else
			kill(e->ender, SIGKILL);
	}
}

void endings_free(struct endings *s)
{
	struct list *n;

	while ((n = list_take(&s->sessions))) {
		struct ending *e = container(n, struct ending, node);

		if (e->mnt >= 0)
			close(e->mnt);
		if (e->user >= 0)
			close(e->user);
		free(e);
	}
}
