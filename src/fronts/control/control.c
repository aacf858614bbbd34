/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket: accepts clients (conn.c) on a socket (socket.c). See control.h. */
#include "fronts/control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "fronts/control/conn.h"

#define CONTROL_ACCEPTS 64	/* clients a turn */
#define CONTROL_SPARE 8		/* the last one only turns away */
#define CONTROL_PAUSE (TIMERS_SECOND / 5)

static void control_welcome(struct control *c, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		close(fd);
	else
		control_conn_new(c, fd, peer.uid);
}

static void control_say(struct control *c)
{
	unsigned held;

	if (log_rate(&c->turned_away, clock_now(c->world->clock), &held))
		log_warn("a client was turned away: no file descriptors are left (ulimit -n)%s", held ? ", as were others" : "");
}

static bool control_is_master(const struct control *c, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && (peer.uid == 0 || peer.uid == c->owner);
}

static void control_pause(struct control *c)
{
	loop_rewatch(c->world->loop, &c->watch, 0);
	loop_timer(c->world->loop, &c->pause, CONTROL_PAUSE);
}

static void control_again(struct timer *t)
{
	struct control *c = container(t, struct control, pause);

	spare_fill(&c->spare);
	loop_rewatch(c->world->loop, &c->watch, EPOLLIN);
}

/*
 * All descriptors are in use. The owner and root come in by one that was kept back, or take the place of a client that
 * asks for nothing. Others, and all when there is no such place, are let in and out again; else they would wait in the
 * queue.
 */
static void control_squeeze(struct control *c)
{
	enum control_room room = c->spare.n > 1 ? CONTROL_ROOM : control_make_room(c);	/* which fills the spare ones again */
	int fd = -1;

	if (room == CONTROL_ROOM_SOON) {
		control_pause(c);
		return;
	}
	if (spare_use(&c->spare))
		fd = accept4(c->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 && room == CONTROL_ROOM && control_is_master(c, fd)) {
		control_welcome(c, fd);
		return;
	}
	control_say(c);
	if (fd >= 0)
		close(fd);
	spare_fill(&c->spare);
	if (fd < 0)
		control_pause(c);
}

static void control_accept(struct loop_watch *w, uint32_t events)
{
	struct control *c = container(w, struct control, watch);
	int i, fd;

	(void)events;
	for (i = 0; i < CONTROL_ACCEPTS; i++) {
		fd = accept4(c->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		control_welcome(c, fd);
	}
	if (i < CONTROL_ACCEPTS && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		control_squeeze(c);
	else
		spare_fill(&c->spare);
}

static int control_listen(struct control *c, const struct control_opts *o, struct err *e)
{
	int r = o->fd >= 0 ? control_socket_take(&c->socket, o->path, o->fd, e)
			   : control_socket_new(&c->socket, o->path, o->allow_read, e);

	if (r)
		return r;
	c->watch = (struct loop_watch){ .fd = c->socket.fd, .events = EPOLLIN, .ready = control_accept };
	r = loop_watch(c->world->loop, &c->watch);
	if (!r)
		return 0;
	control_socket_free(&c->socket);
	return err_set(e, r, "cannot watch the socket %s", o->path);
}

int control_new(struct control **out, struct dm_world *w, const struct control_opts *o, struct err *e)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for the control socket");
	c->world = w;
	c->owner = geteuid();
	c->allow_read = o->allow_read;
	c->handshake = o->handshake * TIMERS_SECOND;
	list_init(&c->conns);
	timer_init(&c->pause, control_again);
	r = control_listen(c, o, e);
	if (r) {
		free(c);
		return r;
	}
	spare_init(&c->spare, CONTROL_SPARE);
	*out = c;
	return 0;
}

void control_stop(struct control *c)
{
	struct list *n, *next;

	if (c->stopped)
		return;
	c->stopped = true;
	timer_stop(&c->pause);
	loop_unwatch(c->world->loop, &c->watch);
	control_socket_deafen(&c->socket);
	list_each(n, next, &c->conns)
		control_conn_cancel(container(n, struct control_conn, node));
}

static bool control_busy(const struct control *c)
{
	struct list *n, *next;

	list_each(n, next, &c->conns)
		if (container(n, struct control_conn, node)->state == CONN_BUSY)
			return true;
	return false;
}

void control_free(struct control *c)
{
	struct list *n, *next;

	control_stop(c);
	while (control_busy(c))
		loop_turn(c->world->loop, -1);
	control_socket_free(&c->socket);
	list_each(n, next, &c->conns)
		control_conn_free(container(n, struct control_conn, node));
	spare_free(&c->spare);
	free(c);
}
