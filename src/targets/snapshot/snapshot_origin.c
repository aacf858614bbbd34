/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot-origin: everything goes to <origin>; before a write changes a chunk that a snapshot of it still needs, the chunk is
 * copied to that snapshot's store. Whoever writes to <origin> by another way changes its snapshots.
 */
#include <errno.h>

#include "core/device/step.h"
#include "targets/snapshot/origin.h"

struct origin_line {
	struct dm_at at;
	struct origin *origin;
};

static int snapshot_origin_map(const struct dm_target *t, struct dm_req *r)
{
	const struct origin_line *l = t->priv;

	if (r->op == DM_READ || r->op == DM_EXTENT)
		return dm_remap(r, &l->at, r->sector);
	return r->op == DM_DISCARD ? -EOPNOTSUPP : origin_write(l->origin, r);
}

static void snapshot_origin_ended(const struct dm_target *t, const struct dm_req *r, bool mark)
{
	const struct origin_line *l = t->priv;

	origin_written(l->origin, r, mark);
}

static const struct dm_store *snapshot_origin_also(const struct dm_target *t, size_t i)
{
	const struct origin_line *l = t->priv;

	return origin_store(l->origin, i);
}

static void snapshot_origin_preresume(struct dm_target *t, struct dm_step *s)
{
	struct origin_line *l = t->priv;

	origin_look(l->origin);
	dm_step_done(s, 0);
}

static int snapshot_origin_ctr(struct dm_target *t, struct dm_args *a)
{
	struct origin_line *l = t->priv;

	l->at = dm_arg_device(a, "<origin>", t->len);
	if (dm_args_may_reserve(a) && origin_get(&l->origin, &l->at, a->err))
		return a->err->code;
	return dm_args_end(a);
}

static void snapshot_origin_dtr(struct dm_target *t)
{
	struct origin_line *l = t->priv;

	origin_put(l->origin);
}

static void snapshot_origin_table(const struct dm_target *t, struct text *out)
{
	const struct origin_line *l = t->priv;

	dm_text_store(out, l->at.store);
}

static void snapshot_origin_hints(const struct dm_target *t, struct dm_limits *l)
{
	const struct origin_line *line = t->priv;

	dm_limits_stack(l, &line->at.store->limits);
	l->discard = false;
}

const struct dm_type dm_snapshot_origin = {
	.name = "snapshot-origin",
	.usage = "<origin>",
	.about = "maps the line to <origin>, whose snapshots keep what it had",
	.version = { 1, 9, 0 },
	.size = sizeof(struct origin_line),
	.ctr = snapshot_origin_ctr,
	.dtr = snapshot_origin_dtr,
	.map = snapshot_origin_map,
	.ended = snapshot_origin_ended,
	.preresume = snapshot_origin_preresume,
	.also = snapshot_origin_also,
	.table = snapshot_origin_table,
	.hints = snapshot_origin_hints,
};
