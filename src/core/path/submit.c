/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a request: admission to a device, the line for its sector, its way down to a store, its end. Stacked
 * devices are a loop, not a recursion. Nothing here allocates, locks or makes a system call, except for a device's
 * first request on a thread (for its counters) and for pieces (split.c).
 */
#include "core/path/submit.h"

#include <errno.h>
#include <stdlib.h>

#include "core/path/child.h"
#include "core/path/failed.h"
#include "core/path/fault.h"
#include "core/path/flush.h"
#include "core/path/regions.h"
#include "core/path/spare.h"
#include "core/world.h"

/* The counters of this device on this thread, created at the first request. */
static struct dm_stats *lane_stats(struct dm_lane *lane)
{
	struct dm_stats *s = atomic_load_explicit(&lane->stats, memory_order_relaxed);

	if (!s) {
		s = calloc(1, sizeof(*s));
		atomic_store_explicit(&lane->stats, s, memory_order_release);
	}
	return s;
}

/* Failed read-ahead is not counted, because no program saw it; nor are the core's own flushes. */
static bool lane_counts(const struct dm_req *r, int err)
{
	return !(err && (r->flags & DM_AHEAD)) && !(r->flags & DM_OWN);
}

static void lane_leave(struct dm_lane *lane, const struct dm_req *r, int err)
{
	struct dm_stats *s = lane_stats(lane);

	if (!r->depth && (r->flags & DM_IN_REGIONS))
		dm_regions_end(lane, r->parent, r->io->now - r->began);
	if (s && lane_counts(r, err))
		dm_stats_count(s, r->asked, r->count, r->io->now - r->began, err);
	dm_lane_drop(lane);
}

/* For a child, the reason (dm_why()) is kept until the type has seen it. */
static void done_failed(struct dm_req *r, int err)
{
	struct dm_io *io = r->io;

	if (r->flags & DM_OWN)
		dm_flush_failed(r, err);
	else if (!dm_fault_is_deferred(r))
		dm_fault(r, err);
	dm_end(r, err);
	*io->why = '\0';
}

void dm_done(struct dm_req *r, int err)
{
	if (r->flags & DM_THEN_FLUSH) {
		r->flags &= ~DM_THEN_FLUSH;
		if (!err) {
			r->op = DM_FLUSH;
			r->store->type->submit(r->store, r->io, r);
			return;
		}
	}
	if (err)
		done_failed(r, err);
	else
		dm_end(r, 0);
}

static void piece_end(struct dm_req *r, int err)
{
	struct dm_req *parent = r->parent;

	if (r->maker) {
		dm_child_ended(r, err);
		return;
	}
	if (r->asked == DM_EXTENT) {	/* never split, so its only piece has the whole answer */
		parent->count = r->count;
		parent->flags |= r->flags & (DM_HOLE | DM_ZERO);
	}
	dm_io_give(r->io, r);
	dm_piece_done(parent, err);
}

void dm_end(struct dm_req *r, int err)
{
	if (err == DM_PUT_BACK) {
		dm_put_back(r);
		return;
	}
	if (r->tracked)
		dm_track_end_all(r);
	if (err && (r->flags & DM_PART_FAILED) && !r->parent)
		dm_fault_report(r);
	if (err)
		dm_failed(r, err);
	while (r->depth)
		lane_leave(r->path[--r->depth], r, err);
	if (r->parent)
		piece_end(r, err);
	else
		r->done(r, err);
}

static bool writes(const struct dm_req *r)
{
	return r->op == DM_WRITE || dm_op_is_range(r->op);
}

static int lane_refuse(const struct dm_req *r, int err, const char *why)
{
	dm_why(r->io, "%s", why);
	return err;
}

/* May R pass this device at all? 0 or -errno. */
static int lane_check(const struct dm_lane *lane, const struct dm_req *r)
{
	const struct dm_table *t = lane->table;
	uint32_t block;

	if (r->flags & DM_OWN)
		return 0;
	if (!t)
		return lane_refuse(r, -EIO, "it has no table");
	if (r->op == DM_FLUSH)
		return 0;
	if (writes(r) && (t->readonly || lane->device->readonly))
		return lane_refuse(r, -EROFS, "it is read-only");
	if (r->sector > t->sectors || r->count > t->sectors - r->sector)
		return lane_refuse(r, -EIO, "the device ends before that");
	block = t->limits.logical / DM_SECTOR;
	if (!((r->sector | r->count) & (block - 1)) || r->op == DM_EXTENT)
		return 0;
	return lane_refuse(r, -EINVAL, "the request does not cover whole blocks of the device");
}

