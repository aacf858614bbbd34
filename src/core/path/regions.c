/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions: creating them, counting in them, removing them. See regions.h. */
#include "core/path/regions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/world.h"

#define REGION_ROOM ((size_t)256 << 20)	/* bytes of counters per region */

static bool is_write(const struct dm_req *r)
{
	return r->asked != DM_READ;
}

/* Updates the times, before the number of requests in flight changes. */
static void area_round(struct dm_area *a, uint64_t now)
{
	uint64_t ns = now - a->stamp, reads = a->inflight[DM_COUNT_READ], writes = a->inflight[DM_COUNT_WRITE];

	atomic_store_explicit(&a->stamp, now, memory_order_relaxed);
	if (reads)
		dm_stat_add(&a->busy_ns[DM_COUNT_READ], ns);
	if (writes)
		dm_stat_add(&a->busy_ns[DM_COUNT_WRITE], ns);
	if (reads + writes)
		dm_stat_add(&a->any_ns, ns);
	dm_stat_add(&a->queue_ns, ns * (reads + writes));
}

static size_t region_bucket(const struct dm_region *g, uint64_t ns)
{
	uint64_t x = g->precise ? ns : ns / 1000000;
	size_t i = 0;

	while (i < g->n_bounds && x >= g->bounds[i])
		i++;
	return i;
}

/* The part of a request in one area. END: it has ended, and took NS. */
struct region_part {
	bool write, merged, end;
	uint64_t now, ns, sectors;
};

static void area_count(const struct dm_region *g, struct dm_area *a, const struct region_part *p)
{
	area_round(a, p->now);
	if (!p->end) {
		dm_stat_add(&a->inflight[p->write], 1);
		dm_stat_add(&a->merges[p->write], p->merged);
		return;
	}
	if (a->inflight[p->write])	/* one that began before the region was created is not included */
		dm_stat_add(&a->inflight[p->write], (uint64_t)-1);
	dm_stat_add(&a->ios[p->write], 1);
	dm_stat_add(&a->sectors[p->write], p->sectors);
	dm_stat_add(&a->ns[p->write], p->ns);
	if (g->n_bounds)
		dm_stat_add(&a->histogram[region_bucket(g, p->ns)], 1);
}

static void region_count(const struct dm_region *g, unsigned io, uint64_t sector, uint64_t end, struct region_part *p)
{
	if (end <= g->start || sector >= g->end)
		return;
	sector = sector > g->start ? sector - g->start : 0;
	end = (end < g->end ? end : g->end) - g->start;
	while (sector < end) {
		size_t i = sector / g->step;
		uint64_t next = (i + 1) * g->step < end ? (i + 1) * g->step : end;

		p->sectors = next - sector;
		area_count(g, dm_region_area(g, g->areas[io], i), p);
		sector = next;
	}
}

static void regions_count(struct dm_regions *all, const struct dm_req *r, unsigned io, struct region_part *p)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		region_count(all->regions[i], io, r->sector, r->sector + r->count, p);
}

void dm_regions_begin(struct dm_lane *lane, struct dm_req *r)
{
	struct dm_regions *all = atomic_load_explicit(&lane->regions, memory_order_acquire);
	struct region_part p = { .write = is_write(r), .now = lane->io->now };
	struct dm_regions_last *last;

	if (!all || r->asked == DM_EXTENT || !r->count)
		return;
	last = &all->last[lane->io->index];
	p.merged = r->sector == last->sector && p.write == last->write;
	*last = (struct dm_regions_last){ r->sector + r->count, p.write };
	r->flags |= DM_IN_REGIONS;
	regions_count(all, r, lane->io->index, &p);
}

void dm_regions_end(struct dm_lane *lane, const struct dm_req *asked, uint64_t ns)
{
	struct dm_regions *all = atomic_load_explicit(&lane->regions, memory_order_acquire);
	struct region_part p = { .write = is_write(asked), .end = true, .now = lane->io->now, .ns = ns };

	if (all)
		regions_count(all, asked, lane->io->index, &p);
}

