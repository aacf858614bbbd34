/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests in pieces: see walk.h. */
#include "targets/powercut/walk.h"

#include <errno.h>

#include "core/path/fault.h"

enum { SENDING = 1, ENDED = 2, SPILLS = 4, FLAGS = 7 };

static uint64_t walk_at(const struct dm_req *r)
{
	return (uintptr_t)r->own[1] >> 3;
}

static unsigned walk_flags(const struct dm_req *r)
{
	return (uintptr_t)r->own[1] & FLAGS;
}

static void walk_set(struct dm_req *r, uint64_t at, unsigned flags)
{
	r->own[1] = (void *)(uintptr_t)(at << 3 | flags);
}

int walk_enter(struct power *p, const struct line *l, struct dm_req *h)
{
	int verdict;

	pthread_mutex_lock(&p->lock);
	verdict = power_gate(p, l);
	if (!verdict)
		return 0;
	if (verdict == DM_HELD)
		power_hold_back(p, h);
	pthread_mutex_unlock(&p->lock);
	if (verdict != DM_HELD)
		dm_why(h->io, POWER_OFF);
	return verdict;
}

/* 0: it came back at once. DM_HELD: it will. */
static int walk_send(const struct walk *w, struct power *p, struct dm_req *r, struct dm_req *c, struct piece *x)
{
	const struct dm_at spill = { &p->spill.store, 0 };
	unsigned spills = x->where == IN_SPILL ? SPILLS : 0;
	uint64_t at = walk_at(r);

	c->flags = 0;
	c->sector = spills ? x->at : x->sector;
	c->count = x->count;
	c->data = vec_from(r->data, at << DM_SECTOR_SHIFT);
	walk_set(r, at, spills | SENDING);
	dm_send(r->io, spills ? &spill : &p->base, c);
	if (!(walk_flags(r) & ENDED)) {
		walk_set(r, at, spills);
		return DM_HELD;
	}
	walk_set(r, at, 0);
	w->came(p, x);
	return c->verdict;
}

/*
 * Goes on with R, whose child *C (or NULL: it has none yet) is not under way. DM_HELD: it is now, or is held back or waits. Else
 * the verdict on R; but if it has a child, that has to end with it.
 */
static int walk_go_on(const struct walk *w, struct power *p, const struct line *l, struct dm_req *r, struct dm_req **c)
{
	struct piece x;
	int verdict = 0;

	while (!verdict && walk_at(r) < r->count) {
		verdict = w->piece(p, l, r, *c ? *c : r, walk_at(r), &x);
		if (verdict)
			break;
		if (x.where == IN_BASE || x.where == IN_SPILL) {
			if (!*c && dm_children(r, c, 1)) {
				w->came(p, &x);
				return -ENOMEM;
			}
			verdict = walk_send(w, p, r, *c, &x);
		}
		if (!verdict)
			walk_set(r, walk_at(r) + x.count, 0);
	}
	return verdict ? verdict : w->end(p, l, r, *c ? *c : r);
}

int walk_begin(const struct walk *w, struct power *p, const struct line *l, struct dm_req *r)
{
	struct dm_req *c = NULL;
	int verdict;

	walk_set(r, 0, 0);
	verdict = walk_go_on(w, p, l, r, &c);
	if (verdict < 0)
		w->failed(p, r);
	if (!c || verdict == DM_HELD)
		return verdict;
	dm_child_end(c, verdict);
	return DM_HELD;
}

/* Its own words were those of whoever held it below. */
static void child_is_back(struct dm_req *c, int err)
{
	c->own[0] = POWER_KEEPER;
	c->verdict = err;
}

int walk_child(const struct walk *w, struct power *p, const struct line *l, struct dm_req *r, struct dm_req *c, int err)
{
	const struct piece x = { .where = walk_flags(r) & SPILLS ? IN_SPILL : IN_BASE };
	int verdict = err;

	child_is_back(c, err);
	if (walk_flags(r) & SENDING) {
		walk_set(r, walk_at(r), walk_flags(r) | ENDED);
		return DM_HELD;
	}
	w->came(p, &x);
	walk_set(r, walk_at(r) + c->count, 0);
	if (!err)
		verdict = walk_go_on(w, p, l, r, &c);
	if (verdict < 0)
		w->failed(p, r);
	return verdict;
}
