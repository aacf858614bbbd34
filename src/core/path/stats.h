/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters of a device, always on. Each io thread counts for itself without atomic read-modify-writes; the control
 * thread adds the counters up on request.
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/path/req.h"

/*
 * Bucket i of a histogram counts requests that took less than 2^i microseconds (and are in no earlier bucket); the last
 * bucket has the rest.
 */
#define DM_BUCKETS 24

struct dm_stats {
	_Atomic uint64_t ios[DM_OPS], sectors[DM_OPS], errors[DM_OPS], ns[DM_OPS];
	_Atomic uint64_t latency[DM_OPS][DM_BUCKETS];
};

/* There is only one writer: plain additions, which another thread may read at any time. */
static inline void dm_stat_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

void dm_stats_count(struct dm_stats *s, enum dm_op op, uint64_t sectors, uint64_t ns, int err);
/* Adds S to TOTAL (TIMES 1) or subtracts it (TIMES -1). */
void dm_stats_add(struct dm_stats *total, const struct dm_stats *s, uint64_t times);

#endif