struct dm_region *dm_region_new(unsigned n_io, size_t n_areas, size_t n_bounds)
{
	size_t size = sizeof(struct dm_area) + (n_bounds ? (n_bounds + 1) * sizeof(uint64_t) : 0);
	struct dm_region *g;
	unsigned i;

	if (n_areas > REGION_ROOM / size / (n_io + 1))
		return NULL;
	g = calloc(1, sizeof(*g) + n_io * sizeof(g->areas[0]));
	if (!g)
		return NULL;
	g->n_io = n_io;
	g->n_areas = n_areas;
	g->area_size = size;
	g->base = calloc(n_areas, size);
	for (i = 0; i < n_io && g->base && (g->areas[i] = calloc(n_areas, size)); i++)
		;
	if (i == n_io && g->base)
		return g;
	dm_region_free(g);
	return NULL;
}

void dm_region_free(struct dm_region *g)
{
	unsigned i;

	for (i = 0; i < g->n_io; i++)
		free(g->areas[i]);
	free(g->base);
	free(g->bounds);
	free(g->program);
	free(g->aux);
	free(g);
}

static void regions_over(struct dm_tour *t)
{
	struct dm_regions *old = container(t, struct dm_regions, tour);

	if (old->gone)
		dm_region_free(old->gone);
	free(old);
}

/* GONE, which may be NULL, is no longer among ALL, and is freed. */
static void regions_set(struct dm_device *d, struct dm_regions *all, struct dm_region *gone)
{
	struct dm_regions *old = d->regions;
	unsigned i;

	d->regions = all;
	for (i = 0; i < d->world->n_io; i++)
		atomic_store_explicit(&d->lanes[i].regions, all, memory_order_release);
	if (!old)
		return;
	old->gone = gone;
	if (d->open_count)
		dm_tour(d->world, &old->tour, regions_over);
	else
		regions_over(&old->tour);
}

/* Room for N regions; 0: none is needed. */
static int regions_new(const struct dm_device *d, size_t n, struct dm_regions **out)
{
	size_t head = sizeof(struct dm_regions) + d->world->n_io * sizeof((*out)->last[0]);

	*out = n ? calloc(1, head + n * sizeof((*out)->regions[0])) : NULL;
	if (n && !*out)
		return -ENOMEM;
	if (n)
		(*out)->regions = (struct dm_region **)(void *)((uint8_t *)*out + head);
	return 0;
}

int dm_regions_room(const struct dm_device *d, struct dm_regions **room)
{
	return regions_new(d, d->regions ? d->regions->n : 0, room);
}

int dm_regions_add(struct dm_device *d, struct dm_region *g)
{
	size_t n = d->regions ? d->regions->n : 0, at = 0;
	struct dm_regions *all;

	if (regions_new(d, n + 1, &all))
		return -ENOMEM;
	while (at < n && d->regions->regions[at]->id == at)
		at++;
	g->id = (uint32_t)at;
	if (n) {
		memcpy(all->regions, d->regions->regions, at * sizeof(g));
		memcpy(all->regions + at + 1, d->regions->regions + at, (n - at) * sizeof(g));
	}
	all->regions[at] = g;
	all->n = n + 1;
	regions_set(d, all, NULL);
	return 0;
}

struct dm_region *dm_regions_find(const struct dm_device *d, uint64_t id)
{
	size_t i;

	for (i = 0; d->regions && i < d->regions->n; i++)
		if (d->regions->regions[i]->id == id)
			return d->regions->regions[i];
	return NULL;
}

void dm_regions_remove(struct dm_device *d, struct dm_region *g, struct dm_regions *room)
{
	size_t i;

	for (i = 0; i < d->regions->n; i++)
		if (d->regions->regions[i] != g)
			room->regions[room->n++] = d->regions->regions[i];
	if (room && !room->n) {
		free(room);
		room = NULL;
	}
	regions_set(d, room, g);
}

void dm_regions_drop(struct dm_device *d)
{
	size_t i;

	if (!d->regions)
		return;
	for (i = 0; i < d->regions->n; i++)
		dm_region_free(d->regions->regions[i]);
	free(d->regions);
	d->regions = NULL;
}
