/* SPDX-License-Identifier: BSD-2-Clause */
/* Accepting clients: see listener.h. */
#include "base/listener.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENER_BACKLOG 4096
#define LISTENER_ACCEPTS 64	/* clients per turn */
#define LISTENER_PAUSE (TIMERS_SECOND / 5)

static int listener_accept(struct listener *l)
{
	return accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void listener_pause(struct listener *l)
{
	loop_rewatch(l->loop, &l->watch, 0);
	loop_timer(l->loop, &l->pause, LISTENER_PAUSE);
}

static void listener_again(struct timer *t)
{
	struct listener *l = container(t, struct listener, pause);

	spare_fill(l->spare);
	loop_rewatch(l->loop, &l->watch, EPOLLIN);
}

/*
 * All descriptors are in use. Privileged clients get a spare one, if the type has any. Others (and all, if there is
 * none) are accepted and disconnected; else they would wait in the queue.
 */
static void listener_squeeze(struct listener *l)
{
	enum listener_room room = l->type->squeeze ? l->type->squeeze(l) : LISTENER_FULL;
	int fd = -1;

	if (room == LISTENER_ROOM_SOON) {
		listener_pause(l);
		return;
	}
	if (spare_use(l->spare))
		fd = listener_accept(l);
	if (fd >= 0 && room == LISTENER_ROOM && l->type->privileged(l, fd)) {
		l->type->welcome(l, fd);
		return;
	}
	l->type->turned_away(l);
	if (fd >= 0)
		close(fd);
	spare_fill(l->spare);
	if (fd < 0)
		listener_pause(l);
}

static void listener_ready(struct loop_watch *w, uint32_t events)
{
	struct listener *l = container(w, struct listener, watch);
	int i, fd;

	(void)events;
	for (i = 0; i < LISTENER_ACCEPTS; i++) {
		fd = listener_accept(l);
		if (fd < 0)
			break;
		l->type->welcome(l, fd);
	}
	if (i < LISTENER_ACCEPTS && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		listener_squeeze(l);
	else
		spare_fill(l->spare);
}

int listener_start(struct listener *l, const struct listener_type *type, struct loop *loop, struct spare *spare, int fd)
{
	*l = (struct listener){ .type = type, .loop = loop, .spare = spare,
				.watch = { .fd = fd, .events = EPOLLIN, .ready = listener_ready } };
	timer_init(&l->pause, listener_again);
	return listen(fd, LISTENER_BACKLOG) ? -errno : loop_watch(loop, &l->watch);
}

void listener_accepts(struct listener *l, bool on)
{
	timer_stop(&l->pause);
	loop_rewatch(l->loop, &l->watch, on ? EPOLLIN : 0);
}

void listener_stop(struct listener *l)
{
	timer_stop(&l->pause);
	loop_unwatch(l->loop, &l->watch);
}
