/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks down the hash tree: see lookup.h. */
#include "targets/verity/lookup.h"

#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "core/path/child.h"

static void lookup_next(struct lookup *w);

static uint64_t lookup_block(const struct lookup *w)
{
	return tree_block(&w->v->tree, w->level, w->data);
}

/* Keeps the digest, in BLOCK of the level, of what is below it. */
static void lookup_want(struct lookup *w, uint32_t level, const uint8_t *block)
{
	memcpy(w->want, block + tree_offset(&w->v->tree, level, w->data), w->v->tree.digest.size);
}

/* B is pinned: the walk goes on below it, or is over. Whoever ends a request touches nothing of the line after that. */
static void lookup_use(struct lookup *w, struct hash_block *b)
{
	if (w->level)
		lookup_want(w, w->level, b->data);
	else
		w->found(w, b->data);
	hashes_unpin(w->v->cache, b);
	if (!w->level) {
		w->done(w, 0);
		return;
	}
	w->level--;
	lookup_next(w);
}

static void lookup_got(struct hashes_wait *wait, struct hash_block *b, int err)
{
	struct lookup *w = container(wait, struct lookup, wait);

	dm_io_turn(w->io);
	if (err)
		w->done(w, err);
	else if (b)
		lookup_use(w, b);
	else
		lookup_next(w);
}

static void lookup_failed(struct lookup *w, int err)
{
	hashes_loaded(w->v->cache, w->block, err, false);
	w->done(w, err);
}

static void lookup_mended(struct mend *m)
{
	struct lookup *w = container(m, struct lookup, mend);

	if (m->err) {
		lookup_failed(w, m->err);
		return;
	}
	hashes_loaded(w->v->cache, w->block, 0, m->is_corrupt);
	lookup_use(w, w->block);
}

/* The block does not have its digest, or could not be read. */
static void lookup_mend(struct lookup *w)
{
	dm_req_buffer(&w->req, w->block->data, w->v->tree.block_size);
	w->mend = (struct mend){ .v = w->target->priv, .target = w->target, .io = w->io, .done = lookup_mended, .level = (int)w->level,
				 .data_block = w->data, .want = w->want, .to = w->req.data };
	mend_begin(&w->mend);
}

static bool lookup_matches(const struct lookup *w)
{
	uint8_t digest[DIGEST_MOST];

	tree_digest(&w->v->tree, digest, w->block->data, w->v->tree.block_size);
	return !memcmp(digest, w->want, w->v->tree.digest.size);
}

static void lookup_read(struct dm_req *r, int err)
{
	struct lookup *w = container(r, struct lookup, req);

	if (err || !lookup_matches(w)) {
		lookup_mend(w);
		return;
	}
	hashes_loaded(w->v->cache, w->block, 0, false);
	lookup_use(w, w->block);
}

static void lookup_load(struct lookup *w)
{
	uint32_t size = w->v->tree.block_size;

	w->req = (struct dm_req){ .op = DM_READ, .sector = lookup_block(w) * (size / DM_SECTOR), .count = size / DM_SECTOR,
				  .done = lookup_read };
	dm_req_buffer(&w->req, w->block->data, size);
	dm_send(w->io, &w->v->hashes, &w->req);
}

/* The block of the level is wanted, and its digest is known. */
static void lookup_next(struct lookup *w)
{
	struct hash_block *b;

	w->wait.got = lookup_got;
	w->wait.home = w->io->loop;
	switch (hashes_take(w->v->cache, lookup_block(w), &b, &w->wait)) {
	case HASHES_READY:
		lookup_use(w, b);
		break;
	case HASHES_LOAD:
		w->block = b;
		lookup_load(w);
		break;
	case HASHES_WAIT:
		break;
	}
}

void lookup_begin(struct lookup *w)
{
	const struct tree *t = &w->v->tree;
	struct hash_block *b;

	for (w->level = 0; w->level < t->levels; w->level++) {
		b = hashes_find(w->v->cache, lookup_block(w));
		if (b) {
			lookup_use(w, b);
			return;
		}
	}
	if (!t->levels) {
		w->done(w, 0);
		return;
	}
	w->level--;
	memcpy(w->want, t->root, t->digest.size);
	lookup_next(w);
}
