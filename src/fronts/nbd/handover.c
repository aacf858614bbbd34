/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handing connections over to the program that replaces this one. All devices stand still, so a request either has its reply
 * in the output queue, or waits at a gate. The first are bytes to be sent; the others are written down as what the client
 * sent, in front of what was received and not handled yet. The other program sends the former, and receives the latter once
 * more. Nothing here changes a connection, so that it goes on if the other program cannot take it.
 *
 * A connection with TLS cannot change its process: it ends before.
 *
 * The form: a line for each connection, with the lengths of what follows it: the name in the export, that of the metadata
 * context, the input, the output.
 */
#include "fronts/nbd/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "core/device/above.h"
#include "fronts/nbd/server.h"
#include "fronts/nbd/tls.h"

static void save_request(struct text *in, const struct nbd_req *q)
{
	uint8_t head[NBD_REQUEST_HEAD], *p = head;

	p = nbd_put32(p, NBD_REQUEST_MAGIC);
	p = nbd_put16(p, q->flags);
	p = nbd_put16(p, q->cmd);
	p = nbd_put64(p, q->cookie);
	p = nbd_put64(p, q->offset);
	nbd_put32(p, q->len);
	text_add_n(in, (const char *)head, sizeof(head));
}

/* Its client has taken leave, or is to: what comes after what it has begun is not handled, so it ends with that. */
static void save_end(const struct nbd_conn *c, struct text *in)
{
	const struct nbd_req goodbye = { .cmd = NBD_CMD_DISC };

	if (c->n_reqs)
		save_request(in, &goodbye);
}

/* What the client sent, of which nothing was answered. */
static void save_input(const struct nbd_conn *c, struct text *in, struct nbd_handed *l)
{
	struct list *n, *next;

	list_each(n, next, &c->reqs) {
		const struct nbd_req *q = container(n, struct nbd_req, node);

		save_request(in, q);
		if (q->cmd == NBD_CMD_WRITE)
			text_add_n(in, (const char *)q->data, q == c->filling ? c->filled : q->len);
	}
	if (c->phase == NBD_FINISHING) {
		save_end(c, in);
		return;
	}
	if (c->refused) {
		l->skip_at = in->len;
		l->skipped = c->refused->len - (uint32_t)c->skip;
		save_request(in, c->refused);
	}
	text_add_n(in, (const char *)c->rx + c->rx_at, nbd_conn_got(c));
	if (c->early)
		text_add_n(in, (const char *)c->early->bytes + c->early->at, c->early->len - c->early->at);
}

/* Data that was moved into the pipe is moved to the request's own memory, and sent from there whoever sends it. */
static int save_pages(struct nbd_conn *c, struct nbd_out *o, size_t sent)
{
	struct nbd_req *q = container(o, struct nbd_req, out);
	size_t at = sent > o->head_len ? sent - o->head_len : 0;

	while (at < o->data_len) {
		ssize_t n = read(c->pipe[0], q->data + at, o->data_len - at);

		if (n <= 0)
			return -EIO;
		at += (size_t)n;
	}
	o->data = q->data;
	c->pipe_room += o->pages;
	o->pages = 0;
	return 0;
}

static int save_output(struct nbd_conn *c, struct text *out)
{
	size_t sent = c->out_sent;
	struct nbd_out *o;

	for (o = c->out; o; o = o->next, sent = 0) {
		size_t head = sent < o->head_len ? sent : o->head_len;

		if (o->pages && save_pages(c, o, sent))
			return -EIO;
		text_add_n(out, (const char *)o->head + head, o->head_len - head);
		text_add_n(out, (const char *)o->data + (sent - head), o->data_len - (sent - head));
	}
	return 0;
}

static void save_line(const struct nbd_conn *c, struct text *to, const struct nbd_handed *l)
{
	const struct nbd_export *x = &c->export;
	unsigned bits = (c->no_zeroes ? NBD_HANDED_NO_ZEROES : 0) | (c->structured ? NBD_HANDED_STRUCTURED : 0) | (c->meta ? NBD_HANDED_META : 0) |
			(c->tls_needed ? NBD_HANDED_TLS_NEEDED : 0);

	/* Requests are received once more, also those of one that is finishing. */
	text_printf(to, NBD_HANDED_LINE, c->watch.fd, (unsigned)c->tcp, (unsigned)(c->n_reqs ? NBD_TRANSMISSION : c->phase), bits, c->device ? c->device->major : 0,
		    c->device ? c->device->minor : 0, x->size, x->min_block, x->preferred_block, (unsigned)x->flags, l->skip_at, l->skipped,
		    l->name, l->meta, l->in, l->out);
	text_add_n(to, x->name, l->name);
	text_add_n(to, c->meta_name, l->meta);
}

