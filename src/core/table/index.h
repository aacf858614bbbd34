/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the line of a sector. The device is divided into as many equal buckets as there are lines (at most twice as
 * many), and each bucket has its first line. A lookup reads one bucket and, if lines are of similar length, one or two
 * lines: two cache misses in a table of a million lines, where bisection has twenty. Many short lines in one bucket are
 * bisected. Immutable; for any thread.
 */
#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct dm_target;

struct dm_index {
	uint32_t *first;	/* of each bucket: the line with its first sector; one more at the end */
	unsigned shift;		/* a bucket is 2^shift sectors */
	uint64_t density;	/* lines per sector, times 2^64: where the line would be if all had the same length */
};

/* Creates the index of N targets, which are sorted and without gaps: 0 or -ENOMEM. */
int dm_index_make(struct dm_index *x, const struct dm_target *targets, size_t n);
void dm_index_free(struct dm_index *x);

/* The number of the target that has SECTOR; there must be one. */
size_t dm_index_find(const struct dm_index *x, const struct dm_target *targets, uint64_t sector);

/* SECTOR, which is inside the table, will be looked up soon: prefetches what that reads. */
void dm_index_expect(const struct dm_index *x, const struct dm_target *targets, uint64_t sector);

/* Memory for a large array with random access, in huge pages if the system has them; to be freed with free(). */
void *dm_large_alloc(size_t size);

#endif
