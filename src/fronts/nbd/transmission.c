/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: taken from rx, checked, sent to the device. A bad request gets an error message, and the connection
 * continues with the next one.
 */
#include <errno.h>

#include "fronts/nbd/handover.h"
#include "fronts/nbd/server.h"

struct transmission_row {
	const char *name;
	uint16_t flags;		/* flags that the command accepts */
	uint8_t op;		/* enum dm_op */
	bool writes;		/* so it is refused on a read-only export */
	bool ranged;		/* it has an offset and a length */
};

static const struct transmission_row transmission_rows[] = {
	[NBD_CMD_READ] = { "read", NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_DF, DM_READ, false, true },
	[NBD_CMD_WRITE] = { "write", NBD_CMD_FLAG_FUA, DM_WRITE, true, true },
	[NBD_CMD_FLUSH] = { "flush", NBD_CMD_FLAG_FUA, DM_FLUSH, false, false },
	[NBD_CMD_TRIM] = { "trim", NBD_CMD_FLAG_FUA, DM_DISCARD, true, true },
	[NBD_CMD_WRITE_ZEROES] = { "write of zeros", NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_NO_HOLE |
				   NBD_CMD_FLAG_FAST_ZERO, DM_ZEROES, true, true },
	[NBD_CMD_BLOCK_STATUS] = { "block status", NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_REQ_ONE, DM_EXTENT, false, true },
};

/* NULL: there is no such command. */
static const struct transmission_row *transmission_row(unsigned cmd)
{
	if (cmd >= sizeof(transmission_rows) / sizeof(transmission_rows[0]) || !transmission_rows[cmd].name)
		return NULL;
	return &transmission_rows[cmd];
}

const char *nbd_cmd_name(unsigned cmd)
{
	return transmission_row(cmd)->name;
}

static bool cmd_has_data(unsigned cmd)
{
	return cmd == NBD_CMD_READ || cmd == NBD_CMD_WRITE;
}

void nbd_req_free(struct nbd_req *q)
{
	struct nbd_conn *c = q->conn;
	struct pool *pool = &c->nio->pool;
	bool wanted = false;

	list_remove(&q->node);
	c->n_reqs--;
	c->n_bytes -= q->data_room;
	if (q->data)
		wanted = pool_give(pool, q->data, q->data_room);
	if (pool_give_object(pool, q) || wanted)
		nbd_pressure_feed(c->nio->nbd);
}

/* Checks the range. Answers the request and returns false if it is invalid. */
static bool transmission_check_range(struct nbd_req *q, const char *name)
{
	const struct nbd_export *x = &q->conn->export;
	unsigned long long offset = q->offset, size = x->size;

	if (!q->len)
		nbd_reply_fail(q, NBD_EINVAL, "%s at %llu: zero bytes", name, offset);
	else if (cmd_has_data(q->cmd) && q->len > NBD_TRANSFER_MAX)
		nbd_reply_fail(q, NBD_EINVAL, "%s of %u bytes at %llu: the limit for one request is %u", name, q->len,
			       offset, NBD_TRANSFER_MAX);
	else if (q->offset > x->size || q->len > x->size - q->offset)
		nbd_reply_fail(q, q->cmd == NBD_CMD_WRITE || q->cmd == NBD_CMD_WRITE_ZEROES ? NBD_ENOSPC : NBD_EINVAL,
			       "%s of %u bytes at %llu: the device ends at %llu", name, q->len, offset, size);
	else if ((q->offset | q->len) & (x->min_block - 1))
		nbd_reply_fail(q, NBD_EINVAL, "%s of %u bytes at %llu: both must be multiples of %u", name, q->len,
			       offset, x->min_block);
	else
		return true;
	return false;
}

static bool transmission_check(struct nbd_req *q)
{
	const struct transmission_row *row = transmission_row(q->cmd);
	struct nbd_conn *c = q->conn;

	if (!row)
		nbd_reply_fail(q, NBD_EINVAL, "unknown command %u", q->cmd);
	else if (q->flags & ~row->flags)
		nbd_reply_fail(q, NBD_EINVAL, "invalid flags 0x%x for a %s", q->flags & ~row->flags, row->name);
	else if (q->cmd == NBD_CMD_BLOCK_STATUS && !c->meta)
		nbd_reply_fail(q, NBD_EINVAL, "block status needs base:allocation, which was not negotiated");
	else if (row->writes && (c->export.flags & NBD_FLAG_READ_ONLY))
		nbd_reply_fail(q, NBD_EPERM, "%s at %llu: the device is read-only", row->name,
			       (unsigned long long)q->offset);
	else
		return !row->ranged || transmission_check_range(q, row->name);
	return false;
}

static void transmission_done(struct dm_req *r, int err)
{
	struct nbd_req *q = container(r, struct nbd_req, req);

	if (!err && (r->flags & DM_SHOWN))
		err = nbd_shown_take(q);
	nbd_reply(q, err);
}

