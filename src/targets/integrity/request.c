/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a request. It is cut so that it lies in one area and its tags are few; then it has a job, and its range to itself.
 *
 *   read                a child reads the data, and the tags are read, at the same time; then the blocks are verified. Blocks that
 *                       are in the journal are taken from there
 *   write, mode D       a child writes the data while the tags are computed; then the tags change in memory
 *   write, mode J       tags and data go into the journal; there is no child
 *   discard             the tags are filled with a byte that says so; in mode J they are durable before the data go
 *
 * What is durable at its end (FUA) waits for the clerk as a flush does (sync.c). Slow digests of many blocks are a worker's.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/path/child.h"
#include "core/path/fault.h"
#include "core/path/held.h"
#include "core/world.h"
#include "targets/integrity/job.h"

#define JOBS 64u			/* requests at a time; more wait in line */

void job_over(struct job *j, int err)
{
	struct integrity *it = j->it;
	struct dm_req *r = j->req, *c = j->child;

	range_give(it->ranges, &j->range, it->cut);
	if (j->in_epoch)
		epoch_leave(it->epoch, r->io, j->generation);
	reserve_give(it->jobs, j);
	if (c)
		dm_child_end(c, err);
	else
		dm_go_on_here(r, err);
}

bool job_child(struct job *j, enum dm_op op)
{
	struct dm_req *c = NULL;

	if (dm_children(j->req, &c, 1))
		return false;
	j->child = c;
	c->op = (uint8_t)op;
	c->sector = iformat_data(&j->it->f, j->req->sector);
	return true;
}

void job_send(struct job *j)
{
	dm_send(j->req->io, &j->it->data, j->child);
}

void job_waits(struct job *j, void (*next)(struct job *j), bool drain)
{
	j->next = next;
	integrity_want_sync(j->it, j->req, drain);
}

void integrity_synced(struct dm_req *r, int err)
{
	struct job *j = r->own[0];

	if (err)
		job_over(j, err);
	else
		j->next(j);
}

void job_tags(struct job *j, bool writes, void (*done)(struct tags_op *op, int err))
{
	j->op.done = done;
	j->op.io = j->req->io;
	j->op.pos = iformat_tag(&j->it->f, j->req->sector);
	j->op.len = (size_t)j->n * j->it->f.tag_size;
	j->op.bytes = j->tags;
	j->op.writes = writes;
	tags_begin(j->it->tags, &j->op);
}

void job_take_found(struct job *j, bool copy)
{
	struct vec to;
	uint32_t i;

	for (i = 0; j->n_found && i < j->n; i++) {
		if (!job_is_found(j, i))
			continue;
		to = job_block(j, i);
		jring_get(j->it->journal, job_sector(j, i), copy ? &to : NULL, copy ? job_tag(j, i) : NULL);
	}
}

/* --- reads ------------------------------------------------------------------------------------------------------------------ */

static void read_over(struct job *j)
{
	if (j->wrong) {
		atomic_fetch_add(&j->it->mismatches, 1);
		dm_why(j->req->io, "sector %" PRIu64 " of the integrity device is not what its tag says: the data or the tag were changed below",
		       job_sector(j, j->wrong_at));
		j->err = -EILSEQ;
	}
	job_take_found(j, !j->err);
	if (!j->err && j->req->flags & DM_TAGS)
		memcpy(j->req->tags, j->tags, (size_t)j->n * j->it->f.tag_size);
	if (j->err)
		vec_zero(j->req->data, j->req->count << DM_SECTOR_SHIFT);
	job_over(j, j->err);
}

static void read_came(struct job *j, int err)
{
	j->err = j->err ? j->err : err;
	if (--j->coming)
		return;
	if (j->err || !j->verifies)
		read_over(j);
	else
		job_digests(j, read_over);
}

static void read_tags_came(struct tags_op *op, int err)
{
	struct job *j = container(op, struct job, op);

	if (err && err != DM_PUT_BACK)
		dm_why(j->req->io, "the tags of sector %" PRIu64 " of the integrity device cannot be read", j->req->sector);
	read_came(j, err);
}

