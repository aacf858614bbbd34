/* SPDX-License-Identifier: BSD-2-Clause */
/* Bitmaps of mode B: see bitmap.h. */
#include "targets/integrity/bitmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096u			/* bytes that are written at once */

int ibitmap_new(struct ibitmap **out, const struct iformat *f, unsigned log2_blocks_per_bit)
{
	struct ibitmap *b = calloc(1, sizeof(*b));
	uint64_t bits;

	if (!b)
		return -ENOMEM;
	b->log2_bit = log2_blocks_per_bit + (unsigned)__builtin_ctz(f->block);
	b->provided = f->provided;
	bits = ((f->provided - 1) >> b->log2_bit) + 1;
	b->bytes = (bits + BLOCK * 8 - 1) / (BLOCK * 8) * BLOCK;
	pthread_mutex_init(&b->lock, NULL);
	b->disk = aligned_alloc(BLOCK, b->bytes);
	b->may = calloc(1, b->bytes);
	b->recalc = calloc(1, b->bytes);
	b->changed = calloc(1, b->bytes / BLOCK);
	if (!b->disk || !b->may || !b->recalc || !b->changed) {
		ibitmap_free(b);
		return -ENOMEM;
	}
	memset(b->disk, 0, b->bytes);
	*out = b;
	return 0;
}

void ibitmap_free(struct ibitmap *b)
{
	if (!b)
		return;
	free(b->disk);
	free(b->may);
	free(b->recalc);
	free(b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* --- bits ----------------------------------------------------------------------------------------------------------------- */

void ibitmap_put(struct ibitmap *b, uint8_t *which, uint64_t sector, uint64_t count, bool set)
{
	uint64_t i, last = (sector + count - 1) >> b->log2_bit;

	for (i = sector >> b->log2_bit; count && i <= last; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8), old = which[i / 8];

		which[i / 8] = set ? old | bit : (uint8_t)(old & ~bit);
		if (which == b->disk && which[i / 8] != old)
			b->changed[i / 8 / BLOCK] = 1;
	}
}

bool ibitmap_all(const struct ibitmap *b, const uint8_t *which, uint64_t sector, uint64_t count, bool set)
{
	uint64_t i, last = (sector + count - 1) >> b->log2_bit;

	for (i = sector >> b->log2_bit; count && i <= last; i++)
		if ((which[i / 8] >> i % 8 & 1) != set)
			return false;
	return true;
}

bool ibitmap_may_write(struct ibitmap *b, uint64_t sector, uint64_t count)
{
	bool may;

	pthread_mutex_lock(&b->lock);
	may = ibitmap_all(b, b->may, sector, count, true);
	pthread_mutex_unlock(&b->lock);
	return may;
}

bool ibitmap_is_invalid(struct ibitmap *b, uint64_t sector, uint64_t count)
{
	bool valid;

	pthread_mutex_lock(&b->lock);
	valid = ibitmap_all(b, b->recalc, sector, count, false);
	pthread_mutex_unlock(&b->lock);
	return !valid;
}

void ibitmap_is_valid(struct ibitmap *b, uint64_t sector, uint64_t count)
{
	uint64_t first = sector >> b->log2_bit << b->log2_bit, end = (sector + count) >> b->log2_bit << b->log2_bit;

	if (sector + count == b->provided)
		end = b->provided;
	if (end <= first)
		return;
	pthread_mutex_lock(&b->lock);
	ibitmap_put(b, b->recalc, first, end - first, false);
	pthread_mutex_unlock(&b->lock);
}

/* --- the clerk ------------------------------------------------------------------------------------------------------------ */

int ibitmap_read(struct ibitmap *b, struct clerk *k, const struct dm_at *at)
{
	return clerk_read(k, at, IFORMAT_SB_SECTORS, b->bytes / DM_SECTOR, b->disk);
}

int ibitmap_write_all(struct ibitmap *b, struct clerk *k, const struct dm_at *at)
{
	memset(b->changed, 1, b->bytes / BLOCK);
	return ibitmap_write(b, k, at);
}

int ibitmap_write(struct ibitmap *b, struct clerk *k, const struct dm_at *at)
{
	size_t i, n = b->bytes / BLOCK;
	bool any = false;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		if (!b->changed[i])
			continue;
		any = true;
		err = clerk_write(k, at, IFORMAT_SB_SECTORS + i * (BLOCK / DM_SECTOR), BLOCK / DM_SECTOR, b->disk + i * BLOCK, 0);
	}
	if (any && !err)
		err = clerk_flush(k, at);
	if (!err)
		memset(b->changed, 0, n);	/* otherwise none of it may be durable */
	return err;
}

void ibitmap_mark(struct ibitmap *b, uint64_t sector, uint64_t count)
{
	ibitmap_put(b, b->disk, sector, count, true);
}

void ibitmap_allow(struct ibitmap *b, uint64_t sector, uint64_t count)
{
	pthread_mutex_lock(&b->lock);
	ibitmap_put(b, b->may, sector, count, true);
	pthread_mutex_unlock(&b->lock);
}

void ibitmap_stop_writes(struct ibitmap *b)
{
	pthread_mutex_lock(&b->lock);
	memset(b->may, 0, b->bytes);
	pthread_mutex_unlock(&b->lock);
}

/* What is marked but not written yet has asked before it may write: it is in `changed`, and so is in no `may`. */
void ibitmap_clear(struct ibitmap *b, uint64_t limit)
{
	size_t i, last = (size_t)(limit >> b->log2_bit) / 8;
	uint8_t keep;

	pthread_mutex_lock(&b->lock);
	for (i = 0; i < b->bytes && i <= last; i++) {
		keep = b->may[i] | (i == last ? (uint8_t)(0xffu << (limit >> b->log2_bit) % 8) : 0);
		if (b->disk[i] & ~keep)
			b->changed[i / BLOCK] = 1;
		b->disk[i] &= keep;
	}
	pthread_mutex_unlock(&b->lock);
}
