/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output: the queue's heads and data are gathered into one sendmsg() per turn; what the socket does not take is sent
 * later.
 */
#include <errno.h>
#include <sys/socket.h>

#include "fronts/nbd/server.h"
#include "fronts/nbd/tls.h"

void nbd_conn_send(struct nbd_conn *c, struct nbd_out *o)
{
	o->next = NULL;
	if (c->phase == NBD_DEAD) {
		o->done(c, o);
		nbd_conn_wake(c);	/* this may have been the last request */
		return;
	}
	*c->out_tail = o;
	c->out_tail = &o->next;
	nbd_conn_wake(c);
}

static void send_pop(struct nbd_conn *c)
{
	struct nbd_out *o = c->out;

	c->out = o->next;
	if (!c->out)
		c->out_tail = &c->out;
	c->pipe_room += o->pages;
	o->done(c, o);
}

void nbd_send_nothing(struct nbd_conn *c)
{
	while (c->out)
		send_pop(c);
	c->out_sent = 0;
}

/* What remains of BASE after skipping *SKIP bytes, which are deducted. */
static unsigned send_iov(struct iovec *iov, const uint8_t *base, size_t len, size_t *skip)
{
	size_t cut = *skip < len ? *skip : len;

	*skip -= cut;
	if (cut == len)
		return 0;
	*iov = (struct iovec){ .iov_base = (void *)(uintptr_t)(base + cut), .iov_len = len - cut };
	return 1;
}

/* Up to and including the head of one whose data is in the pipe. */
static unsigned send_gather(const struct nbd_conn *c, struct iovec *iov, bool *more)
{
	size_t skip = c->out_sent;
	const struct nbd_out *o;
	unsigned n = 0;

	*more = false;
	for (o = c->out; o && n + 2 <= NBD_IOVS && !*more; o = o->next) {
		n += send_iov(&iov[n], o->head, o->head_len, &skip);
		if (!o->pages)
			n += send_iov(&iov[n], o->data, o->data_len, &skip);
		else
			*more = true;
	}
	return n;
}

static void send_took(struct nbd_conn *c, size_t n)
{
	size_t len;

	c->moved = c->nio->io->now;
	c->out_sent += n;
	while (c->out && c->out_sent >= (len = (size_t)c->out->head_len + c->out->data_len)) {
		c->out_sent -= len;
		send_pop(c);
	}
}

static ssize_t send_some(struct nbd_conn *c)
{
	struct msghdr m = { .msg_iov = c->nio->iov };
	const struct nbd_out *o = c->out;
	bool more;
	ssize_t n;

	if (o->pages && c->out_sent >= o->head_len)
		return nbd_shown_send(c, o->head_len + o->data_len - c->out_sent);
	m.msg_iovlen = send_gather(c, m.msg_iov, &more);
	if (c->tls)
		return nbd_tls_send(c->tls, m.msg_iov, (unsigned)m.msg_iovlen);
	n = sendmsg(c->watch.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
	return n < 0 ? -errno : n;
}

bool nbd_send(struct nbd_conn *c)
{
	ssize_t n = 0;

	while (!c->out_full) {
		if (c->tls)
			n = nbd_tls_flush(c->tls);
		if (n >= 0 && !c->out)
			return true;
		if (n >= 0)
			n = send_some(c);
		if (n == -EAGAIN)
			c->out_full = true;
		else if (n < 0 && n != -EINTR)
			return false;
		else if (n > 0)
			send_took(c, (size_t)n);
	}
	return true;
}