/*
 * Two devices may use the same two, and these again the same two: a flush that took every way down would take 2^n ways.
 * What it has passed already is flushed, or will be before the whole flush ends.
 */
static bool flushed_already(const struct dm_req *r, uint64_t *last)
{
	return r->walk && !dm_store_first_visit(last, r->walk);
}

struct dm_lane *dm_dispatch(struct dm_req *r)
{
	struct dm_store *s = r->store;

	if (s->device)
		return &s->device->lanes[r->io->index];
	if (r->op == DM_FLUSH && flushed_already(r, &s->walks[r->io->index])) {
		dm_done(r, 0);
		return NULL;
	}
	if ((r->flags & DM_FUA) && !(r->op == DM_WRITE && s->limits.fua)) {
		r->flags &= ~DM_FUA;
		r->flags |= r->op == DM_FLUSH ? 0 : DM_THEN_FLUSH;
	}
	s->type->submit(s, r->io, r);
	return NULL;
}

/* Only a line that sends R on is recorded: an error from one that held it is not a failure of what lies below. */
struct dm_lane *dm_apply_verdict(struct dm_req *r, int verdict)
{
	switch (verdict) {
	case DM_REMAPPED:
		return dm_dispatch(r);
	case DM_HELD:
		return NULL;	/* it may have ended already */
	case DM_PUT_BACK:
		r->sector += r->via[r->depth]->start;
		dm_put_back(r);
		return NULL;
	default:
		r->via[r->depth] = NULL;
		dm_done(r, verdict);	/* DM_DONE is 0 */
		return NULL;
	}
}

/* The line would take only the first of WHOLE sectors. */
static struct dm_lane *map_part(struct dm_req *r, const struct dm_target *t, uint64_t whole)
{
	const struct dm_table *table = r->depth ? r->path[r->depth - 1]->table : r->parent->table;
	uint64_t first = r->count;

	if (!first || first >= whole) {		/* it would be asked forever */
		dm_why(r->io, "target %s takes no part of it", t->type->name);
		return dm_apply_verdict(r, -EIO);
	}
	if (r->op == DM_EXTENT)
		return dm_map(r, t);	/* the count is the answer */
	r->count = whole;
	r->sector += t->start;
	dm_split(r, table, first);
	return NULL;
}

struct dm_lane *dm_map(struct dm_req *r, const struct dm_target *t)
{
	uint64_t count = r->count;
	unsigned children = t->type->children;
	int verdict;

	r->via[r->depth] = t;
	if (children && !dm_spares_promise(t, r, children))
		return NULL;
	verdict = t->type->map(t, r);
	if (children && verdict != DM_HELD)
		dm_spares_release(r);
	return verdict == DM_PART ? map_part(r, t, count) : dm_apply_verdict(r, verdict);
}

struct dm_lane *dm_map_flush(struct dm_req *r, const struct dm_target *t)
{
	unsigned children = t->type->flush_children;
	int verdict;

	r->via[r->depth] = t;
	if (children && !dm_spares_promise(t, r, children))
		return NULL;
	verdict = t->type->flush(t, r);
	if (children && verdict != DM_HELD)
		dm_spares_release(r);
	return dm_apply_verdict(r, verdict);
}

/*
 * The AT-th way of a flush of TABLE, which is its only one or this piece's: first come the lines that flush, then
 * stores.
 */
struct dm_lane *dm_flush_branch(struct dm_req *r, const struct dm_table *table, size_t at)
{
	if (r->flags & DM_BYPASS) {
		r->store = table->stores[at];
		return dm_dispatch(r);
	}
	if (at < table->n_flushers)
		return dm_map_flush(r, &table->targets[table->flushers[at]]);
	r->store = table->flushed[at - table->n_flushers];
	return dm_dispatch(r);
}

/* How far R may extend from its sector in line T before it has to be split. */
static uint64_t line_room(const struct dm_target *t, const struct dm_req *r)
{
	uint64_t in = r->sector - t->start, room = t->len - in;
	uint64_t chunk = t->chunk;

	if (!chunk)
		return room;
	chunk -= in % chunk;
	return chunk < room ? chunk : room;
}