static void transmission_begin(struct nbd_req *q)
{
	struct nbd_conn *c = q->conn;

	if (q->cmd == NBD_CMD_BLOCK_STATUS) {
		nbd_extents(q);
		return;
	}
	q->req.op = transmission_rows[q->cmd].op;
	q->req.flags = (q->flags & NBD_CMD_FLAG_FUA && transmission_rows[q->cmd].writes ? DM_FUA : 0) |
		       (q->flags & NBD_CMD_FLAG_NO_HOLE ? DM_KEEP : 0) |
		       (q->flags & NBD_CMD_FLAG_FAST_ZERO ? DM_FAST : 0) |
		       (q->cmd == NBD_CMD_READ && nbd_shown_may(q) ? DM_MAY_SHOW : 0);
	q->req.sector = q->offset >> DM_SECTOR_SHIFT;
	q->req.count = q->len >> DM_SECTOR_SHIFT;
	dm_req_buffer(&q->req, q->data, q->len);
	q->req.done = transmission_done;
	dm_submit(c->nio->io, c->device, &q->req);
}

void nbd_transmission_filled(struct nbd_conn *c)
{
	struct nbd_req *q = c->filling;

	c->filling = NULL;
	transmission_begin(q);
}

/* The part of a WRITE's data that was received already is copied; the rest is received in place. */
static void transmission_fill(struct nbd_conn *c, struct nbd_req *q)
{
	size_t got = nbd_conn_got(c);

	c->filled = (uint32_t)(got < q->len ? got : q->len);
	memcpy(q->data, c->rx + c->rx_at, c->filled);
	c->rx_at += c->filled;
	c->filling = q;
	if (c->filled == q->len)
		nbd_transmission_filled(c);
}

void nbd_transmission_skipped(struct nbd_conn *c)
{
	struct nbd_req *q = c->refused;

	c->refused = NULL;
	if (q)
		nbd_conn_send(c, &q->out);
}

/* Bytes of memory that such a request needs until it is answered. */
static uint32_t transmission_room(unsigned cmd, uint32_t len)
{
	if (cmd_has_data(cmd))
		return len <= NBD_TRANSFER_MAX ? len : 0;
	return cmd == NBD_CMD_BLOCK_STATUS ? NBD_EXTENTS_SIZE : 0;
}

/* Answers Q and returns false if there is no memory for its data. */
static bool transmission_has_room(struct nbd_req *q)
{
	struct nbd_conn *c = q->conn;

	q->data_room = transmission_room(q->cmd, q->len);
	c->n_bytes += q->data_room;
	if (!q->data_room || (q->data = pool_take(&c->nio->pool, q->data_room)))
		return true;
	nbd_reply(q, -ENOMEM);
	return false;
}

static void transmission_take(struct nbd_conn *c, struct nbd_req *q, const uint8_t *head)
{
	q->conn = c;
	q->flags = nbd_get16(head + 4);
	q->cmd = nbd_get16(head + 6);
	q->cookie = nbd_get64(head + 8);
	q->offset = nbd_get64(head + 16);
	q->len = nbd_get32(head + 24);
	q->data = NULL;
	q->data_room = 0;
	q->out.pages = 0;
	list_append(&c->reqs, &q->node);
	c->n_reqs++;
	c->refused = q->cmd == NBD_CMD_WRITE ? q : NULL;
	if (!transmission_check(q) || !transmission_has_room(q)) {
		c->skip = c->refused ? q->len - nbd_early_skipped(c) : 0;
		if (!c->skip)
			nbd_transmission_skipped(c);
		return;
	}
	c->refused = NULL;
	if (q->cmd == NBD_CMD_WRITE)
		transmission_fill(c, q);
	else
		transmission_begin(q);
}

/* In a batch, the request after this one is known already. */
static void transmission_expect(struct nbd_conn *c)
{
	if (nbd_conn_got(c) >= NBD_REQUEST_HEAD)
		dm_expect(c->nio->io, c->device, nbd_get64(c->rx + c->rx_at + 16) >> DM_SECTOR_SHIFT);
}

bool nbd_transmission_step(struct nbd_conn *c)
{
	const uint8_t *head = c->rx + c->rx_at;
	struct nbd_req *q;

	if (nbd_conn_got(c) < NBD_REQUEST_HEAD)
		return false;
	if (nbd_get32(head) != NBD_REQUEST_MAGIC) {
		nbd_conn_reject(c, "invalid request magic");
		return false;
	}
	if (!nbd_pressure_may(c, transmission_room(nbd_get16(head + 6), nbd_get32(head + 24)))) {
		c->stalled = true;
		return false;
	}
	nbd_pressure_end(c);
	c->rx_at += NBD_REQUEST_HEAD;
	if (nbd_get16(head + 6) == NBD_CMD_DISC) {
		nbd_conn_finish(c);
		return false;
	}
	q = pool_take_object(&c->nio->pool);
	if (!q) {
		nbd_conn_reject(c, "no memory for its request");
		return false;
	}
	if (nbd_get16(head + 6) != NBD_CMD_WRITE)	/* after a WRITE, data follows */
		transmission_expect(c);
	transmission_take(c, q, head);
	return true;
}
