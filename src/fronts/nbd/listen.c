/* SPDX-License-Identifier: BSD-2-Clause */
/* Where clients come in: a Unix socket for the owner and root, and TCP. Control thread. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own_file.h"
#include "fronts/nbd/server.h"

#define LISTEN_BACKLOG 128
#define LISTEN_PAUSE TIMERS_SECOND
#define LISTEN_FLAGS (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

/* Root and the owner, or everybody. */
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
	log_warn("nbd: user %u was turned away: the socket is for user %u and root", who.uid, geteuid());
	return false;
}

/*
 * Answers are gathered here already; and a client that vanished without a word does not keep a device open for ever, but
 * for two minutes.
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

static void listen_take(struct nbd_listener *l, int fd)
{
	if (l->tcp)
		listen_tune(fd);
	if (l->tcp || listen_peer_may(l->nbd, fd))
		nbd_adopt(l->nbd, fd, l->tcp);
	else
		close(fd);
}

static void listen_say(struct nbd *n, const char *why)
{
	unsigned held;

	if (log_rate(&n->turned_away, clock_now(n->world->clock), &held))
		log_warn("nbd: a client was turned away: %s%s", why, held ? " (as were others before)" : "");
}

/* Until descriptors come back, clients wait in the queue. */
static void listen_pause(struct nbd_listener *l)
{
	loop_rewatch(l->nbd->world->loop, &l->watch, 0);
	loop_timer(l->nbd->world->loop, &l->pause, LISTEN_PAUSE);
}

static void listen_again(struct timer *t)
{
	struct nbd_listener *l = container(t, struct nbd_listener, pause);

	spare_fill(&l->nbd->spare);
	loop_rewatch(l->nbd->world->loop, &l->watch, EPOLLIN);
}

/* No descriptor is left: the client gets to know, instead of waiting (and us spinning) for ever. */
static void listen_turn_away(struct nbd_listener *l)
{
	struct nbd *n = l->nbd;
	int fd = -1;

	if (spare_use(&n->spare))
		fd = accept4(l->watch.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	spare_fill(&n->spare);
	listen_say(n, "no more files can be open (ulimit -n)");
	if (fd < 0)
		listen_pause(l);
}

/* The last descriptors are for others: the control socket, above all. */
static void listen_ready(struct loop_watch *w, uint32_t events)
{
	struct nbd_listener *l = container(w, struct nbd_listener, watch);
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct nbd *n = l->nbd;

	(void)events;
	if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
		return;
	if (fd < 0) {
		listen_turn_away(l);
	} else if (nbd_connections(n) >= n->most) {
		listen_say(n, "as many are connected as may be (--nbd-connections)");
		close(fd);
	} else if (spare_is_scarce(fd)) {
		listen_say(n, "hardly any more files can be open (ulimit -n)");
		close(fd);
	} else {
		listen_take(l, fd);
	}
}

int nbd_listen_add(struct nbd *n, int fd, bool tcp, const char *where, struct err *e)
{
	struct nbd_listener *l = &n->listeners[n->n_listeners];
	int code;

	if (n->n_listeners == NBD_LISTENERS) {
		close(fd);
		return err_set(e, -E2BIG, "'%s' stands for more than %d addresses", where, NBD_LISTENERS);
	}
	*l = (struct nbd_listener){ .nbd = n, .tcp = tcp };
	l->watch = (struct loop_watch){ .fd = fd, .events = EPOLLIN, .ready = listen_ready };
	timer_init(&l->pause, listen_again);
	code = listen(fd, LISTEN_BACKLOG) ? -errno : loop_watch(n->world->loop, &l->watch);
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
		struct nbd_listener *l = &n->listeners[--n->n_listeners];

		loop_unwatch(n->world->loop, &l->watch);
		timer_stop(&l->pause);
		close(l->watch.fd);
	}
	if (n->unlink_path)
		unlink(n->unix_path);
	n->unlink_path = false;
}

/* A socket file that nobody listens on any more is in the way; anything else is someone's. */
static int listen_clear_path(const struct sockaddr_un *a, struct err *e)
{
	struct stat st;
	int fd, r;

	if (lstat(a->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, -EEXIST, "'%s' exists and is not a socket: name another path for the NBD socket",
			       a->sun_path);
	if (!own_user(st.st_uid))
		return err_set(e, -EPERM, "'%s' is the socket of user %u: name another path for the NBD socket",
			       a->sun_path, (unsigned)st.st_uid);
	fd = socket(AF_UNIX, LISTEN_FLAGS, 0);
	if (fd < 0)
		return err_set(e, -errno, "cannot make a socket: %s", strerror(errno));
	r = connect(fd, (const struct sockaddr *)a, sizeof(*a)) ? errno : 0;
	close(fd);
	if (r != ECONNREFUSED)
		return err_set(e, -EADDRINUSE, "another server listens on '%s'", a->sun_path);
	unlink(a->sun_path);
	return 0;
}

static int listen_path(struct nbd *n, const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(e, -ENAMETOOLONG, "the path of the NBD socket, '%s', is longer than %zu bytes", path,
			       sizeof(a.sun_path) - 1);
	strcpy(a.sun_path, path);
	r = listen_clear_path(&a, e);
	if (r)
		return r;
	fd = socket(AF_UNIX, LISTEN_FLAGS, 0);
	if (fd < 0)
		return err_set(e, -errno, "cannot make a socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || chmod(path, n->allow_others ? 0666 : 0600)) {
		r = err_set(e, -errno, "cannot make the NBD socket '%s': %s", path, strerror(errno));
		close(fd);
		return r;
	}
	n->unlink_path = true;
	return nbd_listen_add(n, fd, false, path, e);
}

/* URIs want to be understood from any folder. */
static char *listen_absolute(const char *path)
{
	char cwd[PATH_MAX], *whole;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(cwd, sizeof(cwd)) || asprintf(&whole, "%s/%s", cwd, path) < 0)
		return NULL;
	return whole;
}

/* The path of a socket that was made elsewhere, or NULL if it has none. */
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
		return nbd_listen_add(n, o->unix_fd, false, "the socket that was handed in", e);
	}
	n->unix_path = listen_absolute(o->unix_path);
	if (!n->unix_path)
		return err_set(e, -ENOMEM, "no memory for the path of the NBD socket");
	return listen_path(n, n->unix_path, e);
}
