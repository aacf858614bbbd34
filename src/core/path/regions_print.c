/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of an area: the sum over all io threads, minus the values when they were cleared. */
#include <inttypes.h>
#include <string.h>

#include "core/path/regions.h"
#include "core/path/stats.h"

/* An area is an array of counters; `inflight` and `stamp` are not among them. */
#define AREA_COUNTERS (offsetof(struct dm_area, inflight) / sizeof(uint64_t))

static const _Atomic uint64_t *area_counter(const struct dm_region *g, const struct dm_area *a, size_t i)
{
	(void)g;
	return i < AREA_COUNTERS ? &a->ios[0] + i : &a->histogram[i - AREA_COUNTERS];
}

static size_t area_counters(const struct dm_region *g)
{
	return AREA_COUNTERS + (g->n_bounds ? g->n_bounds + 1 : 0);
}

static uint64_t counter_sum(const struct dm_region *g, size_t area, size_t i)
{
	uint64_t sum = 0;
	unsigned io;

	for (io = 0; io < g->n_io; io++)
		sum += *area_counter(g, dm_region_area(g, g->areas[io], area), i);
	return sum;
}

static uint64_t counter_now(const struct dm_region *g, size_t area, const _Atomic uint64_t *field)
{
	const struct dm_area *base = dm_region_area(g, g->base, area);
	size_t i = field >= base->histogram ? AREA_COUNTERS + (size_t)(field - base->histogram)
					    : (size_t)(field - &base->ios[0]);

	return counter_sum(g, area, i) - *field;
}

static uint64_t inflight_now(const struct dm_region *g, size_t area)
{
	uint64_t sum = 0;
	unsigned io;

	for (io = 0; io < g->n_io; io++) {
		const struct dm_area *a = dm_region_area(g, g->areas[io], area);

		sum += a->inflight[DM_COUNT_READ] + a->inflight[DM_COUNT_WRITE];
	}
	return sum;
}

void dm_region_print(struct dm_region *g, size_t i, struct text *out)
{
	const struct dm_area *b = dm_region_area(g, g->base, i);
	uint64_t unit = g->precise ? 1 : 1000000;
	size_t n;

	text_printf(out, "%" PRIu64 "+%" PRIu64, g->start + i * g->step, g->step);	/* also for the last one */
	for (n = 0; n < DM_COUNTS; n++)
		text_printf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, counter_now(g, i, &b->ios[n]),
			    counter_now(g, i, &b->merges[n]), counter_now(g, i, &b->sectors[n]),
			    counter_now(g, i, &b->ns[n]) / unit);
	text_printf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, inflight_now(g, i),
		    counter_now(g, i, &b->any_ns) / unit, counter_now(g, i, &b->queue_ns) / unit,
		    counter_now(g, i, &b->busy_ns[DM_COUNT_READ]) / unit,
		    counter_now(g, i, &b->busy_ns[DM_COUNT_WRITE]) / unit);
	for (n = 0; g->n_bounds && n <= g->n_bounds; n++)
		text_printf(out, "%c%" PRIu64, n ? ':' : ' ', counter_now(g, i, &b->histogram[n]));
	text_add(out, "\n");
}

void dm_region_clear(struct dm_region *g, size_t i)
{
	struct dm_area *base = dm_region_area(g, g->base, i);
	size_t n;

	for (n = 0; n < area_counters(g); n++)
		*(_Atomic uint64_t *)area_counter(g, base, n) = counter_sum(g, i, n);
}
