/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection's life: see conn.h. It is freed only in conn_work(), at the end of a turn, so that no function that is
 * still running loses it.
 */
#include "fronts/nbd/conn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "core/device/above.h"
#include "fronts/nbd/server.h"
#include "fronts/nbd/tls.h"

#define CONN_ROUNDS 8		/* receives in a row before others get their turn */

void nbd_conn_wake(struct nbd_conn *c)
{
	loop_defer(c->nio->io->loop, &c->work);
}

/*
 * An option must be answered, and the answer sent, before the next one is looked at. The data of a WRITE that was begun is
 * received, whatever else is in flight: the client has to send it before anything else.
 */
bool nbd_conn_blocked(const struct nbd_conn *c)
{
	if (c->phase == NBD_TRANSMISSION)
		return c->stalled || (c->n_reqs >= NBD_MAX_REQS && !c->filling && !c->skip);
	return c->asking || c->out;
}

static bool conn_reads(const struct nbd_conn *c)
{
	if (c->nio->handover.stands)
		return false;
	switch (c->phase) {
	case NBD_GREETED:
	case NBD_OPTIONS:
	case NBD_TRANSMISSION:
		return !nbd_conn_blocked(c);
	default:
		return false;
	}
}

/* Handles one item of rx; false if it is not complete. */
static bool conn_step(struct nbd_conn *c)
{
	uint64_t got = nbd_conn_got(c);

	if (c->filling)
		return false;
	if (c->skip) {
		uint64_t n = c->skip < got ? c->skip : got;

		c->rx_at += n;
		c->skip -= n;
		if (!c->skip)
			nbd_transmission_skipped(c);
		return n > 0;
	}
	return c->phase == NBD_TRANSMISSION ? nbd_transmission_step(c) : nbd_handshake_step(c);
}

static void conn_advance(struct nbd_conn *c)
{
	c->stalled = false;
	while (conn_reads(c) && conn_step(c))
		;
}

/* False: there was nothing. */
static bool conn_read(struct nbd_conn *c)
{
	unsigned rounds = 0, before = c->n_reqs;
	enum nbd_got got = nbd_recv(c);

	if (got == NBD_GOT_NOTHING)
		return false;
	conn_advance(c);
	while (got == NBD_GOT_MORE && conn_reads(c) && (++rounds < CONN_ROUNDS || (c->tls && nbd_tls_holds(c->tls)))) {
		got = nbd_recv(c);
		conn_advance(c);
	}
	if (c->phase != NBD_DEAD)	/* fewer than before: a WRITE whose data will not arrive was dropped */
		loop_heard(c->nio->io->loop, &c->watch, c->n_reqs > before ? c->n_reqs - before : 0);
	nbd_conn_wake(c);
	return true;
}

static void conn_took_too_long(struct timer *t)
{
	struct nbd_conn *c = container(t, struct nbd_conn, patience);
	unsigned held, seconds = (unsigned)(c->nio->nbd->handshake / TIMERS_SECOND);

	dm_io_tick(c->nio->io);
	if (log_rate(&c->nio->late, c->nio->io->now, &held))
		log_info("nbd: disconnected a client: handshake not completed after %u second%s%s", seconds, text_plural(seconds), held ? " (and others before)" : "");
	nbd_conn_die(c);
}

static void conn_shake_hands(struct nbd_conn *c)
{
	const char *why = NULL;
	int r = nbd_tls_handshake(c->tls, &why);

	if (r && r != -EAGAIN) {
		log_info("nbd: a client's TLS handshake failed: %s", why);
		nbd_conn_die(c);
	} else if (!r) {
		c->phase = NBD_OPTIONS;
		c->tls_needed = false;
	}
	nbd_conn_wake(c);
}

/* The client was told to go ahead: from now on the socket speaks TLS. */
static void conn_start_tls(struct nbd_conn *c)
{
	if (nbd_tls_begin(&c->tls, c->nio->nbd->tls, c->watch.fd)) {
		nbd_conn_die(c);
		return;
	}
	c->phase = NBD_TLS_HANDSHAKE;
	conn_shake_hands(c);
}

static uint32_t conn_events(const struct nbd_conn *c)
{
	uint32_t ev = 0;

	if (c->phase == NBD_TLS_HANDSHAKE)
		return nbd_tls_wants_write(c->tls) ? EPOLLOUT : EPOLLIN;
	if (conn_reads(c))
		ev |= EPOLLIN;
	if (c->out_full)
		ev |= EPOLLOUT;
	return ev;
}

static void conn_ready(struct loop_watch *w, uint32_t events)
{
	struct nbd_conn *c = container(w, struct nbd_conn, watch);

	if (c->nio->handover.stands)
		return;
	if (c->phase == NBD_TLS_HANDSHAKE) {
		conn_shake_hands(c);
		return;
	}
	if (events & EPOLLOUT) {
		c->out_full = false;
		nbd_conn_wake(c);
	}
	if (conn_reads(c))
		conn_read(c);
	else if (events & (EPOLLHUP | EPOLLERR))
		nbd_conn_die(c);
}

