/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes, discards and zeros become versions of units, all those of a request at once, when their data is in its place. A durable
 * one then waits for the next time that data is written back, as a flush does. The versions that a write is filling are in its
 * own[0]; the number of one that waits is in its own[1].
 */
#include <errno.h>

#include "core/path/fault.h"
#include "targets/powercut/walk.h"

static int write_full(struct dm_req *r)
{
	dm_why(r->io, "the write cache has no room for more requests that are not flushed: flush, or say `memory <size>` with more");
	return -ENOSPC;
}

/* The versions from sector AT of R on that lie in a row in the spill file. */
static int write_piece(struct power *p, const struct line *l, struct dm_req *r, struct dm_req *h, uint64_t at, struct piece *x)
{
	const struct version *v = r->own[0];
	uint64_t next;

	(void)l;
	(void)h;
	for (; at; v = v->older)
		at -= v->end - v->first;
	*x = (struct piece){ .where = IN_SPILL, .at = v->place * p->shape.unit + v->first };
	next = v->place;
	for (; v && v->place == next; v = v->older, next++)
		x->count += v->end - v->first;
	return 0;
}

static void write_came(struct power *p, const struct piece *x)
{
	(void)p;
	(void)x;
}

static void write_failed(struct power *p, struct dm_req *r)
{
	pthread_mutex_lock(&p->lock);
	cache_give(&p->cache, r->own[0]);
	pthread_mutex_unlock(&p->lock);
	r->own[0] = NULL;
}

/* With the lock. */
static int write_linked(struct power *p, struct dm_req *r, struct dm_req *h, bool *begins, bool *trips)
{
	uint64_t number;

	if (cache_link(&p->cache, power_sector(r), r->count, r->own[0], &number))
		return -ENOSPC;
	r->own[0] = NULL;
	if (!(r->flags & DM_FUA)) {
		*trips = power_wrote(p);
		return DM_DONE;
	}
	r->own[1] = (void *)(uintptr_t)number;
	*begins = back_add(p, h);
	return DM_HELD;
}

static int write_end(struct power *p, const struct line *l, struct dm_req *r, struct dm_req *h)
{
	bool begins = false, trips = false;
	struct dm_io *io = r->io;
	int verdict;

	pthread_mutex_lock(&p->lock);
	verdict = power_gate(p, l);
	if (verdict) {
		cache_give(&p->cache, r->own[0]);
		r->own[0] = NULL;
	}
	if (verdict == DM_HELD)
		power_hold_back(p, h);
	else if (!verdict)
		verdict = write_linked(p, r, h, &begins, &trips);
	pthread_mutex_unlock(&p->lock);
	if (trips)
		power_trip(p);
	if (begins)
		back_begin(p, io);
	if (verdict == -EIO)
		dm_why(io, POWER_OFF);
	return verdict == -ENOSPC ? write_full(r) : verdict;
}

const struct walk power_writes = { write_piece, write_came, write_end, write_failed };

static void write_fill(struct dm_req *r)
{
	struct vec from = r->data;
	struct version *v;

	for (v = r->own[0]; v; v = v->older) {
		size_t n = (size_t)(v->end - v->first) << DM_SECTOR_SHIFT;

		vec_get(from, v->data + ((size_t)v->first << DM_SECTOR_SHIFT), n);
		from = vec_from(from, n);
	}
}

int power_write(const struct dm_target *t, struct dm_req *r)
{
	const struct line *l = power_line(t);
	struct power *p = l->disk;
	struct version *chain = NULL;
	int verdict;

	r->own[0] = NULL;
	verdict = walk_enter(p, l, r);
	if (verdict)
		return verdict;
	if (r->op == DM_WRITE)
		verdict = cache_take(&p->cache, l->offset + r->sector, r->count, &chain);
	pthread_mutex_unlock(&p->lock);
	if (verdict)
		return write_full(r);
	r->own[0] = chain;
	if (chain && chain->where == IN_SPILL)
		return walk_begin(&power_writes, p, l, r);
	write_fill(r);
	verdict = write_end(p, l, r, r);
	if (verdict < 0)
		write_failed(p, r);
	return verdict;
}

/* What dmuse flushes for itself makes nothing durable: Linux sends nothing then. It only passes. */
int power_flush(const struct dm_target *t, struct dm_req *r)
{
	const struct line *l = power_line(t);
	struct power *p = l->disk;
	struct dm_io *io = r->io;
	bool begins;
	int verdict;

	if (r->flags & DM_OWN) {
		r->store = p->base.store;
		return DM_REMAPPED;
	}
	r->own[0] = NULL;
	verdict = walk_enter(p, l, r);
	if (verdict)
		return verdict;
	begins = back_add(p, r);
	pthread_mutex_unlock(&p->lock);
	if (begins)
		back_begin(p, io);
	return DM_HELD;
}
