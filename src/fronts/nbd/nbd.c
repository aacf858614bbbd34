/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's life: see nbd.h. A new connection goes to the io thread that has the fewest. */
#include "fronts/nbd/nbd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "fronts/nbd/server.h"
#include "fronts/nbd/tls.h"

#define NBD_PATIENCE (5 * TIMERS_SECOND)	/* for which a peer that does not read its answers can delay the end */

/* Encodes bytes that have a meaning in a URI, and those that are not visible ASCII, as %XX. */
static void nbd_uri_part(struct text *out, const char *s, bool slash)
{
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;
		bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
			     strchr("-._~", ch) || (slash && ch == '/');

		text_printf(out, plain ? "%c" : "%%%02X", ch);
	}
}

static void nbd_uris(struct dm_front *f, const struct dm_device *d, struct text *out)
{
	const struct nbd *n = container(f, struct nbd, front);

	if (n->unix_path) {
		text_add(out, "nbd+unix:///");
		nbd_uri_part(out, d->name, false);
		text_add(out, "?socket=");
		nbd_uri_part(out, n->unix_path, true);
		text_add(out, "\n");
	}
	if (n->tcp_at) {
		text_printf(out, "%s://%s/", n->tls ? "nbds" : "nbd", n->tcp_at);
		nbd_uri_part(out, d->name, false);
		text_add(out, "\n");
	}
}

unsigned nbd_connections(const struct nbd *n)
{
	unsigned i, all = 0;

	for (i = 0; i < n->world->n_io; i++)
		all += n->ios[i].load;
	return all;
}

struct nbd_conn *nbd_adopt_conn(struct nbd *n, int fd, bool tcp)
{
	struct nbd_io *best = &n->ios[0];
	struct nbd_conn *c;
	unsigned i;

	for (i = 1; i < n->world->n_io; i++)
		if (n->ios[i].load < best->load)
			best = &n->ios[i];
	c = nbd_conn_new(best, fd, tcp);
	if (!c) {
		log_error("nbd: no memory for another connection");
		close(fd);
		return NULL;
	}
	best->load++;
	return c;
}

void nbd_conn_go(struct nbd_conn *c)
{
	loop_post(c->nio->io->loop, &c->msg);
}

void nbd_adopt(struct nbd *n, int fd, bool tcp)
{
	struct nbd_conn *c = nbd_adopt_conn(n, fd, tcp);

	if (c)
		nbd_conn_go(c);
}

static void nbd_io_silent(struct loop_msg *msg)
{
	struct nbd *n = container(msg, struct nbd_io, stopped)->nbd;

	if (--n->n_running == 0)
		n->then(n->then_arg);
}

static void nbd_io_hush(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, stop);

	nio->stopped.run = nbd_io_silent;
	loop_post(nio->nbd->world->loop, &nio->stopped);
}

/* The messages that io threads have sent to each other (pressure.c) have arrived when each has answered once more. */
static void nbd_hush(struct nbd *n)
{
	unsigned i;

	n->n_running = n->world->n_io;
	for (i = 0; i < n->world->n_io; i++) {
		n->ios[i].stop.run = nbd_io_hush;
		loop_post(n->ios[i].io->loop, &n->ios[i].stop);
	}
}

/* On the control thread: an io thread has no connections left. */
static void nbd_io_stopped(struct loop_msg *msg)
{
	struct nbd *n = container(msg, struct nbd_io, stopped)->nbd;

	if (--n->n_running == 0)
		nbd_hush(n);
}

void nbd_io_left(struct nbd_io *nio)
{
	if (!nio->stopping || !list_empty(&nio->conns))
		return;
	timer_stop(&nio->patience);
	timer_stop(&nio->pressure);
	nio->stopped.run = nbd_io_stopped;
	loop_post(nio->nbd->world->loop, &nio->stopped);
}

/* Peers that have not read their answers by now never will. */
static void nbd_io_impatient(struct timer *t)
{
	struct nbd_io *nio = container(t, struct nbd_io, patience);
	struct list *pos, *next;

	list_each(pos, next, &nio->conns)
		nbd_conn_die(container(pos, struct nbd_conn, node));
}

static void nbd_io_stop(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, stop);
	struct list *pos, *next;

	nio->stopping = true;
	loop_timer(nio->io->loop, &nio->patience, NBD_PATIENCE);
	list_each(pos, next, &nio->conns)
		nbd_conn_finish(container(pos, struct nbd_conn, node));
	nbd_io_left(nio);
}

static int nbd_start_ios(struct nbd *n, struct err *e)
{
	unsigned i;

	n->ios = calloc(n->world->n_io, sizeof(n->ios[0]));
	if (!n->ios)
		return err_set(e, -ENOMEM, "no memory for the NBD server");
	for (i = 0; i < n->world->n_io; i++) {
		n->ios[i].nbd = n;
		n->ios[i].io = &n->world->io[i];
		list_init(&n->ios[i].conns);
		pool_init(&n->ios[i].pool, &n->memory, sizeof(struct nbd_req));
		faster_init(&n->ios[i].shown);
		nbd_pressure_init(&n->ios[i]);
		timer_init(&n->ios[i].patience, nbd_io_impatient);
	}
	return 0;
}

int nbd_new(struct nbd **out, struct dm_world *w, const struct nbd_opts *o, struct err *e)
{
	struct nbd *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return err_set(e, -ENOMEM, "no memory for the NBD server");
	n->world = w;
	n->allow_others = o->allow_others;
	n->most = o->connections ? o->connections : NBD_CONNECTIONS;
	n->handshake = o->handshake * TIMERS_SECOND;
	pool_memory_init(&n->memory, o->memory ? o->memory : NBD_MEMORY, w->n_io);
	spare_init(&n->spare, 1);
	n->socket = OWN_SOCKET_NONE;
	n->front = (struct dm_front){ .name = "nbd", .uris = nbd_uris, .users = nbd_users };
	list_init(&n->users);
	list_append(&w->fronts, &n->front.node);
	r = nbd_start_ios(n, e);
	if (!r && (o->tls_certs || o->tls_psk))
		r = nbd_tls_new(&n->tls, o->tls_certs, o->tls_psk, o->tls_verify, e);
	if (!r && (o->unix_path || o->unix_fd >= 0))
		r = nbd_listen_unix(n, o, e);
	if (!r && o->tcp)
		r = nbd_listen_tcp(n, o, e);
	if (r) {
		nbd_listen_stop(n);
		nbd_free(n);
		return r;
	}
	*out = n;
	return 0;
}

void nbd_stop(struct nbd *n, void (*then)(void *arg), void *arg)
{
	unsigned i;

	n->then = then;
	n->then_arg = arg;
	n->n_running = n->world->n_io;
	nbd_listen_stop(n);
	for (i = 0; i < n->world->n_io; i++) {
		n->ios[i].stop.run = nbd_io_stop;
		loop_post(n->ios[i].io->loop, &n->ios[i].stop);
	}
}

void nbd_free(struct nbd *n)
{
	unsigned i;

	list_remove(&n->front.node);
	for (i = 0; n->ios && i < n->world->n_io; i++)
		pool_free(&n->ios[i].pool);
	nbd_tls_free(n->tls);
	spare_free(&n->spare);
	free(n->unix_path);
	free(n->tcp_at);
	free(n->ios);
	free(n);
}