static bool conn_poll(struct loop_watch *w)
{
	struct nbd_conn *c = container(w, struct nbd_conn, watch);

	return conn_reads(c) && conn_read(c);
}

/* Drops a WRITE whose data will not arrive. */
static void conn_drop_filling(struct nbd_conn *c)
{
	struct nbd_req *q = c->filling ? c->filling : c->refused;

	c->filling = c->refused = NULL;
	if (q)
		nbd_req_free(q);
}

void nbd_conn_finish(struct nbd_conn *c)
{
	if (c->phase >= NBD_FINISHING)
		return;
	c->phase = NBD_FINISHING;
	nbd_pressure_end(c);
	conn_drop_filling(c);
	nbd_conn_wake(c);
}

void nbd_conn_die(struct nbd_conn *c)
{
	if (c->phase == NBD_DEAD)
		return;
	c->phase = NBD_DEAD;
	timer_stop(&c->patience);
	nbd_pressure_end(c);
	conn_drop_filling(c);
	nbd_send_nothing(c);
	loop_unwatch(c->nio->io->loop, &c->watch);
	if (c->n_reqs || c->asking)
		shutdown(c->watch.fd, SHUT_RDWR);	/* closed when the requests are over; the peer need not wait for that */
	nbd_conn_wake(c);
}

void nbd_conn_reject(struct nbd_conn *c, const char *fmt, ...)
{
	char text[256], *p;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (p = text; *p; p++)		/* it may contain what the client sent */
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	log_info("nbd: disconnected a client: %s", text);
	nbd_conn_die(c);
}

static bool conn_is_over(const struct nbd_conn *c)
{
	if (c->phase == NBD_DEAD)
		return !c->n_reqs && !c->asking;
	return c->phase == NBD_FINISHING && !c->n_reqs && !c->asking && !c->out && !c->out_full;
}

/* On the control thread: the end of the connection. A client that sees it closed finds the device released. */
static void conn_free(struct loop_msg *msg)
{
	struct nbd_conn *c = container(msg, struct nbd_conn, msg);

	c->nio->load--;
	list_remove(&c->user);
	if (c->device && c->writes)
		dm_write_end(c->device);
	if (c->device)
		dm_close(c->device);
	close(c->watch.fd);
	text_free(&c->ask.list);
	free(c->early);
	free(c);
}

/* Once it is posted, the connection belongs to the control thread. */
static void conn_end(struct nbd_conn *c)
{
	struct nbd_io *nio = c->nio;

	nbd_conn_die(c);
	list_remove(&c->work.node);
	list_remove(&c->node);
	if (c->tls)
		nbd_tls_end(c->tls);
	nbd_shown_close(c);
	c->msg.run = conn_free;
	loop_post(nio->io->world->loop, &c->msg);
	nbd_io_left(nio);
}

static void conn_work(struct loop_work *work)
{
	struct nbd_conn *c = container(work, struct nbd_conn, work);

	if (c->nio->handover.stands) {
		loop_rewatch(c->nio->io->loop, &c->watch, 0);
		return;
	}
	if (c->phase != NBD_DEAD && !nbd_send(c))
		nbd_conn_die(c);
	if (c->phase == NBD_TLS_AGREED && !c->out)
		conn_start_tls(c);
	conn_advance(c);
	if (conn_reads(c) && (c->early || (c->tls && nbd_tls_holds(c->tls))))
		conn_read(c);
	if (conn_is_over(c))
		conn_end(c);
	else if (c->phase != NBD_DEAD && loop_rewatch(c->nio->io->loop, &c->watch, conn_events(c)))
		nbd_conn_die(c);
}

struct nbd_conn *nbd_conn_new(struct nbd_io *nio, int fd, bool tcp)
{
	struct nbd_conn *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	memset(c, 0, offsetof(struct nbd_conn, rx));
	c->nio = nio;
	c->tcp = tcp;
	c->tls_needed = tcp && nio->nbd->tls;
	c->watch = (struct loop_watch){ .fd = fd, .events = EPOLLIN, .ready = conn_ready, .poll = conn_poll };
	c->work.run = conn_work;
	list_init(&c->work.node);
	list_init(&c->starved);
	list_init(&c->reqs);
	timer_init(&c->patience, conn_took_too_long);
	c->out_tail = &c->out;
	c->pipe[0] = c->pipe[1] = -1;
	c->msg.run = nbd_conn_begin;
	nbd_users_meet(c);
	return c;
}

void nbd_conn_begin(struct loop_msg *msg)
{
	struct nbd_conn *c = container(msg, struct nbd_conn, msg);

	list_append(&c->nio->conns, &c->node);
	if (loop_watch(c->nio->io->loop, &c->watch) || c->nio->stopping) {
		nbd_conn_die(c);
		return;
	}
	if (c->lost)
		nbd_conn_die(c);
	else if (c->phase < NBD_TRANSMISSION && c->nio->nbd->handshake)
		loop_timer(c->nio->io->loop, &c->patience, c->nio->nbd->handshake);
	if (c->handed)
		nbd_conn_wake(c);
	else
		nbd_handshake_greet(c);
}
