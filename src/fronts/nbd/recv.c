/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: one readv() takes as many requests as there are; the data of a long WRITE goes straight into the request's own
 * buffer, and what follows it into rx.
 */
#include <errno.h>
#include <string.h>

#include "fronts/nbd/handover.h"
#include "fronts/nbd/server.h"
#include "fronts/nbd/tls.h"

/* Makes room in rx for at least one whole option. */
static void recv_make_room(struct nbd_conn *c)
{
	if (c->rx_at == c->rx_end) {
		c->rx_at = c->rx_end = 0;
	} else if (NBD_RX - c->rx_end < NBD_RX / 2) {
		memmove(c->rx, c->rx + c->rx_at, nbd_conn_got(c));
		c->refused_at -= c->rx_at;
		c->rx_end -= c->rx_at;
		c->rx_at = 0;
	}
}

static int recv_iov(struct nbd_conn *c, struct iovec iov[2])
{
	int n = 0;

	if (c->filling)
		iov[n++] = (struct iovec){ .iov_base = c->filling->data + c->filled,
					   .iov_len = c->filling->len - c->filled };
	iov[n++] = (struct iovec){ .iov_base = c->rx + c->rx_end, .iov_len = NBD_RX - c->rx_end };
	return n;
}

static void recv_took(struct nbd_conn *c, size_t n)
{
	if (c->filling) {
		size_t missing = c->filling->len - c->filled, k = n < missing ? n : missing;

		c->filled += (uint32_t)k;
		n -= k;
		if (k == missing)
			nbd_transmission_filled(c);
	}
	c->rx_end += n;
}

enum nbd_got nbd_recv(struct nbd_conn *c)
{
	struct iovec iov[2];
	size_t room;
	ssize_t n;
	int k;

	recv_make_room(c);
	k = recv_iov(c, iov);
	room = iov[0].iov_len + (k > 1 ? iov[1].iov_len : 0);
	if (c->early) {
		n = nbd_early_recv(c, iov, k);
	} else if (c->tls) {
		n = nbd_tls_recv(c->tls, iov[0].iov_base, iov[0].iov_len);
	} else {
		n = readv(c->watch.fd, iov, k);
		n = n < 0 ? -errno : n;
	}
	if (n == -EAGAIN || n == -EINTR)
		return NBD_GOT_NOTHING;
	dm_io_tick(c->nio->io);
	c->moved = c->nio->io->now;
	if (n > 0)
		recv_took(c, (size_t)n);
	else if (n == 0)
		nbd_conn_finish(c);	/* it may still read answers */
	else
		nbd_conn_die(c);
	return n > 0 && (c->tls || (size_t)n == room) ? NBD_GOT_MORE : NBD_GOT_ALL;
}
