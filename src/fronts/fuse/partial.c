/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-modify-write: see partial.h. Uneven writes and any others that touch the same blocks are done one after the
 * other, in order of arrival; even ones never wait for each other.
 */
#include "fronts/fuse/partial.h"

#include <string.h>

void partial_disk_init(struct partial_disk *k, struct dm_io *io, struct dm_device *d)
{
	*k = (struct partial_disk){ .io = io, .device = d };
	list_init(&k->active);
	list_init(&k->waiting);
}

static uint64_t round_down(uint64_t v, uint32_t block)
{
	return v & ~((uint64_t)block - 1);
}

static uint64_t round_up(uint64_t v, uint32_t block)
{
	return round_down(v + block - 1, block);
}

size_t partial_room(uint64_t off, uint64_t len, uint32_t block)
{
	uint64_t start = round_down(off, block), end = round_up(off + len, block);
	bool uneven = start != off || end != off + len;

	return (size_t)(end - start) + (uneven ? block : 0);	/* one more block to read into */
}

static bool partial_meets(const struct partial *a, const struct partial *b)
{
	return (a->uneven || b->uneven) && a->start < b->end && b->start < a->end;
}

static bool partial_must_wait(const struct partial *p)
{
	struct list *n, *next;

	if (!p->uneven && !p->disk->n_uneven)
		return false;
	list_each(n, next, &p->disk->active)
		if (partial_meets(p, container(n, struct partial, node)))
			return true;
	return false;
}

static void partial_begin(struct partial *p);

/* One that is over may let others begin. One of those may be over at once; the trampoline keeps that from nesting. */
static void partial_wake(struct partial_disk *k)
{
	struct partial *p;

	if (trampoline_landed(&k->waking))
		return;
	trampoline_enter(&k->waking);
	while (!list_empty(&k->waiting)) {
		p = container(k->waiting.next, struct partial, node);
		if (partial_must_wait(p))
			break;
		list_remove(&p->node);
		partial_begin(p);
	}
	trampoline_leave(&k->waking);
}

static void partial_over(struct dm_req *r, int err)
{
	struct partial *p = container(r, struct partial, req);
	struct partial_disk *k = p->disk;

	list_remove(&p->node);
	k->n_uneven -= p->uneven;
	partial_wake(k);
	p->done(p, err);
}

static void partial_send(struct partial *p, enum dm_op op, uint64_t at, uint64_t end, uint8_t *data,
			 void (*done)(struct dm_req *r, int err))
{
	p->req.op = op;
	p->req.flags = op == DM_READ ? 0 : p->flags;
	p->req.sector = at >> DM_SECTOR_SHIFT;
	p->req.count = (end - at) >> DM_SECTOR_SHIFT;
	dm_req_buffer(&p->req, data, end - at);
	p->req.done = done;
	dm_submit(p->disk->io, p->disk->device, &p->req);
}

static void partial_write(struct partial *p)
{
	partial_send(p, p->op, p->start, p->end, p->data, partial_over);
}

/* Copies bytes FROM to TO from the spare block (the device's from AT on), because the caller did not provide them. */
static void partial_keep(struct partial *p, uint64_t at, uint64_t from, uint64_t to)
{
	const uint8_t *spare = p->data + (p->end - p->start);

	memcpy(p->data + (from - p->start), spare + (from - at), (size_t)(to - from));
}

static void partial_read_last(struct dm_req *r, int err)
{
	struct partial *p = container(r, struct partial, req);

	if (err) {
		partial_over(r, err);
		return;
	}
	partial_keep(p, p->end - p->block, p->off + p->len, p->end);
	partial_write(p);
}

static void partial_last(struct partial *p)
{
	if (p->off + p->len == p->end)
		partial_write(p);
	else
		partial_send(p, DM_READ, p->end - p->block, p->end, p->data + (p->end - p->start), partial_read_last);
}

static void partial_read_first(struct dm_req *r, int err)
{
	struct partial *p = container(r, struct partial, req);

	if (err) {
		partial_over(r, err);
		return;
	}
	partial_keep(p, p->start, p->start, p->off);
	if (p->end - p->start == p->block)	/* the last block is the same one */
		partial_read_last(r, 0);
	else
		partial_last(p);
}

static void partial_begin(struct partial *p)
{
	list_append(&p->disk->active, &p->node);
	p->disk->n_uneven += p->uneven;
	if (p->start != p->off)
		partial_send(p, DM_READ, p->start, p->start + p->block, p->data + (p->end - p->start),
			     partial_read_first);
	else
		partial_last(p);
}

void partial_submit(struct partial_disk *k, struct partial *p)
{
	p->disk = k;
	p->start = round_down(p->off, p->block);
	p->end = round_up(p->off + p->len, p->block);
	p->uneven = p->start != p->off || p->end != p->off + p->len;
	if (!list_empty(&k->waiting) || partial_must_wait(p))
		list_append(&k->waiting, &p->node);
	else
		partial_begin(p);
}
