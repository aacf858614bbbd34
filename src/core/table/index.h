/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the line of a sector. The device is cut into as many equal buckets as
 * there are lines (twice as many at most), and each bucket knows its first line.
 * A request reads one bucket and, where lines are of similar length, one or two
 * lines: two cache misses in a table of a million lines, where bisection has
 * twenty. Many short lines in one bucket are bisected. Immutable; any thread.
 */
#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct dm_target;

struct dm_index {
	uint32_t *first;	/* of each bucket: the line that holds its first sector; one more at the end */
	unsigned shift;		/* a bucket is 2^shift sectors */
	uint64_t density;	/* lines a sector, times 2^64: where the line would be if all were of one length */
};

/* Makes the index of N targets, sorted and without gaps: 0 or -ENOMEM. */
int dm_index_make(struct dm_index *x, const struct dm_target *targets, size_t n);
void dm_index_free(struct dm_index *x);

/* The number of the target that holds SECTOR, which one of them does. */
size_t dm_index_find(const struct dm_index *x, const struct dm_target *targets, uint64_t sector);

/* SECTOR, which lies inside the table, will be asked for soon: fetches what finding it will read. */
void dm_index_expect(const struct dm_index *x, const struct dm_target *targets, uint64_t sector);

/* Memory for a large array that is read at random, in large pages where the system has them; free() it. */
void *dm_large_alloc(size_t size);

#endif
