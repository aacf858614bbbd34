/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions: parts of a device for which somebody wants counters, divided into areas, as in Linux's dm-stats (@stats_...
 * messages). A request to a device with regions continues as a piece, whose parent keeps the original range; devices
 * without regions pay one comparison. Each io thread counts for itself.
 */
#ifndef CORE_REGIONS_H
#define CORE_REGIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "core/path/req.h"
#include "core/path/tour.h"

struct dm_cmd;
struct dm_device;
struct dm_lane;

enum { DM_COUNT_READ, DM_COUNT_WRITE, DM_COUNTS };

/* What one io thread has counted in one area; times in nanoseconds. */
struct dm_area {
	_Atomic uint64_t ios[DM_COUNTS], merges[DM_COUNTS], sectors[DM_COUNTS], ns[DM_COUNTS];
	_Atomic uint64_t busy_ns[DM_COUNTS];	/* with such requests in flight */
	_Atomic uint64_t any_ns, queue_ns;	/* with any in flight; the same times their number */
	_Atomic uint64_t inflight[DM_COUNTS], stamp;
	_Atomic uint64_t histogram[];		/* n_bounds + 1, if there are any */
};

struct dm_region {
	uint32_t id;
	uint64_t start, end, step;		/* sectors */
	size_t n_areas, area_size;
	bool leaving;				/* it is being removed, and not recorded any more */
	bool precise;				/* times are printed in nanoseconds, else in milliseconds */
	char *program, *aux;
	uint64_t *bounds;			/* of the histogram, ascending, in the printed unit */
	size_t n_bounds;
	uint8_t *base;				/* areas: the counters' values when they were cleared */
	unsigned n_io;
	uint8_t *areas[];			/* one for each io thread */
};

/* The regions of a device as its lanes see them; immutable. */
struct dm_regions {
	struct dm_tour tour;			/* the device has newer ones: until no io thread uses these any more */
	struct dm_region *gone;			/* freed with them, or NULL */
	size_t n;
	struct dm_region **regions;		/* by id */
	struct dm_regions_last { uint64_t sector; bool write; } last[];	/* for each io thread: for counting merged requests */
};

static inline struct dm_area *dm_region_area(const struct dm_region *g, uint8_t *areas, size_t i)
{
	return (struct dm_area *)(void *)(areas + i * g->area_size);
}

/* On R's io thread: it passes LANE, and later has ended. */
void dm_regions_begin(struct dm_lane *lane, struct dm_req *r);
void dm_regions_end(struct dm_lane *lane, const struct dm_req *asked, uint64_t ns);

/* On the control thread. G is filled in by its creator: 0, or -ENOMEM with no effect. */
struct dm_region *dm_region_new(unsigned n_io, size_t n_areas, size_t n_bounds);
void dm_region_free(struct dm_region *g);
int dm_regions_add(struct dm_device *d, struct dm_region *g);	/* gives it the lowest free id */
struct dm_region *dm_regions_find(const struct dm_device *d, uint64_t id);
/*
 * Memory for dm_regions_remove(), of a region that is there now or is added next, so that it cannot fail once that is recorded. The
 * caller frees it if he does not remove any.
 */
int dm_regions_room(const struct dm_device *d, struct dm_regions **room);
void dm_regions_remove(struct dm_device *d, struct dm_region *g, struct dm_regions *room);
void dm_regions_drop(struct dm_device *d);	/* nobody has D open */

/*
 * Prints the sum of all threads' counters for area I since they were cleared, in the format of the message; and clears
 * them.
 */
void dm_region_print(struct dm_region *g, size_t i, struct text *out);
void dm_region_clear(struct dm_region *g, size_t i);

/* do_stats_message.c: carries out a message that begins with @: 0, or -errno and a sentence. */
int dm_regions_message(struct dm_cmd *cmd, struct dm_device *d, int argc, char **argv, struct text *out, struct err *e);

#endif
