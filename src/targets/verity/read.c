/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads. A read is at most as long as one hash block of level 0 has digests for, so it needs one walk. Its child reads into the
 * client's buffer, and is kept until the blocks there are verified: on the io thread if they are few, on a worker else.
 */
#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "core/kit/compute.h"
#include "core/path/child.h"
#include "core/path/fault.h"
#include "core/path/held.h"
#include "targets/verity/mend.h"
#include "targets/verity/lookup.h"

#define READS 256u			/* at a time; more wait in line */
#define HERE_MOST 8192u			/* bytes that are verified on the io thread: a trip to a worker costs about as much */

struct read {
	struct verity *v;
	struct dm_req *req, *child;
	uint64_t first;			/* data block */
	uint32_t n, at;			/* blocks; those before AT are verified */
	unsigned coming;		/* of the data and the digests */
	int data_err, lookup_err;
	struct lookup lookup;
	struct mend mend;
	struct work work;
	uint8_t digests[];		/* one after the other */
};

uint32_t verity_read_blocks(const struct verity *v)
{
	uint32_t most = VERITY_READ_MOST / v->block_size, fan = v->tree.levels ? 1u << v->tree.fan_bits : 1;

	return fan < most ? fan : most;
}

static uint8_t *read_digest(struct read *d, uint32_t i)
{
	return d->digests + (size_t)i * d->v->tree.digest.size;
}

static struct vec read_block(const struct read *d, uint32_t i)
{
	return vec_from(d->req->data, (size_t)i * d->v->block_size);
}

static void read_over(struct read *d, int err)
{
	struct dm_req *c = d->child;

	if (!err && atomic_load_explicit(&d->v->ended, memory_order_relaxed))
		err = -EIO;
	reserve_give(d->v->reads, d);
	dm_child_end(c, err);
}

/* --- verifying ---------------------------------------------------------------------------------------------------------- */

static bool was_checked(const struct verity *v, uint64_t block)
{
	return v->checked && atomic_load_explicit(&v->checked[block / 64], memory_order_relaxed) >> block % 64 & 1;
}

static void note_checked(struct verity *v, uint64_t block)
{
	if (v->checked)
		atomic_fetch_or_explicit(&v->checked[block / 64], (uint64_t)1 << block % 64, memory_order_relaxed);
}

/* The digest of block I as it was read. */
static void block_digest(const struct read *d, uint32_t i, uint8_t *digest)
{
	uint32_t size = d->v->block_size;
	uint8_t copy[VERITY_BLOCK_MOST];
	const void *data;
	size_t got;

	data = vec_first(read_block(d, i), size, &got);
	if (got < size) {
		vec_get(vec_trim(read_block(d, i)), copy, size);
		data = copy;
	}
	tree_digest(&d->v->tree, digest, data, size);
}

static bool block_is_right(struct read *d, uint32_t i)
{
	const struct tree *t = &d->v->tree;
	const uint8_t *want = read_digest(d, i);
	uint8_t digest[DIGEST_MOST];

	if (!d->data_err && was_checked(d->v, d->first + i))
		return true;
	if (d->v->ignore_zeroes && !memcmp(want, d->v->zero_digest, t->digest.size)) {
		vec_zero(vec_trim(read_block(d, i)), d->v->block_size);
		return true;
	}
	if (d->data_err)
		return false;
	block_digest(d, i, digest);
	if (memcmp(digest, want, t->digest.size))
		return false;
	note_checked(d->v, d->first + i);
	return true;
}

static void read_verify(struct read *d);

static void read_mended(struct mend *m)
{
	struct read *d = container(m, struct read, mend);

	if (m->err) {
		dm_why(d->req->io, "data block %llu of the verity device is corrupt, or cannot be read", (unsigned long long)(d->first + d->at));
		read_over(d, m->err);
		return;
	}
	if (!m->is_corrupt)
		note_checked(d->v, d->first + d->at);
	d->at++;
	read_verify(d);
}

