/* SPDX-License-Identifier: BSD-2-Clause */
/* Where clients connect: a Unix socket for the owner and root, and TCP. Control thread. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "fronts/nbd/server.h"

/* Only root and the owner, unless others are allowed. */
static bool listen_peer_may(const struct nbd *n, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (n->allow_others)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return false;
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	log_warn("nbd: rejected user %u: the socket is for user %u and root", who.uid, geteuid());
	return false;
}

/*
 * Answers are gathered by us already, so TCP need not; and a client that vanished keeps a device open for two minutes,
 * not forever.
 */
static void listen_tune(int fd)
{
	int one = 1, idle = 60, interval = 15, count = 4;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static void listen_say(struct nbd *n, const char *why)
{
	unsigned held;

	if (log_rate(&n->turned_away, clock_now(n->world->clock), &held))
		log_warn("nbd: rejected a client: %s%s", why, held ? " (and others before)" : "");
}

/* The last descriptors are kept for others, above all the control socket. */
static const char *listen_refusal(const struct nbd *n, int fd)
{
	if (nbd_connections(n) >= n->most)
		return "too many connections (--nbd-connections)";
	return spare_is_scarce(fd) ? "almost out of file descriptors (ulimit -n)" : NULL;
}

static void listen_welcome(struct listener *listener, int fd)
{
	struct nbd_listener *l = container(listener, struct nbd_listener, listener);
	const char *why = listen_refusal(l->nbd, fd);

	if (why)
		listen_say(l->nbd, why);
	else if (l->tcp)
		listen_tune(fd);
	if (!why && (l->tcp || listen_peer_may(l->nbd, fd)))
		nbd_adopt(l->nbd, fd, l->tcp);
	else
		close(fd);
}

static void listen_turned_away(struct listener *listener)
{
	listen_say(container(listener, struct nbd_listener, listener)->nbd, "out of file descriptors (ulimit -n)");
}

static const struct listener_type listen_type = { .welcome = listen_welcome, .turned_away = listen_turned_away };

int nbd_listen_add(struct nbd *n, int fd, bool tcp, const char *where, struct err *e)
{
	struct nbd_listener *l = &n->listeners[n->n_listeners];
	int code;

	if (n->n_listeners == NBD_LISTENERS) {
		close(fd);
		return err_set(e, -E2BIG, "'%s' resolves to more than %d addresses", where, NBD_LISTENERS);
	}
	*l = (struct nbd_listener){ .nbd = n, .tcp = tcp };
	code = listener_start(&l->listener, &listen_type, n->world->loop, &n->spare, fd);
	if (code) {
		close(fd);
		return err_set(e, code, "cannot listen on '%s': %s", where, strerror(-code));
	}
	n->n_listeners++;
	return 0;
}

void nbd_listen_stop(struct nbd *n)
{
	while (n->n_listeners) {
		struct listener *l = &n->listeners[--n->n_listeners].listener;

		listener_stop(l);
		close(l->watch.fd);
		nbd_tcp_drop(n->n_listeners);
	}
	own_socket_free(&n->socket);
}

static int listen_path(struct nbd *n, const char *path, struct err *e)
{
	const struct own_socket_opts o = { .name = "NBD", .path = path, .others = n->allow_others, .keep = "nbd" };
	int fd, r = own_socket_new(&n->socket, &o, e);

	if (r)
		return r;
	fd = n->socket.fd;
	n->socket.fd = -1;
	return nbd_listen_add(n, fd, false, path, e);
}

/* A URI must be valid in any directory. */
static char *listen_absolute(const char *path)
{
	char cwd[PATH_MAX], *whole;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(cwd, sizeof(cwd)) || asprintf(&whole, "%s/%s", cwd, path) < 0)
		return NULL;
	return whole;
}

/* The path of a socket that was passed in, or NULL if it has none. */
static char *listen_path_of(int fd)
{
	struct sockaddr_un a = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len) || a.sun_family != AF_UNIX || !a.sun_path[0])
		return NULL;
	return strndup(a.sun_path, sizeof(a.sun_path));
}

int nbd_listen_unix(struct nbd *n, const struct nbd_opts *o, struct err *e)
{
	if (o->unix_fd >= 0) {
		n->unix_path = listen_path_of(o->unix_fd);
		fcntl(o->unix_fd, F_SETFL, O_NONBLOCK);
		return nbd_listen_add(n, o->unix_fd, false, "the inherited socket", e);
	}
	n->unix_path = listen_absolute(o->unix_path);
	if (!n->unix_path)
		return err_set(e, -ENOMEM, "no memory for the path of the NBD socket");
	return listen_path(n, n->unix_path, e);
}