/* There is somebody who can verify them, and they are not still to be computed. */
static bool has_valid_tags(const struct job *j)
{
	uint64_t recalc = atomic_load(&j->it->recalc_at);

	if (!j->it->hash.kind || recalc == UINT64_MAX)
		return j->it->hash.kind;
	if (j->it->bitmap)
		return !ibitmap_is_invalid(j->it->bitmap, j->req->sector, j->req->count);
	return j->req->sector + j->req->count <= recalc;
}

static void read_go(struct job *j)
{
	bool wants_tags;

	if (j->it->journal)
		j->n_found = jring_find(j->it->journal, j->req->sector, j->n, j->found);
	if (j->n_found == j->n) {
		read_over(j);
		return;
	}
	if (!job_child(j, DM_READ)) {
		j->err = -ENOMEM;
		read_over(j);
		return;
	}
	j->verifies = has_valid_tags(j);
	wants_tags = j->verifies || j->req->flags & DM_TAGS;
	j->coming = wants_tags ? 2 : 1;
	job_send(j);
	if (wants_tags)
		job_tags(j, false, read_tags_came);
}

/* --- all -------------------------------------------------------------------------------------------------------------------- */

int integrity_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	struct job *j = r->own[0];

	(void)t;
	(void)c;
	if (r->op == DM_READ)
		read_came(j, err);
	else
		job_write_child(j, err);
	return DM_HELD;
}

static void job_go(struct job *j)
{
	if (j->req->op == DM_READ)
		read_go(j);
	else if (j->req->op == DM_DISCARD)
		job_discard(j);
	else
		job_write(j);
}

static void job_got_range(struct range *range)
{
	struct job *j = container(range, struct job, range);

	dm_io_turn(j->req->io);
	job_go(j);
}

static void job_begin(struct integrity *it, struct dm_req *r, struct job *j)
{
	r->own[0] = j;
	j->it = it;
	j->req = r;
	j->child = NULL;
	j->n = (uint32_t)(r->count / it->f.block);
	j->err = 0;
	j->wrong = j->in_epoch = false;
	j->n_found = 0;
	memset(j->found, 0, sizeof(j->found));
	j->range = (struct range){ .sector = r->sector, .count = r->count, .writes = r->op != DM_READ, .got = job_got_range, .home = r->io->loop };
	if (range_take(it->ranges, &j->range, it->cut))
		job_go(j);
}

static void job_later(void *arg, struct dm_req *r, void *object)
{
	job_begin(arg, r, object);
}

int integrity_requests_new(struct integrity *it, struct err *e)
{
	return reserve_new(&it->jobs, JOBS, sizeof(struct job), job_later, it, e);
}

/* Are the data below all that matters? */
static bool is_plain(const struct integrity *it, const struct dm_req *r)
{
	if (r->flags & DM_TAGS)
		return false;
	return it->words.mode == 'R' || (it->words.mode == 'D' && !it->hash.kind);
}

static int hold(struct integrity *it, struct dm_req *r)
{
	struct job *j = reserve_take(it->jobs, r);

	if (j)
		job_begin(it, r, j);
	return DM_HELD;
}

int integrity_map(const struct dm_target *t, struct dm_req *r)
{
	struct integrity *it = t->priv;
	uint64_t most = it->cut - (r->sector & (it->cut - 1));

	if (r->op == DM_EXTENT) {
		r->flags &= ~(uint32_t)(DM_HOLE | DM_ZERO);	/* what the data device says of itself is not verified */
		return DM_DONE;
	}
	if (r->op != DM_READ && it->words.mode == 'R') {
		dm_why(r->io, "in mode R nothing is written");
		return -EIO;
	}
	if ((r->op == DM_DISCARD && !it->words.discard) || (r->op == DM_ZEROES && r->flags & DM_FAST))
		return -EOPNOTSUPP;
	if (r->count > most) {
		r->count = most;
		return DM_PART;
	}
	if (r->flags & DM_TAGS && (it->hash.kind || r->tag_size != it->f.tag_size || r->tag_block != it->f.block)) {
		dm_why(r->io, "it has no tags of %u bytes for blocks of %u sectors", r->tag_size, r->tag_block);
		return -EIO;
	}
	return is_plain(it, r) ? dm_remap(r, &it->data, iformat_data(&it->f, r->sector)) : hold(it, r);
}