/* One step down from a device that has admitted R: the lane below, or NULL. */
static struct dm_lane *lane_step(const struct dm_table *table, struct dm_req *r)
{
	const struct dm_target *t;
	uint64_t room;

	if (r->op == DM_FLUSH) {
		if (!table) {		/* nothing was written */
			dm_done(r, 0);
			return NULL;
		}
		if (dm_flush_branches(r, table) == 1)
			return dm_flush_branch(r, table, 0);
		dm_split(r, table, 0);
		return NULL;
	}
	if (r->count == 0) {
		dm_done(r, 0);
		return NULL;
	}
	t = &table->targets[dm_table_find(table, r->sector)];
	room = line_room(t, r);
	if (r->op == DM_EXTENT && r->count > room)
		r->count = room;
	if (r->count > room || (t->parts && dm_op_is_range(r->op))) {
		dm_split(r, table, 0);
		return NULL;
	}
	r->sector -= t->start;
	return dm_map(r, t);
}

/* In a stack deeper than its path, a request continues as a piece; so does one that regions record. */
static struct dm_req *deepen(struct dm_req *r)
{
	struct dm_req *piece = dm_io_take(r->io);

	if (!piece) {
		dm_done(r, -ENOMEM);
		return NULL;
	}
	*piece = (struct dm_req){ .op = r->op, .flags = r->flags & ~DM_NOT_OF_PIECES, .sector = r->sector, .count = r->count,
				  .data = r->data, .io = r->io, .began = r->began, .at = r->at, .asked = r->asked, .parent = r };
	if (r->flags & DM_TAGS)
		dm_req_tags(piece, r, 0);
	r->pending = 1;
	r->rest_count = 0;
	r->err = 0;
	return piece;
}

/* It was put back to the gate, and was counted in the regions before. */
static bool counted_already(const struct dm_req *r)
{
	return !r->depth && (r->flags & DM_IN_REGIONS);
}

static bool regions_count(struct dm_lane *lane, const struct dm_req *r)
{
	return atomic_load_explicit(&lane->regions, memory_order_relaxed) && !counted_already(r) && !(r->flags & DM_OWN);
}

/*
 * The core's own flush that arrives at a suspended device from above: the lines there have stopped and committed, and
 * what they would write to below may be suspended as well.
 */
static void flush_bypass(const struct dm_lane *lane, struct dm_req *r)
{
	r->flags &= ~DM_BYPASS;
	if ((lane->gate == DM_GATE_SHUT || lane->gate == DM_GATE_GONE) && dm_comes_from_above(r))
		r->flags |= DM_BYPASS;
}

void dm_enter(struct dm_lane *lane, struct dm_req *r)
{
	bool counted;
	int err;

	while (lane) {
		if (lane->gate != DM_GATE_OPEN && !(r->flags & DM_OWN) && dm_gate_stops(lane, r))
			return;
		if (r->op == DM_FLUSH && flushed_already(r, &lane->walk)) {
			dm_done(r, 0);
			return;
		}
		counted = regions_count(lane, r);
		if ((r->depth == DM_DEPTH || counted) && !(r = deepen(r)))
			return;
		if (r->op == DM_FLUSH)
			flush_bypass(lane, r);
		lane->inflight++;
		r->path[r->depth++] = lane;
		err = lane_check(lane, r);
		if (err) {
			r->via[r->depth] = NULL;
			dm_done(r, err);
			return;
		}
		if (counted)
			dm_regions_begin(lane, r);
		lane = lane_step(lane->table, r);
	}
}

void dm_submit(struct dm_io *io, struct dm_device *d, struct dm_req *r)
{
	r->io = io;
	r->depth = 0;
	r->parent = NULL;
	r->store = NULL;
	r->tracked = 0;
	r->asked = r->op;
	r->flags &= DM_SUBMITTED;
	r->at = r->sector;
	r->began = io->now;
	if (r->op == DM_FLUSH) {
		r->walk = r->flags & DM_OWN ? r->walk : 0;
		r->count = 0;
	}
	dm_enter(&d->lanes[io->index], r);
}

void dm_expect(struct dm_io *io, struct dm_device *d, uint64_t sector)
{
	const struct dm_lane *lane = &d->lanes[io->index];

	if (lane->gate == DM_GATE_OPEN && lane->table && sector < lane->table->sectors)
		dm_index_expect(&lane->table->index, lane->table->targets, sector);
}
