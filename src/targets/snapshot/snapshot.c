/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot: shows <origin> as it was when the snapshot was made. Before a chunk of the origin changes (through snapshot-origin),
 * and before the snapshot itself is written to, the chunk is copied to <COW device>, and the snapshot shows it from there.
 */
#include <errno.h>

#include "core/path/child.h"
#include "core/path/fault.h"
#include "core/state/saved.h"
#include "targets/snapshot/line.h"

static int refused(struct dm_req *r, const char *why)
{
	dm_why(r->io, "%s", why);
	return -EIO;
}

static int to_store(const struct snap_line *l, struct dm_req *r, uint64_t at)
{
	return dm_remap(r, &l->cow_at, at);
}

/* --- reads -------------------------------------------------------------------------------------------------------------- */

static int snapshot_read(const struct snap_line *l, struct dm_req *r)
{
	bool found;
	uint64_t at, n = snap_run(l->cow, r->sector, r->count, &found, &at);

	if (n < r->count)
		return snap_part(r, n);
	if (found)
		return to_store(l, r, at);
	dm_track(r, epoch_enter(l->origin->reads, r->io));
	return dm_remap(r, &l->origin_at, r->sector);
}

static void snapshot_ended(const struct dm_target *t, const struct dm_req *r, bool mark)
{
	const struct snap_line *l = t->priv;

	epoch_leave(l->origin->reads, r->io, mark);
}

/* --- writes ------------------------------------------------------------------------------------------------------------- */

static int write_found(const struct snap_line *l, struct dm_req *r)
{
	uint64_t new_chunk;

	if (!cow_find(l->cow, cow_chunk(l->cow, r->sector), &new_chunk))
		return refused(r, "the snapshot is invalid");
	return to_store(l, r, (new_chunk << l->cow->shift) + (r->sector & (l->cow->chunk - 1)));
}

/* The chunk is an exception now, by this request or the one before. */
static void snapshot_made(struct claim *c, int err)
{
	struct dm_req *r = c->req;

	if (err)
		dm_why(r->io, atomic_load(&c->only->overflowed) ? "the snapshot's store is full" : "the snapshot is invalid");
	dm_go_on_here(r, err ? err : write_found(dm_holder(r)->priv, r));
}

/* The request's own data is the chunk. Its child was kept until the exception was made. */
static void snapshot_filled(struct claim *c, int err)
{
	struct dm_req *r = c->req, *child = r->own[1];

	if (child)
		dm_child_end(child, err);
	else
		snapshot_made(c, err);
}

static void snapshot_fill(struct claim *c)
{
	const struct snap_line *l = dm_holder(c->req)->priv;
	struct dm_req *child;

	if (dm_children(c->req, &child, 1)) {
		claim_filled(c, -EINTR);	/* nothing was lost */
		return;
	}
	c->req->own[0] = c;
	c->req->own[1] = child;
	if (l->cow->words.persistent)
		child->flags &= ~(uint32_t)DM_FUA;	/* the exception makes it durable */
	child->sector = claim_place(c) << l->cow->shift;
	dm_send(c->io, &l->cow_at, child);
}

static void snapshot_claimed(struct claim *c)
{
	const struct snap_line *l = dm_holder(c->req)->priv;
	const struct dm_req *r = c->req;

	c->req->own[1] = NULL;
	c->sector = r->sector;
	c->only = l->cow;
	c->fill = r->op == DM_WRITE && r->count == l->cow->chunk ? snapshot_fill : NULL;
	c->done = c->fill ? snapshot_filled : snapshot_made;
	claim_start(c);
}

static const struct claim_use snapshot_use = { .got = snapshot_claimed };

static int snapshot_write(const struct snap_line *l, struct dm_req *r)
{
	bool found;
	uint64_t at, n = snap_run(l->cow, r->sector, r->count, &found, &at), room = cow_room(l->cow, r->sector);

	if (atomic_load_explicit(&l->cow->overflowed, memory_order_relaxed))
		return refused(r, "the snapshot's store is full");
	if (found)
		return n < r->count ? snap_part(r, n) : to_store(l, r, at);
	return r->count > room ? snap_part(r, room) : claim_take(l->origin, r, &snapshot_use);
}

