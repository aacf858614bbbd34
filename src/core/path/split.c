/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request that one map() cannot answer: it covers several lines or chunks, it is a flush for several stores, or a
 * discard that a striped line takes leg by leg. It becomes a parent; its pieces come from the io thread's free list, a
 * limited number at a time. The first error wins; the rest is carried out all the same, as on Linux: otherwise it would
 * be a matter of chance how much of it was.
 */
#include <errno.h>

#include "core/path/fault.h"
#include "core/path/submit.h"

#define SPLIT_WINDOW 64		/* pieces of one parent in flight */

static struct dm_req *split_piece(struct dm_req *p)
{
	struct dm_req *piece = dm_io_take(p->io);

	if (!piece) {
		if (!dm_fault_is_deferred(p))
			dm_fault(p, -ENOMEM);
		p->err = -ENOMEM;
		p->rest_count = 0;
		return NULL;
	}
	*piece = (struct dm_req){ .op = p->op, .flags = p->flags & ~DM_NOT_OF_PIECES, .io = p->io, .began = p->began,
				  .at = p->at, .asked = p->asked, .parent = p, .walk = p->op == DM_FLUSH ? p->walk : 0 };
	p->pending++;
	return piece;
}

/* For a flush, the rest is the number of ways that it still has to go. */
static void split_flush(struct dm_req *p)
{
	struct dm_req *piece = split_piece(p);

	if (!piece)
		return;
	p->rest_count--;
	piece->flags |= p->flags & DM_BYPASS;
	dm_enter(dm_flush_branch(piece, p->table, p->rest_sector++), piece);
}

static void split_advance(struct dm_req *p, uint64_t sectors)
{
	p->rest_sector += sectors;
	p->rest_count -= sectors;
}

/* A piece of at most MOST sectors. */
static void split_line(struct dm_req *p, uint64_t most)
{
	const struct dm_target *t = &p->table->targets[dm_table_find(p->table, p->rest_sector)];
	uint64_t in = p->rest_sector - t->start, n = t->len - in;
	bool parts = t->parts && dm_op_is_range(p->op);
	struct dm_req *piece = split_piece(p);

	if (!piece)
		return;
	if (t->chunk && !parts && n > t->chunk - in % t->chunk)
		n = t->chunk - in % t->chunk;
	if (n > most)
		n = most;
	piece->sector = in;
	piece->count = n;
	piece->at += p->rest_sector - p->sector;
	if (p->data.iov)
		piece->data = vec_from(p->data, (p->rest_sector - p->sector) << DM_SECTOR_SHIFT);
	if (p->flags & DM_TAGS)
		dm_req_tags(piece, p, p->rest_sector - p->sector);
	piece->part = p->rest_part;
	if (parts && ++p->rest_part < t->parts)
		n = 0;		/* the same range again, for the next part */
	else
		p->rest_part = 0;
	split_advance(p, n);
	dm_enter(dm_map(piece, t), piece);
}

/* Continues until the window is full or nothing is left; `pending` includes one count for this function. */
static void split_go_on(struct dm_req *p)
{
	while (p->rest_count && p->pending < SPLIT_WINDOW) {
		if (p->op == DM_FLUSH)
			split_flush(p);
		else
			split_line(p, p->rest_count);
	}
	p->flags &= ~DM_SPLITTING;
	if (--p->pending == 0)
		dm_end(p, p->err);
}

void dm_split(struct dm_req *r, const struct dm_table *t, uint64_t first)
{
	r->table = t;
	r->via[r->depth] = NULL;
	r->flags |= DM_SPLITTING;
	r->rest_sector = r->op == DM_FLUSH ? 0 : r->sector;
	r->rest_count = r->op == DM_FLUSH ? dm_flush_branches(r, t) : r->count;
	r->rest_part = 0;
	r->err = 0;
	r->pending = 1;
	if (r->op == DM_FLUSH && !r->walk)
		r->walk = ++r->io->walks;
	if (first)
		split_line(r, first);
	split_go_on(r);
}

void dm_piece_done(struct dm_req *p, int err)
{
	if (err && (!p->err || err == DM_PUT_BACK))
		p->err = err;
	if (p->rest_count && !(p->flags & DM_SPLITTING)) {
		p->flags |= DM_SPLITTING;
		split_go_on(p);		/* takes over the piece's count */
		return;
	}
	if (--p->pending == 0)
		dm_end(p, p->err);
}
