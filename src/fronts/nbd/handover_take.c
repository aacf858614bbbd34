/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of handover.c: what an earlier program has saved of its connections becomes connections of this one.
 */
#include "fronts/nbd/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/device/above.h"
#include "fronts/nbd/server.h"

#define HANDOVER_FIELDS 16

ssize_t nbd_early_recv(struct nbd_conn *c, const struct iovec *iov, int n)
{
	struct nbd_early *early = c->early;
	size_t all = 0;
	int i;

	for (i = 0; i < n; i++) {
		size_t rest = early->len - early->at, k = iov[i].iov_len < rest ? iov[i].iov_len : rest;

		memcpy(iov[i].iov_base, early->bytes + early->at, k);
		if (early->skip_at >= early->at && early->skip_at < early->at + k) {
			c->refused_at = (size_t)((uint8_t *)iov[i].iov_base - c->rx) + early->skip_at - early->at;
			c->refused_skipped = early->skipped;
		}
		early->at += k;
		all += k;
	}
	if (early->at == early->len) {
		free(early);
		c->early = NULL;
	}
	return (ssize_t)all;
}

uint32_t nbd_early_skipped(struct nbd_conn *c)
{
	uint32_t n = c->refused_skipped;

	if (!n || c->rx_at != c->refused_at + NBD_REQUEST_HEAD)
		return 0;
	c->refused_skipped = 0;
	return n;
}

/* What is still to be sent to the client. */
struct handed_out {
	struct nbd_out out;
	uint8_t bytes[];
};

static void handed_sent(struct nbd_conn *c, struct nbd_out *o)
{
	(void)c;
	free(container(o, struct handed_out, out));
}

static int take_output(struct nbd_conn *c, const char *bytes, size_t len)
{
	struct handed_out *h = len ? malloc(sizeof(*h) + len) : NULL;

	if (!len)
		return 0;
	if (!h)
		return -ENOMEM;
	memcpy(h->bytes, bytes, len);
	h->out = (struct nbd_out){ .head = h->bytes, .head_len = (uint32_t)len, .done = handed_sent };
	*c->out_tail = &h->out;
	c->out_tail = &h->out.next;
	return 0;
}

static int take_input(struct nbd_conn *c, const struct nbd_handed *l, const char *bytes)
{
	if (!l->in)
		return 0;
	c->early = malloc(sizeof(*c->early) + l->in);
	if (!c->early)
		return -ENOMEM;
	*c->early = (struct nbd_early){ .len = l->in, .skip_at = l->skip_at, .skipped = l->skipped };
	memcpy(c->early->bytes, bytes, l->in);
	return 0;
}

static int take_device(struct nbd_conn *c, const struct nbd_handed *l)
{
	struct dm_device *d;

	if (!l->major)
		return 0;
	d = dm_find_number(c->nio->nbd->world, l->major, l->minor);
	if (!d)
		return -ENXIO;
	dm_open(d);
	c->device = d;
	c->writes = !(l->flags & NBD_FLAG_READ_ONLY);
	if (c->writes)
		dm_write_begin(d);
	nbd_users_enter(c, d);
	return 0;
}

static void take_fields(struct nbd_conn *c, const struct nbd_handed *l, const char *names)
{
	c->phase = (enum nbd_phase)l->phase;
	c->no_zeroes = l->bits & NBD_HANDED_NO_ZEROES;
	c->structured = l->bits & NBD_HANDED_STRUCTURED;
	c->meta = l->bits & NBD_HANDED_META;
	c->tls_needed = l->bits & NBD_HANDED_TLS_NEEDED;
	c->export.size = l->size;
	c->export.min_block = l->min_block;
	c->export.preferred_block = l->preferred_block;
	c->export.flags = (uint16_t)l->flags;
	memcpy(c->export.name, names, l->name);
	memcpy(c->meta_name, names + l->name, l->meta);
}

/* One connection; negative: it is closed, and its client connects anew. */
static int take_conn(struct nbd *n, const struct nbd_handed *l, const char *bytes)
{
	struct nbd_conn *c = nbd_adopt_conn(n, l->fd, l->tcp);
	int r;

	if (!c)
		return -ENOMEM;
	fcntl(l->fd, F_SETFD, FD_CLOEXEC);
	take_fields(c, l, bytes);
	bytes += l->name + l->meta;
	r = take_device(c, l);
	if (!r)
		r = take_input(c, l, bytes);
	if (!r)
		r = take_output(c, bytes + l->in, l->out);
	c->handed = true;
	c->lost = r;
	nbd_conn_go(c);
	return r;
}

static bool line_is_sound(const struct nbd_handed *l, size_t rest)
{
	size_t room = rest;

	if (l->name > DM_NAME_MAX || l->meta > DM_NAME_MAX || l->phase >= NBD_DEAD || l->out > UINT32_MAX)
		return false;
	if (l->name + l->meta > room || l->in > (room -= l->name + l->meta) || l->out > room - l->in)
		return false;
	return l->skip_at == SIZE_MAX || l->skip_at + NBD_REQUEST_HEAD <= l->in;
}

static bool line_scan(const char *s, struct nbd_handed *l, int *len)
{
	return sscanf(s, NBD_HANDED_SCAN, &l->fd, &l->tcp, &l->phase, &l->bits, &l->major, &l->minor, &l->size, &l->min_block,
		      &l->preferred_block, &l->flags, &l->skip_at, &l->skipped, &l->name, &l->meta, &l->in, &l->out, len) ==
	       HANDOVER_FIELDS;
}

/* The next connection in SAVED, of which *AT bytes were read; false: there is none, or it is damaged. */
static bool line_next(const char *saved, size_t len, size_t *at, struct nbd_handed *l, const char **bytes)
{
	int head = 0;

	*l = (struct nbd_handed){ .fd = -1 };
	if (*at >= len || !line_scan(saved + *at, l, &head) || !line_is_sound(l, len - *at - (size_t)head))
		return false;
	*bytes = saved + *at + head;
	*at += (size_t)head + l->name + l->meta + l->in + l->out;
	return true;
}

static int take_check(const char *saved, size_t len, struct err *e)
{
	struct nbd_handed l;
	const char *bytes;
	size_t at = 0;

	while (line_next(saved, len, &at, &l, &bytes))
		;
	if (at != len)
		return err_set(e, -EINVAL, "what was handed over of NBD connections is damaged at byte %zu of %zu", at, len);
	return 0;
}

void nbd_handed_on(const char *saved, size_t len)
{
	struct nbd_handed l;
	const char *bytes;
	size_t at = 0;

	while (line_next(saved, len, &at, &l, &bytes))
		fcntl(l.fd, F_SETFD, 0);
}

int nbd_take_over(struct nbd *n, const char *saved, size_t len, struct err *e)
{
	struct nbd_handed l;
	const char *bytes;
	size_t at = 0;
	int r;

	if (take_check(saved, len, e))
		return e->code;
	while (line_next(saved, len, &at, &l, &bytes)) {
		r = take_conn(n, &l, bytes);
		if (r)
			log_warn("nbd: disconnected a client that an earlier program served: %s", strerror(-r));
	}
	return 0;
}