/* --- discards ----------------------------------------------------------------------------------------------------------- */

/* FOUND: at AT of the store. */
static int discard_send(const struct snap_line *l, struct dm_req *r, bool found, uint64_t at)
{
	bool whole = r->count == l->cow->chunk, passdown = l->passdown;
	struct dm_req *c[2];

	if (dm_children(r, c, found + passdown))
		return -ENOMEM;
	r->own[1] = NULL;
	if (found) {
		c[0]->op = whole ? DM_ZEROES : DM_DISCARD;
		c[0]->sector = at;
	}
	if (passdown)
		dm_send(r->io, &l->origin_at, c[found]);
	if (found)
		dm_send(r->io, &l->cow_at, c[0]);
	return DM_HELD;
}

/* A chunk that is in the store reads as zeros afterwards, and one that is not stays as it is; as on Linux. */
static int snapshot_discard(const struct snap_line *l, struct dm_req *r)
{
	bool found;
	uint64_t at, n, room = cow_room(l->cow, r->sector);

	if (!l->zeroes_cow)
		return -EOPNOTSUPP;
	n = snap_run(l->cow, r->sector, r->count, &found, &at);
	if (found && room < n)
		n = room;
	if (n < r->count)
		return snap_part(r, n);
	return found || l->passdown ? discard_send(l, r, found, at) : DM_DONE;
}

/* A child of a discard, or the data of a whole chunk. */
static int snapshot_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	(void)t;
	if (r->own[1] != c)
		return err;
	claim_filled(r->own[0], err);
	return DM_HELD;
}

/* --- the line ----------------------------------------------------------------------------------------------------------- */

static int snapshot_map(const struct dm_target *t, struct dm_req *r)
{
	const struct snap_line *l = t->priv;

	if (!snap_is_valid(l))
		return refused(r, "the snapshot is invalid");
	switch (r->op) {
	case DM_READ:
	case DM_EXTENT:
		return snapshot_read(l, r);
	case DM_DISCARD:
		return snapshot_discard(l, r);
	default:
		return snapshot_write(l, r);
	}
}

/* What was written to it is in its store. */
static int snapshot_flush(const struct dm_target *t, struct dm_req *r)
{
	const struct snap_line *l = t->priv;

	r->store = l->cow_at.store;
	return DM_REMAPPED;
}

static int snapshot_ctr(struct dm_target *t, struct dm_args *a)
{
	return snap_ctr(t, a, false);
}

static void snapshot_owned(struct origin_change *c)
{
	const struct snap_line *l = container(c, struct snap_line, change);

	if (!l->cow->words.persistent)
		dm_saved_changed(l->table);
	dm_step_done(l->step, 0);
}

static void snapshot_resume(struct dm_target *t, struct dm_step *s)
{
	struct snap_line *l = t->priv;

	l->step = s;
	if (snap_own(l, snapshot_owned))
		dm_step_done(s, err_set(s->err, -ENOMEM, "no memory for one more snapshot of '%.200s'", l->origin_at.store->name));
}

const struct dm_type dm_snapshot = {
	.name = "snapshot",
	.usage = "<origin> <COW device> <P|PO|N> <chunk size> [<#features> <feature>...]",
	.about = "shows <origin> as it was, by chunks that are copied to <COW device> before they change",
	.version = { 1, 16, 0 },
	.flags = DM_TARGET_RECORDED,
	.size = sizeof(struct snap_line),
	.ctr = snapshot_ctr,
	.dtr = snap_dtr,
	.map = snapshot_map,
	.ended = snapshot_ended,
	.flush = snapshot_flush,
	.child = snapshot_child,
	.children = 2,
	.preresume = snap_preresume,
	.resume = snapshot_resume,
	.postsuspend = snap_postsuspend,
	.retire = snap_retire,
	.save = snap_save,
	.restore = snap_restore,
	.table = snap_table,
	.status = snap_status,
	.measure = snap_measure,
	.hints = snap_hints,
};
