/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads, and the question where data is. What a piece shows is looked up when it is its turn, so it is never older than what was
 * written when the read began.
 */
#include "targets/powercut/walk.h"

#define AT_ONCE 256u		/* sectors that are copied under the lock at a time */

static const struct view newest = { .how = VIEW_NEWEST };

static int read_piece(struct power *p, const struct line *l, struct dm_req *r, struct dm_req *h, uint64_t at, struct piece *x)
{
	uint64_t sector = l->offset + r->sector + at, end = l->offset + r->sector + r->count;
	struct vec to = vec_from(r->data, at << DM_SECTOR_SHIFT);
	int verdict = walk_enter(p, l, h);

	if (verdict)
		return verdict;
	*x = cache_piece(&p->cache, &newest, sector, end);
	if (x->where == IN_MEMORY && x->count > AT_ONCE)
		x->count = AT_ONCE;
	if (x->where == IN_MEMORY)
		vec_put(to, x->data, x->count << DM_SECTOR_SHIFT);
	else if (x->where == IN_SPILL)
		memory_read_spill(&p->cache.memory);
	pthread_mutex_unlock(&p->lock);
	if (x->where == IN_ZEROS)
		vec_zero(to, x->count << DM_SECTOR_SHIFT);
	return 0;
}

static void read_came(struct power *p, const struct piece *x)
{
	if (x->where != IN_SPILL)
		return;
	pthread_mutex_lock(&p->lock);
	memory_spill_read(&p->cache.memory);
	pthread_mutex_unlock(&p->lock);
}

/* The power may have gone since the last piece was read. */
static int read_end(struct power *p, const struct line *l, struct dm_req *r, struct dm_req *h)
{
	int verdict = walk_enter(p, l, h);

	(void)r;
	if (!verdict)
		pthread_mutex_unlock(&p->lock);
	return verdict;
}

static void read_failed(struct power *p, struct dm_req *r)
{
	(void)p;
	(void)r;
}

const struct walk power_reads = { read_piece, read_came, read_end, read_failed };

int power_read(const struct dm_target *t, struct dm_req *r)
{
	const struct line *l = power_line(t);

	r->own[0] = NULL;
	return walk_begin(&power_reads, l->disk, l, r);
}

/* What is in the cache is data; the disk below knows the rest. */
int power_extent(const struct dm_target *t, struct dm_req *r)
{
	const struct line *l = power_line(t);
	struct power *p = l->disk;
	uint64_t sector = l->offset + r->sector;
	struct piece x;
	int verdict;

	r->own[0] = NULL;
	verdict = walk_enter(p, l, r);
	if (verdict)
		return verdict;
	x = cache_piece(&p->cache, &newest, sector, sector + r->count);
	pthread_mutex_unlock(&p->lock);
	r->count = x.count;
	return x.where == IN_BASE ? dm_remap(r, &p->base, sector) : DM_DONE;
}
