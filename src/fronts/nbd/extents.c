/* SPDX-License-Identifier: BSD-2-Clause */
/* BLOCK_STATUS: the device is asked for one extent after another; equal ones are merged. */
#include <errno.h>

#include "fronts/nbd/server.h"

static uint32_t extents_state(const struct nbd_req *q)
{
	return (q->req.flags & DM_HOLE ? NBD_STATE_HOLE : 0) | (q->req.flags & DM_ZERO ? NBD_STATE_ZERO : 0);
}

static uint8_t *extents_at(const struct nbd_req *q, uint32_t i)
{
	return q->data + NBD_EXTENTS_HEAD + NBD_EXTENT_SIZE * i;
}

/* Adds an extent; false if the answer has to end there. */
static bool extents_add(struct nbd_req *q, uint64_t sectors)
{
	uint32_t state = extents_state(q), bytes = (uint32_t)(sectors << DM_SECTOR_SHIFT);
	uint8_t *last = q->n_extents ? extents_at(q, q->n_extents - 1) : NULL;

	if (last && nbd_get32(last + 4) == state) {
		nbd_put32(last, nbd_get32(last) + bytes);
		return true;
	}
	if (last && q->flags & NBD_CMD_FLAG_REQ_ONE)
		return false;
	nbd_put32(nbd_put32(extents_at(q, q->n_extents++), bytes), state);
	return true;
}

/*
 * Clients get whole blocks: what follows the last whole one is left for the next request to the device, and a block
 * that is partly data is data.
 */
static uint64_t extents_round(struct nbd_req *q, uint64_t sectors)
{
	uint64_t rest = q->end - q->at, block = q->conn->export.min_block >> DM_SECTOR_SHIFT;

	if (sectors >= rest)
		return rest;
	if (sectors >= block)
		return sectors - sectors % block;
	q->req.flags = 0;
	return block;
}

/* The device has answered: true if it has to be asked again, else the client's request was answered. */
static bool extents_take(struct nbd_req *q)
{
	uint64_t n = q->req.count;

	if (!q->err && !n)
		q->err = -EIO;
	if (q->err) {
		nbd_reply(q, q->err);
		return false;
	}
	n = extents_round(q, n);
	q->at += n;
	if (extents_add(q, n) && q->at < q->end && ++q->asks < NBD_ASKS)
		return true;
	nbd_reply(q, 0);
	return false;
}

static void extents_done(struct dm_req *r, int err);

static void extents_ask(struct nbd_req *q)
{
	struct nbd_conn *c = q->conn;

	do {
		trampoline_enter(&q->asking);
		q->req.op = DM_EXTENT;
		q->req.flags = 0;
		q->req.sector = q->at;
		q->req.count = q->end - q->at;
		q->req.data = (struct vec){ NULL, 0 };
		q->req.done = extents_done;
		dm_submit(c->nio->io, c->device, &q->req);
	} while (trampoline_leave(&q->asking) && extents_take(q));
}

static void extents_done(struct dm_req *r, int err)
{
	struct nbd_req *q = container(r, struct nbd_req, req);

	q->err = err;
	if (!trampoline_landed(&q->asking) && extents_take(q))
		extents_ask(q);
}

void nbd_extents(struct nbd_req *q)
{
	q->at = q->offset >> DM_SECTOR_SHIFT;
	q->end = q->at + (q->len >> DM_SECTOR_SHIFT);
	q->n_extents = 0;
	q->asks = 0;
	nbd_put32(q->data, NBD_CONTEXT_ID);
	extents_ask(q);
}
