/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward error correction, in the format of Linux and `veritysetup --fec-device`: Reed-Solomon codes over GF(256) with the
 * polynomial x^8 + x^4 + x^3 + x^2 + 1, of 255 symbols, of which `roots` are parity. It covers the data blocks and the hash blocks behind
 * them, as one area. The symbols of a code are `rounds` blocks apart, so that a run of bad blocks takes one symbol from
 * each of many codes:
 *
 *   the codes of block b:      the same byte of the blocks b % rounds, b % rounds + rounds, b % rounds + 2 rounds, ...
 *   their parity:              `roots` blocks from fec_start + (b % rounds) * roots on, `roots` bytes for each code
 *
 * Beyond the area there are zeros. The decoder is Phil Karn's (libfec), from which Linux's and veritysetup's are made, too.
 */
#ifndef VERITY_FEC_H
#define VERITY_FEC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/args.h"

#define FEC_CODE 255u
#define FEC_ROOTS_LEAST 2u
#define FEC_ROOTS_MOST 24u
#define FEC_DEPTH 4u		/* corrections inside each other, as on Linux */
#define FEC_KEPT 8u		/* hash blocks that are remembered while one block is corrected */

struct fec {
	struct dm_at at;		/* at.store: NULL, if there is none */
	uint64_t blocks;		/* of the area */
	uint64_t start;			/* the first block of the parity */
	uint32_t roots;
	uint64_t rounds;
	uint32_t block_size;		/* bytes */
	void *code;			/* libfec's */
	/* To find out what is wrong with a block, one that has a digest for that may have to be corrected first. */
	unsigned depth;
	struct fec_round {
		uint8_t *codes;		/* block_size of them, FEC_CODE bytes each: those of one block */
		uint8_t *parity;	/* roots blocks */
	} round[FEC_DEPTH];
	struct fec_kept {
		uint64_t number;	/* of the hash block */
		bool known, right;	/* it was looked at; and corrected, so that DATA is what it should be */
		uint8_t *data;
	} kept[FEC_KEPT];
};

/* Reserves what a correction needs: 0 or -errno and a sentence. */
int fec_begin(struct fec *f, struct err *e);
void fec_end(struct fec *f);

/* How many symbols of a code are not parity. */
static inline uint32_t fec_symbols(const struct fec *f)
{
	return FEC_CODE - f->roots;
}

/* The block with symbol SYMBOL of the codes of BLOCK; it may be beyond the area. */
static inline uint64_t fec_block(const struct fec *f, uint64_t block, uint32_t symbol)
{
	return block % f->rounds + symbol * f->rounds;
}

/* The first of the `roots` blocks with the parity of the codes of BLOCK. */
static inline uint64_t fec_parity_block(const struct fec *f, uint64_t block)
{
	return f->start + block % f->rounds * f->roots;
}

/* Where hash block NUMBER of LEVEL is remembered. */
static inline struct fec_kept *fec_keep(struct fec *f, uint32_t level)
{
	return &f->kept[level % FEC_KEPT];
}

/* Nothing is remembered any more. */
void fec_forget(struct fec *f);

/* Symbol SYMBOL of each code is a byte of DATA, a block; NULL: of zeros. */
void fec_put(struct fec *f, uint32_t symbol, const uint8_t *data);

/*
 * Corrects symbol SYMBOL of each code, and writes the block to OUT. The parity is that of the round. ERASED has N symbols that
 * are known to be wrong. False if there is a code with too many wrong symbols. The codes stay as they are.
 */
bool fec_correct(const struct fec *f, uint32_t symbol, const uint8_t *erased, unsigned n, uint8_t *out);

#endif
