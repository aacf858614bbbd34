/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to requests: simple replies or, if the client negotiated them, structured ones, which carry an error message.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "fronts/nbd/server.h"

static enum nbd_errno reply_errno(int err)
{
	switch (-err) {
	case EPERM:
	case EROFS:
		return NBD_EPERM;
	case ENOMEM:
		return NBD_ENOMEM;
	case EINVAL:
		return NBD_EINVAL;
	case ENOSPC:
		return NBD_ENOSPC;
	case EOVERFLOW:
		return NBD_EOVERFLOW;
	case EOPNOTSUPP:
		return NBD_ENOTSUP;
	case ESHUTDOWN:
		return NBD_ESHUTDOWN;
	default:
		return NBD_EIO;
	}
}

static void reply_sent(struct nbd_conn *c, struct nbd_out *o)
{
	struct nbd_req *q = container(o, struct nbd_req, out);

	if (c->phase != NBD_DEAD)
		nbd_shown_sent(q);
	nbd_req_free(q);
}

static void reply_send(struct nbd_req *q, const uint8_t *end, const void *data, uint32_t len)
{
	list_remove(&q->node);
	q->out.head = q->head;
	q->out.head_len = (uint32_t)(end - q->head);
	q->out.data = data;
	q->out.data_len = len;
	q->out.done = reply_sent;
	if (q != q->conn->refused)
		nbd_conn_send(q->conn, &q->out);
}

static uint8_t *reply_simple(struct nbd_req *q, uint32_t err)
{
	return nbd_put64(nbd_put32(nbd_put32(q->head, NBD_SIMPLE_MAGIC), err), q->cookie);
}

/* The head of a reply's only chunk; LEN bytes follow. */
static uint8_t *reply_chunk(struct nbd_req *q, uint16_t type, uint32_t len)
{
	uint8_t *p = nbd_put32(q->head, NBD_STRUCTURED_MAGIC);

	p = nbd_put16(p, NBD_REPLY_FLAG_DONE);
	p = nbd_put16(p, type);
	return nbd_put32(nbd_put64(p, q->cookie), len);
}

void nbd_reply_fail(struct nbd_req *q, enum nbd_errno err, const char *fmt, ...)
{
	uint8_t *p;
	va_list ap;
	size_t len;

	if (!q->conn->structured) {
		reply_send(q, reply_simple(q, err), NULL, 0);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(q->sentence, sizeof(q->sentence), fmt, ap);
	va_end(ap);
	len = strlen(q->sentence);
	p = reply_chunk(q, NBD_REPLY_ERROR, (uint32_t)(4 + 2 + len));
	p = nbd_put16(nbd_put32(p, err), (uint16_t)len);
	reply_send(q, p, q->sentence, (uint32_t)len);
}

static void reply_failed(struct nbd_req *q, int err)
{
	const char *name = nbd_cmd_name(q->cmd);

	if (err == -EOPNOTSUPP && q->flags & NBD_CMD_FLAG_FAST_ZERO)
		nbd_reply_fail(q, NBD_ENOTSUP, "%u bytes at %llu: writing zeros is not faster than other data here", q->len,
			       (unsigned long long)q->offset);
	else if (q->cmd == NBD_CMD_FLUSH)
		nbd_reply_fail(q, reply_errno(err), "%s: %s", name, strerror(-err));
	else
		nbd_reply_fail(q, reply_errno(err), "%s of %u bytes at %llu: %s", name, q->len,
			       (unsigned long long)q->offset, strerror(-err));
}

void nbd_reply(struct nbd_req *q, int err)
{
	uint32_t n = NBD_EXTENTS_HEAD + NBD_EXTENT_SIZE * q->n_extents;

	if (err)
		reply_failed(q, err);
	else if (q->cmd == NBD_CMD_BLOCK_STATUS)
		reply_send(q, reply_chunk(q, NBD_REPLY_BLOCK_STATUS, n), q->data, n);
	else if (q->cmd != NBD_CMD_READ)
		reply_send(q, reply_simple(q, 0), NULL, 0);
	else if (!q->conn->structured)
		reply_send(q, reply_simple(q, 0), q->data, q->len);
	else
		reply_send(q, nbd_put64(reply_chunk(q, NBD_REPLY_OFFSET_DATA, 8 + q->len), q->offset), q->data, q->len);
}
