/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot-merge: takes the place of snapshot-origin when a snapshot is to become its origin. It shows the snapshot at once, and
 * copies its chunks to <origin> in the background; status shows how many are left.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/kit/copy_message.h"
#include "targets/snapshot/merger.h"

/* What is in the store is merged later. */
static int merge_found(const struct snap_line *l, struct dm_req *r, uint64_t at)
{
	uint64_t room = cow_room(l->cow, r->sector);

	if (r->count > room)
		return snap_part(r, room);
	dm_track(r, epoch_enter(l->origin->writes, r->io));
	return dm_remap(r, &l->cow_at, at);
}

/*
 * What is being merged waits for that. This is asked before the store is looked at: if the chunk is not being merged now, what is
 * found there stays until this request has been mapped, because the merger waits for this thread before it copies a chunk.
 */
static int merge_write(const struct snap_line *l, struct dm_req *r)
{
	uint64_t at, n;
	bool found;

	if (merger_holds(l->merger, r, cow_chunk(l->cow, r->sector)))
		return DM_HELD;
	n = snap_run(l->cow, r->sector, r->count, &found, &at);
	if (found)
		return merge_found(l, r, at);
	return n < r->count ? snap_part(r, n) : origin_write(l->origin, r);
}

static int merge_read(const struct snap_line *l, struct dm_req *r)
{
	bool found;
	uint64_t at, n = snap_run(l->cow, r->sector, r->count, &found, &at);

	if (n < r->count)
		return snap_part(r, n);
	return dm_remap(r, found ? &l->cow_at : &l->origin_at, at);
}

/* Of a snapshot that is invalid, nothing is left but its origin. A discard changes nothing; as on Linux. */
static int snapshot_merge_map(const struct dm_target *t, struct dm_req *r)
{
	const struct snap_line *l = t->priv;
	bool reads = r->op == DM_READ || r->op == DM_EXTENT;

	if (r->op == DM_DISCARD)
		return l->zeroes_cow ? DM_DONE : -EOPNOTSUPP;
	if (snap_is_valid(l))
		return reads ? merge_read(l, r) : merge_write(l, r);
	return reads ? dm_remap(r, &l->origin_at, r->sector) : origin_write(l->origin, r);
}

static void snapshot_merge_ended(const struct dm_target *t, const struct dm_req *r, bool mark)
{
	const struct snap_line *l = t->priv;

	origin_written(l->origin, r, mark);
}

/* --- hooks -------------------------------------------------------------------------------------------------------------- */

static void snapshot_merge_owned(struct origin_change *c)
{
	struct snap_line *l = container(c, struct snap_line, change);

	merger_start(l->merger);
	dm_step_done(l->step, 0);
}

static void snapshot_merge_resume(struct dm_target *t, struct dm_step *s)
{
	struct snap_line *l = t->priv;

	l->step = s;
	(void)snap_own(l, snapshot_merge_owned);	/* it leaves the set, which needs no memory */
}

static const struct dm_store *snapshot_merge_also(const struct dm_target *t, size_t i)
{
	const struct snap_line *l = t->priv;

	return origin_store(l->origin, i);
}

static void snapshot_merge_presuspend(struct dm_target *t, struct dm_step *s)
{
	const struct snap_line *l = t->priv;

	merger_stop(l->merger, s);
}

static int snapshot_merge_ctr(struct dm_target *t, struct dm_args *a)
{
	struct snap_line *l = t->priv;
	int err = snap_ctr(t, a, true);

	if (!err && l->cow)
		err = merger_new(&l->merger, l, a->err);
	return err;
}

static void snapshot_merge_dtr(struct dm_target *t)
{
	struct snap_line *l = t->priv;

	merger_free(l->merger);
	snap_dtr(t);
}

static int snapshot_merge_message(struct dm_target *t, struct dm_ask *a)
{
	const struct snap_line *l = t->priv;

	return copier_message(l->origin->copier, "snapshot-merge", a);
}

/* All else is in the store. */
static int snapshot_merge_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct snap_line *l = t->priv;

	(void)at_rest;
	(void)e;
	text_printf(out, "%u", copier_percent(l->origin->copier));
	return 0;
}

static int snapshot_merge_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	const struct snap_line *l = t->priv;
	unsigned long percent = strtoul(saved, NULL, 10);

	(void)len;
	if (percent < 1 || percent > 100)
		return err_set(e, -EINVAL, "its throttle was saved in a form that this version does not know");
	copier_throttle(l->origin->copier, (unsigned)percent);
	return 0;
}

const struct dm_type dm_snapshot_merge = {
	.name = "snapshot-merge",
	.usage = "<origin> <COW device> <P|PO> <chunk size> [<#features> <feature>...]",
	.about = "shows the snapshot in <COW device>, and copies it back to <origin> in the background",
	.version = { 1, 5, 0 },
	.flags = DM_TARGET_RECORDED,
	.size = sizeof(struct snap_line),
	.ctr = snapshot_merge_ctr,
	.dtr = snapshot_merge_dtr,
	.map = snapshot_merge_map,
	.ended = snapshot_merge_ended,
	.preresume = snap_preresume,
	.resume = snapshot_merge_resume,
	.presuspend = snapshot_merge_presuspend,
	.postsuspend = snap_postsuspend,
	.retire = snap_retire,
	.also = snapshot_merge_also,
	.save = snapshot_merge_save,
	.restore = snapshot_merge_restore,
	.message = snapshot_merge_message,
	.table = snap_table,
	.status = snap_status,
	.measure = snap_measure,
	.hints = snap_hints,
};
