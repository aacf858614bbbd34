/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket: accepts clients (conn.c). See control.h. */
#include "fronts/control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "fronts/control/conn.h"

#define CONTROL_SPARE 8		/* the last one is only used to turn clients away */

static struct control *control_of(struct listener *l)
{
	return container(l, struct control, listener);
}

static void control_welcome(struct listener *l, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		close(fd);
	else
		control_conn_new(control_of(l), fd, &peer);
}

static void control_turned_away(struct listener *l)
{
	struct control *c = control_of(l);
	unsigned held;

	if (log_rate(&c->turned_away, clock_now(c->world->clock), &held))
		log_warn("rejected a client: out of file descriptors (ulimit -n)%s", held ? ", and others before" : "");
}

static bool control_is_master(struct listener *l, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (peer.uid == 0 || peer.uid == control_of(l)->owner);
}

/* The owner and root get a spare descriptor, or take the place of an idle client. */
static enum listener_room control_squeeze(struct listener *l)
{
	struct control *c = control_of(l);

	return c->spare.n > 1 ? LISTENER_ROOM : control_make_room(c);	/* closing a client refills the spare descriptors */
}

static const struct listener_type control_type = {
	.welcome = control_welcome, .turned_away = control_turned_away,
	.squeeze = control_squeeze, .privileged = control_is_master,
};

static int control_listen(struct control *c, const struct control_opts *o, struct err *e)
{
	const struct own_socket_opts at = { .name = "control", .path = o->path, .lock = true, .others = o->allow_read,
				       .keep = "control" };
	int r = o->fd >= 0 ? own_socket_take(&c->socket, &at, o->fd, e) : own_socket_new(&c->socket, &at, e);

	if (r)
		return r;
	r = listener_start(&c->listener, &control_type, c->world->loop, &c->spare, c->socket.fd);
	if (!r)
		return 0;
	own_socket_free(&c->socket);
	return err_set(e, r, "cannot watch the socket '%s': %s", o->path, strerror(-r));
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
	r = control_listen(c, o, e);
	if (r) {
		free(c);
		return r;
	}
	spare_init(&c->spare, CONTROL_SPARE);
	listener_accepts(&c->listener, false);
	*out = c;
	return 0;
}

void control_serve(struct control *c)
{
	listener_accepts(&c->listener, true);
}

void control_stop(struct control *c)
{
	struct list *n, *next;

	if (c->stopped)
		return;
	c->stopped = true;
	listener_stop(&c->listener);
	own_socket_deafen(&c->socket);
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

void control_finish(struct control *c)
{
	control_stop(c);
	while (control_busy(c))
		loop_turn(c->world->loop, -1);
}

void control_free(struct control *c)
{
	struct list *n, *next;

	control_finish(c);
	own_socket_free(&c->socket);
	list_each(n, next, &c->conns)
		control_conn_free(container(n, struct control_conn, node));
	spare_free(&c->spare);
	free(c);
}
