/* SPDX-License-Identifier: BSD-2-Clause */
/* The index of a table: see index.h. */
#include "core/table/index.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/table/target.h"

#define LARGE_PAGE ((size_t)2 << 20)
#define CACHE_LINE ((size_t)64)

void *dm_large_alloc(size_t size)
{
	size_t unit = size < 2 * LARGE_PAGE ? CACHE_LINE : LARGE_PAGE;
	void *p = size < unit ? malloc(size) : aligned_alloc(unit, (size + unit - 1) & ~(unit - 1));

	if (p && unit == LARGE_PAGE)
		(void)madvise(p, size, MADV_HUGEPAGE);	/* only a hint; without it the table is slower */
	return p;
}

static uint64_t target_end(const struct dm_target *t)
{
	return t->start + t->len;
}

int dm_index_make(struct dm_index *x, const struct dm_target *targets, size_t n)
{
	uint64_t sectors = target_end(&targets[n - 1]), bucket, buckets;
	size_t line = 0;

	x->shift = 0;
	x->density = (uint64_t)((((unsigned __int128)n << 64) - 1) / sectors);
	while (sectors >> x->shift >= 2 * n)
		x->shift++;
	buckets = (sectors >> x->shift) + 1;
	x->first = dm_large_alloc((buckets + 1) * sizeof(*x->first));
	if (!x->first)
		return -ENOMEM;
	for (bucket = 0; bucket < buckets; bucket++) {
		while (line + 1 < n && target_end(&targets[line]) <= bucket << x->shift)
			line++;
		x->first[bucket] = (uint32_t)line;
	}
	x->first[buckets] = (uint32_t)(n - 1);
	return 0;
}

void dm_index_free(struct dm_index *x)
{
	free(x->first);
}

/* Where the line would be if all had the same length. */
static const struct dm_target *index_guess(const struct dm_index *x, const struct dm_target *targets, uint64_t sector)
{
	return &targets[(uint64_t)(((unsigned __int128)sector * x->density) >> 64)];
}

void dm_index_expect(const struct dm_index *x, const struct dm_target *targets, uint64_t sector)
{
	__builtin_prefetch(&x->first[sector >> x->shift]);
	__builtin_prefetch(index_guess(x, targets, sector));
}

size_t dm_index_find(const struct dm_index *x, const struct dm_target *targets, uint64_t sector)
{
	const uint32_t *bucket = &x->first[sector >> x->shift];
	size_t low, high;	/* the line is one of these, both included */

	__builtin_prefetch(index_guess(x, targets, sector));	/* while the bucket is being fetched */
	low = bucket[0];
	high = bucket[1];
	if (high - low < 2)	/* without a branch on the sector, which no processor could predict */
		return low + (sector >= target_end(&targets[low]));
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (sector < target_end(&targets[mid]))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}
