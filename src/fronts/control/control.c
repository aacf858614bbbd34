/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket: accepts clients (conn.c) on a socket (socket.c). See control.h. */
#include "fronts/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "fronts/control/conn.h"

#define CONTROL_ACCEPTS 64	/* clients a turn */

static void control_welcome(struct control *c, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		close(fd);
	else
		control_conn_new(c, fd, peer.uid);
}

/* All descriptors are in use: the spare one lets the client in, and out again; else it would wait in the queue. */
static void control_turn_away(struct control *c)
{
	int fd;

	close(c->spare);
	fd = accept4(c->socket.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		log_warn("a client was turned away: no file descriptors are left (ulimit -n)");
	}
	c->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
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
	if (i < CONTROL_ACCEPTS && (errno == EMFILE || errno == ENFILE))
		control_turn_away(c);
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
	list_init(&c->conns);
	r = control_listen(c, o, e);
	if (r) {
		free(c);
		return r;
	}
	c->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	*out = c;
	return 0;
}

void control_stop(struct control *c)
{
	struct list *n, *next;

	if (c->stopped)
		return;
	c->stopped = true;
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
	if (c->spare >= 0)
		close(c->spare);
	free(c);
}
