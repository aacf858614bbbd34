/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash tree, as arithmetic. Linux's format (Documentation/admin-guide/device-mapper/verity.rst, and the specification on
 * cryptsetup's wiki, DMVerity):
 *
 *   level 0 has the digests of the data blocks, in blocks of its own; level 1 those of the blocks of level 0, and so on up to
 *   a level with one block, whose digest is the root hash, which is nowhere on the disk. A block has as many digests as the
 *   greatest power of two that fits. The hash device has the highest level first, from the block hash_start on.
 *
 *   version 1: a digest is that of the salt, then the block; each begins at a multiple of a power of two
 *   version 0 (Chromium OS): that of the block, then the salt; digests stand side by side
 *
 * One data block has no tree: the root hash is its digest.
 */
#ifndef VERITY_TREE_H
#define VERITY_TREE_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

#define TREE_LEVELS 63u
#define TREE_SALT_MOST 1024u		/* bytes; veritysetup makes none that are longer than 256 */

struct tree {
	struct digest digest;
	uint8_t salt[TREE_SALT_MOST];
	uint32_t salt_len;
	uint32_t version;
	uint32_t block_size;		/* bytes: of a hash block */
	uint32_t fan_bits;		/* log2 of how many digests a hash block has */
	uint32_t step;			/* bytes from one digest to the next */
	uint64_t data_blocks;
	uint32_t levels;		/* 0: one data block */
	uint64_t first[TREE_LEVELS];	/* of each level: its first block, on the hash device */
	uint64_t start, end;		/* the first block of the tree, and that behind it */
	uint8_t root[DIGEST_MOST];
};

/* Fills in the rest from digest, version, block_size and data_blocks: 0, or -EINVAL and a sentence. */
int tree_shape(struct tree *t, uint64_t hash_start, struct err *e);

static inline uint64_t tree_shift(uint64_t data, uint32_t bits)
{
	return bits < 64 ? data >> bits : 0;
}

/* The block of LEVEL on whose way data block DATA is: its number on the hash device. */
static inline uint64_t tree_block(const struct tree *t, uint32_t level, uint64_t data)
{
	return t->first[level] + tree_shift(data, t->fan_bits * (level + 1));
}

/* Where, in that block, the digest of what is below it on this way begins: bytes. */
static inline uint32_t tree_offset(const struct tree *t, uint32_t level, uint64_t data)
{
	return (uint32_t)(tree_shift(data, t->fan_bits * level) & ((1u << t->fan_bits) - 1)) * t->step;
}

/* The digest of a block of LEN bytes, data or hashes. */
void tree_digest(const struct tree *t, uint8_t *out, const void *block, size_t len);

#endif