/* Negative: it cannot be saved. */
static int save_conn(struct nbd_conn *c, struct text *to)
{
	struct nbd_handed l = { .skip_at = SIZE_MAX, .name = strlen(c->export.name), .meta = strlen(c->meta_name) };
	struct text in = TEXT_INIT, out = TEXT_INIT;
	int r = save_output(c, &out);

	save_input(c, &in, &l);
	l.in = in.len;
	l.out = out.len;
	if (!r && (in.failed || out.failed))
		r = -ENOMEM;
	if (!r) {
		save_line(c, to, &l);
		text_add_n(to, text_str(&in), in.len);
		text_add_n(to, text_str(&out), out.len);
	}
	text_free(&in);
	text_free(&out);
	return r ? r : to->failed ? -ENOMEM
				  : 0;
}

/* Is it one that the other program can go on with? */
static bool is_saved(const struct nbd_conn *c)
{
	return !c->tls && c->phase != NBD_DEAD && c->phase != NBD_TLS_AGREED && c->phase != NBD_TLS_HANDSHAKE;
}

/* Some client's question is on its way to the control thread, or the answer on its way back. */
static bool somebody_asks(const struct nbd_io *nio)
{
	struct list *n, *next;

	list_each(n, next, &nio->conns)
		if (container(n, struct nbd_conn, node)->asking)
			return true;
	return false;
}

/* Back on the control thread. */
static void save_answered(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, handover.answer);
	struct nbd *n = nio->nbd;

	if (nio->handover.err == -EAGAIN) {
		loop_post(nio->io->loop, &nio->handover.ask);
		return;
	}
	if (--n->handover.n_running == 0)
		n->handover.then(n->handover.arg);
}

static void save_ask(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, handover.ask);
	struct list *n, *next;

	nio->handover.err = somebody_asks(nio) ? -EAGAIN : 0;
	nio->handover.stands = !nio->handover.err;
	list_each(n, next, &nio->conns) {
		struct nbd_conn *c = container(n, struct nbd_conn, node);

		if (!nio->handover.stands || nio->handover.err || !is_saved(c))
			continue;
		nio->handover.err = save_conn(c, &nio->handover.saved);
		fcntl(c->watch.fd, F_SETFD, 0);
	}
	loop_post(nio->nbd->world->loop, &nio->handover.answer);
}

/* Who connects now waits for the other program: an io thread that has saved its connections would not save that one. */
static void hand_over_listeners(struct nbd *n, bool back)
{
	unsigned i;

	for (i = 0; i < n->n_listeners; i++)
		listener_accepts(&n->listeners[i].listener, back);
}

void nbd_hand_over(struct nbd *n, void (*then)(void *arg), void *arg)
{
	unsigned i;

	hand_over_listeners(n, false);
	n->handover.then = then;
	n->handover.arg = arg;
	n->handover.n_running = n->world->n_io;
	for (i = 0; i < n->world->n_io; i++) {
		struct nbd_io *nio = &n->ios[i];

		text_clear(&nio->handover.saved);
		nio->handover.ask.run = save_ask;
		nio->handover.answer.run = save_answered;
		loop_post(nio->io->loop, &nio->handover.ask);
	}
}

int nbd_handed_over(const struct nbd *n, struct text *to)
{
	unsigned i;

	for (i = 0; i < n->world->n_io; i++) {
		const struct nbd_io *nio = &n->ios[i];

		if (nio->handover.err)
			return nio->handover.err;
		text_add_n(to, text_str(&nio->handover.saved), nio->handover.saved.len);
	}
	return to->failed ? -ENOMEM : 0;
}

static void hand_back_ask(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, handover.ask);
	struct list *n, *next;

	nio->handover.stands = false;
	list_each(n, next, &nio->conns) {
		struct nbd_conn *c = container(n, struct nbd_conn, node);

		fcntl(c->watch.fd, F_SETFD, FD_CLOEXEC);
		nbd_conn_wake(c);
	}
	text_free(&nio->handover.saved);
}

void nbd_hand_back(struct nbd *n)
{
	unsigned i;

	hand_over_listeners(n, true);
	for (i = 0; i < n->world->n_io; i++) {
		n->ios[i].handover.ask.run = hand_back_ask;
		loop_post(n->ios[i].io->loop, &n->ios[i].handover.ask);
	}
}

static void ended_tls(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, handover.end_tls);
	struct list *n, *next;

	list_each(n, next, &nio->conns) {
		struct nbd_conn *c = container(n, struct nbd_conn, node);

		if (!is_saved(c))
			nbd_conn_finish(c);
	}
}

void nbd_end_tls(struct nbd *n)
{
	unsigned i;

	for (i = 0; i < n->world->n_io; i++) {
		n->ios[i].handover.end_tls.run = ended_tls;
		loop_post(n->ios[i].io->loop, &n->ios[i].handover.end_tls);
	}
}
