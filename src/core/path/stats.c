/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters and latency histograms: see stats.h. */
#include "core/path/stats.h"

static unsigned stats_bucket(uint64_t ns)
{
	uint64_t us = ns / 1000;
	unsigned bits = us ? 64u - (unsigned)__builtin_clzll(us) : 0;

	return bits < DM_BUCKETS ? bits : DM_BUCKETS - 1;
}

void dm_stats_count(struct dm_stats *s, enum dm_op op, uint64_t sectors, uint64_t ns, int err)
{
	dm_stat_add(&s->ios[op], 1);
	dm_stat_add(&s->ns[op], ns);
	dm_stat_add(&s->latency[op][stats_bucket(ns)], 1);
	if (err)
		dm_stat_add(&s->errors[op], 1);
	else
		dm_stat_add(&s->sectors[op], sectors);
}

static void stats_scale_add(_Atomic uint64_t *to, const _Atomic uint64_t *from, uint64_t times)
{
	dm_stat_add(to, times * atomic_load_explicit(from, memory_order_relaxed));
}

void dm_stats_add(struct dm_stats *total, const struct dm_stats *s, uint64_t times)
{
	unsigned op, i;

	for (op = 0; op < DM_OPS; op++) {
		stats_scale_add(&total->ios[op], &s->ios[op], times);
		stats_scale_add(&total->sectors[op], &s->sectors[op], times);
		stats_scale_add(&total->errors[op], &s->errors[op], times);
		stats_scale_add(&total->ns[op], &s->ns[op], times);
		for (i = 0; i < DM_BUCKETS; i++)
			stats_scale_add(&total->latency[op][i], &s->latency[op][i], times);
	}
}
