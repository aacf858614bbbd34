/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Correcting a block. First without knowing which of the blocks of its codes are bad, so that half as many symbols as there is
 * parity may be wrong in each code, wherever they are. If that fails, the blocks of its codes are verified, and those that are bad are
 * erasures: as many as there is parity. A hash block that has a digest for that, and is bad itself, is corrected first, in the same
 * way; and so on, but not without end. What became of the last one of each level is remembered until the first block is done.
 */
#include <errno.h>
#include <string.h>

#include "targets/verity/mend.h"

/* The area that is protected: data blocks, then hash blocks. */
static uint64_t area_block(const struct mend *m)
{
	const struct tree *t = &m->v->tree;

	return m->level == MEND_DATA ? m->data_block : t->data_blocks + tree_block(t, (uint32_t)m->level, m->data_block) - t->start;
}

/* Reads a block of the area to v->spare: 0 or -errno. As on Linux, the area may be longer than the hash device from the tree on. */
static int area_read(struct verity *v, struct clerk *c, uint64_t block)
{
	uint64_t sectors = v->block_size / DM_SECTOR;

	if (block < v->tree.data_blocks)
		return clerk_read(c, &v->data, block * sectors, sectors, v->spare);
	block += v->tree.start - v->tree.data_blocks;
	return block < v->hashes.store->sectors / sectors ? clerk_read(c, &v->hashes, block * sectors, sectors, v->spare) : -EIO;
}

/* All symbols but the parity. ERASED gets those that cannot be read. */
static unsigned codes_read(struct mend *m, struct clerk *c, uint8_t *erased)
{
	struct fec *f = &m->v->fec;
	unsigned n = 0;
	uint32_t i;
	uint64_t block;

	for (i = 0; i < fec_symbols(f); i++) {
		block = fec_block(f, area_block(m), i);
		if (block >= f->blocks) {
			fec_put(f, i, NULL);
		} else if (area_read(m->v, c, block)) {
			erased[n++] = (uint8_t)i;
			fec_put(f, i, NULL);
		} else {
			fec_put(f, i, m->v->spare);
		}
	}
	return n;
}

static int parity_read(struct mend *m, struct clerk *c)
{
	struct fec *f = &m->v->fec;
	uint64_t sectors = f->block_size / DM_SECTOR;

	return clerk_read(c, &f->at, fec_parity_block(f, area_block(m)) * sectors, f->roots * sectors,
			  f->round[f->depth].parity);
}

/* Hash block NUMBER, which should have the digest WANT, is not what it should be: it is corrected in v->spare. */
static bool hash_corrected(struct verity *v, struct clerk *c, uint32_t level, uint64_t data, const uint8_t *want)
{
	struct fec_kept *kept = fec_keep(&v->fec, level);
	uint64_t number = tree_block(&v->tree, level, data);
	uint8_t digest[DIGEST_MOST];
	struct mend inner = { .v = v, .level = (int)level, .data_block = data, .want = digest };

	if (kept->known && kept->number == number) {
		memcpy(v->spare, kept->data, v->tree.block_size);
		return kept->right;
	}
	if (v->fec.depth + 1 == FEC_DEPTH)
		return false;
	memcpy(digest, want, v->tree.digest.size);
	v->fec.depth++;
	kept->right = mend_correct(&inner, c);
	v->fec.depth--;
	kept->known = true;
	kept->number = number;
	memcpy(kept->data, v->spare, v->tree.block_size);
	return kept->right;
}

/* Hash block NUMBER as it should be, in v->spare. */
static bool hash_read(struct verity *v, struct clerk *c, uint32_t level, uint64_t data, const uint8_t *want)
{
	const struct tree *t = &v->tree;
	uint64_t sectors = t->block_size / DM_SECTOR;
	uint8_t digest[DIGEST_MOST];

	if (!clerk_read(c, &v->hashes, tree_block(t, level, data) * sectors, sectors, v->spare)) {
		tree_digest(t, digest, v->spare, t->block_size);
		if (!memcmp(digest, want, t->digest.size))
			return true;
	}
	return hash_corrected(v, c, level, data, want);
}