/* Those up to AT are verified, and it is not right; or all of them are. */
static void read_verified(struct read *d)
{
	if (d->at == d->n) {
		read_over(d, 0);
		return;
	}
	d->mend = (struct mend){ .v = d->v, .target = d->lookup.target, .io = d->req->io, .done = read_mended, .level = MEND_DATA,
				 .data_block = d->first + d->at, .want = read_digest(d, d->at), .to = read_block(d, d->at) };
	mend_begin(&d->mend);
}

static void read_run(struct work *w)
{
	struct read *d = container(w, struct read, work);

	while (d->at < d->n && block_is_right(d, d->at))
		d->at++;
}

static void read_ran(struct work *w)
{
	struct read *d = container(w, struct read, work);

	dm_io_turn(d->req->io);
	read_verified(d);
}

static void read_verify(struct read *d)
{
	d->work.run = read_run;
	d->work.done = read_ran;
	if ((d->n - d->at) * d->v->block_size > HERE_MOST) {
		dm_compute(d->req->io, &d->work, WORK_WAITED);
		return;
	}
	read_run(&d->work);
	read_verified(d);
}

/* --- data and digests --------------------------------------------------------------------------------------------------- */

/* Can the data be corrected, or does it matter for the device that they cannot be read? */
static bool read_may_mend(const struct read *d)
{
	return d->v->fec.at.store || d->v->ignore_zeroes || d->v->failed != VERITY_FAIL;
}

static void read_came(struct read *d)
{
	if (--d->coming)
		return;
	if (d->data_err && (d->data_err == DM_PUT_BACK || !read_may_mend(d))) {
		read_over(d, d->data_err);
	} else if (d->lookup_err) {
		dm_why(d->req->io, "a hash block that leads to data block %llu of the verity device is corrupt, or cannot be read",
		       (unsigned long long)d->first);
		read_over(d, d->lookup_err);
	} else {
		read_verify(d);
	}
}

int verity_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	struct read *d = r->own[0];

	(void)t;
	(void)c;
	d->data_err = err;
	read_came(d);
	return DM_HELD;
}

static void read_found(struct lookup *w, const uint8_t *block)
{
	struct read *d = container(w, struct read, lookup);
	const struct tree *t = &d->v->tree;
	uint32_t i;

	for (i = 0; i < d->n; i++)
		memcpy(read_digest(d, i), block + tree_offset(t, 0, d->first + i), t->digest.size);
}

static void read_looked_up(struct lookup *w, int err)
{
	struct read *d = container(w, struct read, lookup);

	d->lookup_err = err;
	if (!d->v->tree.levels)
		memcpy(read_digest(d, 0), d->v->tree.root, d->v->tree.digest.size);
	read_came(d);
}

static int read_begin(struct read *d, struct dm_req *r)
{
	const struct dm_target *t = dm_holder(r);
	struct verity *v = t->priv;
	uint32_t sectors = v->block_size / DM_SECTOR;

	d->v = v;
	d->req = r;
	d->first = r->sector / sectors;
	d->n = (uint32_t)(r->count / sectors);
	d->at = 0;
	d->coming = 2;
	d->data_err = d->lookup_err = 0;
	if (dm_children(r, &d->child, 1)) {
		reserve_give(v->reads, d);
		return -ENOMEM;
	}
	r->own[0] = d;
	d->lookup.v = v;
	d->lookup.target = t;
	d->lookup.io = r->io;
	d->lookup.data = d->first;
	d->lookup.found = read_found;
	d->lookup.done = read_looked_up;
	dm_send(r->io, &v->data, d->child);
	lookup_begin(&d->lookup);
	return DM_HELD;
}

static void read_got(void *arg, struct dm_req *r, void *object)
{
	int verdict = read_begin(object, r);

	(void)arg;
	if (verdict != DM_HELD)
		dm_go_on_here(r, verdict);
}

int verity_reads_new(struct verity *v, struct err *e)
{
	return reserve_new(&v->reads, READS, sizeof(struct read) + (size_t)verity_read_blocks(v) * v->tree.digest.size, read_got, v, e);
}

int verity_read(const struct verity *v, struct dm_req *r)
{
	struct read *d = reserve_take(v->reads, r);

	return d ? read_begin(d, r) : DM_HELD;
}