/* The digest that is kept in the hash block of LEVEL on the way of DATA; that block has the digest WANT, or it is not believed. */
static bool digest_below(struct verity *v, struct clerk *c, uint32_t level, uint64_t data, uint8_t *want)
{
	const struct tree *t = &v->tree;
	struct hash_block *b = hashes_find(v->cache, tree_block(t, level, data));

	if (b) {
		memcpy(want, b->data + tree_offset(t, level, data), t->digest.size);
		hashes_unpin(v->cache, b);
		return true;
	}
	if (!hash_read(v, c, level, data, want))
		return false;
	memcpy(want, v->spare + tree_offset(t, level, data), t->digest.size);
	return true;
}

/* The digest of what is on the way of DATA at LEVEL (MEND_DATA: DATA itself). */
static bool digest_of_block(struct verity *v, struct clerk *c, int level, uint64_t data, uint8_t *want)
{
	int i;

	memcpy(want, v->tree.root, v->tree.digest.size);
	for (i = (int)v->tree.levels - 1; i > level; i--)
		if (!digest_below(v, c, (uint32_t)i, data, want))
			return false;
	return true;
}

/* The level of hash block NUMBER, and a data block whose way it is on; false: it is not part of the tree. */
static bool block_in_tree(const struct tree *t, uint64_t number, int *level, uint64_t *data)
{
	uint32_t i;

	for (i = 0; i < t->levels && number < t->end; i++)
		if (number >= t->first[i]) {
			*level = (int)i;
			*data = t->fan_bits * (i + 1) < 64 ? (number - t->first[i]) << (t->fan_bits * (i + 1)) : 0;
			return true;
		}
	return false;
}

static bool area_digest(struct verity *v, struct clerk *c, uint64_t block, uint8_t *want)
{
	uint64_t data = block;
	int level = MEND_DATA;

	if (block >= v->tree.data_blocks && !block_in_tree(&v->tree, block - v->tree.data_blocks + v->tree.start, &level, &data))
		return false;
	return digest_of_block(v, c, level, data, want);
}

/* Is the block with symbol SYMBOL bad? It is not if nothing tells. */
static bool symbol_is_bad(struct mend *m, struct clerk *c, uint32_t symbol)
{
	const struct fec *f = &m->v->fec;
	uint64_t block = fec_block(f, area_block(m), symbol);
	uint8_t digest[DIGEST_MOST], want[DIGEST_MOST];

	if (block >= f->blocks || !area_digest(m->v, c, block, want))
		return false;
	if (area_read(m->v, c, block))
		return true;
	tree_digest(&m->v->tree, digest, m->v->spare, m->v->block_size);
	return memcmp(digest, want, m->v->tree.digest.size);
}

/*
 * LOST has N_LOST symbols that could not be read, in their order: they are bad also where no digest tells. More than the parity has room
 * for do not matter.
 */
static unsigned find_bad(struct mend *m, struct clerk *c, uint32_t symbol, const uint8_t *lost, unsigned n_lost, uint8_t *erased)
{
	const struct fec *f = &m->v->fec;
	unsigned n = 0, at = 0;
	uint32_t i;

	for (i = 0; i < fec_symbols(f) && n <= f->roots; i++) {
		bool is_lost = at < n_lost && lost[at] == i;

		at += is_lost;
		if (i == symbol || is_lost || symbol_is_bad(m, c, i))
			erased[n++] = (uint8_t)i;
	}
	return n;
}

static bool corrects(struct mend *m, uint32_t symbol, const uint8_t *erased, unsigned n)
{
	struct verity *v = m->v;
	uint8_t digest[DIGEST_MOST];

	if (n > v->fec.roots || !fec_correct(&v->fec, symbol, erased, n, v->spare))
		return false;
	tree_digest(&v->tree, digest, v->spare, v->block_size);
	return !memcmp(digest, m->want, v->tree.digest.size);
}

bool mend_correct(struct mend *m, struct clerk *c)
{
	uint32_t symbol = (uint32_t)(area_block(m) / m->v->fec.rounds);
	uint8_t lost[FEC_CODE], bad[FEC_CODE];
	unsigned n;

	if (!m->v->fec.depth)
		fec_forget(&m->v->fec);
	if (parity_read(m, c))
		return false;
	n = codes_read(m, c, lost);
	if (corrects(m, symbol, lost, n))
		return true;
	n = find_bad(m, c, symbol, lost, n, bad);
	return corrects(m, symbol, bad, n);
}
