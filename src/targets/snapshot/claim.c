/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims: see claim.h. */
#include "targets/snapshot/claim.h"

#include <errno.h>

static void claim_search(struct claim *c);

/* --- the end of a group ------------------------------------------------------------------------------------------------- */

static void claim_unlock(struct claim *c)
{
	while (c->held) {
		struct claim_part *p = &c->part[--c->held];

		if (p->needs)
			atomic_fetch_sub(cow_unsettled(p->cow, p->cell.chunk), 1);
		cell_give(p->cow->cells, &p->cell);
	}
}

static void claim_tell(struct claim *c, int err)
{
	c->over = true;
	c->done(c, err);
}

/* A snapshot's claim goes by itself: its request may have gone on long before. */
static void claim_end(struct claim *c, int err)
{
	bool own = c->only;

	claim_unlock(c);
	if (!c->over)
		claim_tell(c, err);
	if (own)
		claim_over(c, true);
}

static void claim_next(struct claim *c)
{
	const struct cow *last = c->part[c->n - 1].cow;

	c->past = last;
	c->past_chunk = last->chunk;
	claim_unlock(c);
	claim_search(c);
}

/* --- settle ------------------------------------------------------------------------------------------------------------- */

static void claim_settled(struct epoch_wait *w)
{
	struct claim *c = container(w, struct claim, wait);

	dm_io_turn(c->io);
	if (c->only)
		claim_end(c, 0);
	else
		claim_next(c);
}

/* --- make --------------------------------------------------------------------------------------------------------------- */

static void claim_made(struct claim *c)
{
	if (c->err) {
		claim_end(c, c->err);
		return;
	}
	c->wait = (struct epoch_wait){ .done = claim_settled, .home = c->io->loop };
	if (c->only)
		claim_tell(c, 0);
	epoch_wait(c->origin->reads, &c->wait);
}

/* A snapshot that has become invalid does not concern those who write to the origin. */
static void part_made(struct cow_entry *e)
{
	struct claim_part *p = container(e, struct claim_part, entry);
	struct claim *c = p->claim;

	if (e->err && (c->only || cow_is_valid(p->cow)))
		c->err = e->err;
	if (--c->left)
		return;
	dm_io_turn(c->io);
	claim_made(c);
}

static void claim_make(struct claim *c)
{
	unsigned i, n = c->n;

	c->left = 0;
	for (i = 0; i < n; i++)
		c->left += c->part[i].needs;
	for (i = 0; i < n; i++) {
		struct claim_part *p = &c->part[i];

		if (!p->needs)
			continue;
		p->entry.done = part_made;
		p->entry.io = c->io;
		p->entry.old_chunk = p->cell.chunk;
		cow_make(p->cow, &p->entry);
	}
}

/* --- copy --------------------------------------------------------------------------------------------------------------- */

/* ERR is no failure of a disk, so nobody has lost anything. The chunks that were allocated are not used. */
static void claim_interrupted(struct claim *c, int err)
{
	c->err = err;
	claim_end(c, err);
}

/* A snapshot whose store failed has lost the chunk; if the origin did, all have. */
static void copy_failed(struct claim *c)
{
	const struct copy *copy = &c->copy;
	unsigned i;

	for (i = 0; i < c->n; i++) {
		struct claim_part *p = &c->part[i];

		if (p->needs && (copy->where == &c->origin->at || copy->where == &p->to))
			cow_invalidate(p->cow, copy->err);
	}
}

static void claim_copy(struct claim *c);

static void claim_copied(struct copy *copy)
{
	struct claim *c = container(copy, struct claim, copy);

	if (copy->err && dm_is_interrupted(copy->err)) {
		claim_interrupted(c, copy->err);
		return;
	}
	if (!copy->err) {
		claim_make(c);
		return;
	}
	copy_failed(c);
	claim_copy(c);		/* once more, for the others */
}

void claim_filled(struct claim *c, int err)
{
	if (err && dm_is_interrupted(err)) {
		claim_interrupted(c, err);
		return;
	}
	if (err)
		cow_invalidate(c->part[0].cow, err);
	claim_make(c);
}

static void claim_copy(struct claim *c)
{
	uint32_t chunk = c->part[0].cow->chunk;
	uint64_t from = c->sector & ~(uint64_t)(chunk - 1), end = atomic_load(&c->origin->sectors);
	unsigned i;

	c->copy = (struct copy){ .io = c->io, .done = claim_copied, .from = &c->origin->at, .class = COPY_WAITED, .sector = from,
				 .sectors = end > from && end - from < chunk ? end - from : chunk };
	for (i = 0; i < c->n; i++) {
		struct claim_part *p = &c->part[i];

		if (!p->needs || !p->room || !cow_is_valid(p->cow))
			continue;
		p->to = (struct dm_at){ p->cow->at.store, (p->entry.new_chunk << p->cow->shift) - from };
		c->copy.to[c->copy.n_to++] = &p->to;
	}
	if (!c->copy.n_to)
		claim_make(c);
	else if (c->fill)
		c->fill(c);
	else
		copy_start(c->origin->copier, &c->copy);
}

/* --- lock --------------------------------------------------------------------------------------------------------------- */

/* True: the claim is over, because there is no room for it, and nothing else is to happen because of that. */
static bool claim_overflows(struct claim *c, struct claim_part *p)
{
	if (p->room)
		return false;
	if (!c->only || !p->cow->words.overflows) {
		cow_invalidate(p->cow, -ENOSPC);
		return false;
	}
	cow_overflow(p->cow);
	claim_end(c, -EIO);
	return true;
}

static void part_look(struct claim_part *p)
{
	uint64_t new_chunk;

	p->needs = cow_is_valid(p->cow) && !cow_find(p->cow, p->cell.chunk, &new_chunk);
	if (!p->needs)
		return;
	atomic_fetch_add(cow_unsettled(p->cow, p->cell.chunk), 1);
	p->room = cow_allocate(p->cow, p->claim->io, &p->entry.new_chunk);
}

static void claim_locked(struct claim *c)
{
	bool any = false;
	unsigned i;

	for (i = 0; i < c->n; i++) {
		part_look(&c->part[i]);
		any |= c->part[i].needs;
	}
	for (i = 0; i < c->n; i++)
		if (c->part[i].needs && claim_overflows(c, &c->part[i]))
			return;
	if (any)
		claim_copy(c);
	else
		claim_next(c);
}

static void claim_lock(struct claim *c);

static void part_locked(struct cell *cell, enum cell_verdict v)
{
	struct claim_part *p = container(cell, struct claim_part, cell);

	(void)v;	/* nobody is turned away from these cells, and none is opened */
	dm_io_turn(p->claim->io);
	p->claim->held++;
	claim_lock(p->claim);
}

static void claim_lock(struct claim *c)
{
	while (c->held < c->n) {
		struct claim_part *p = &c->part[c->held];

		p->cell = (struct cell){ .got = part_locked, .home = c->io->loop, .chunk = cow_chunk(p->cow, c->sector) };
		if (cell_take(p->cow->cells, &p->cell) == -EINPROGRESS)
			return;
		c->held++;
	}
	claim_locked(c);
}

/* --- search ------------------------------------------------------------------------------------------------------------- */

static void part_add(struct claim *c, struct cow *cow)
{
	struct claim_part *p = &c->part[c->n++];

	p->cow = cow;
	p->claim = c;
	p->needs = p->room = false;
}

static bool cow_needs(const struct claim *c, const struct cow *cow)
{
	return cow_is_valid(cow) && !cow_has(cow, cow_chunk(cow, c->sector));
}

static bool is_next(const struct claim *c, const struct cow *cow)
{
	if (c->past && !cow_comes_before(c->past_chunk, c->past, cow->chunk, cow))
		return false;
	return !c->n || c->part[0].cow->chunk == cow->chunk;
}

static void search_set(struct claim *c)
{
	struct origin_set *s = atomic_load_explicit(&c->origin->set, memory_order_acquire);
	unsigned i;

	for (i = 0; s && i < s->n && c->n < CLAIM_PARTS; i++) {
		struct cow *cow = atomic_load_explicit(&s->at[i].cow, memory_order_acquire);

		if (cow && c->sector < s->at[i].sectors && is_next(c, cow) && cow_needs(c, cow))
			part_add(c, cow);
	}
}

static void claim_search(struct claim *c)
{
	c->n = c->held = 0;
	if (!c->only)
		search_set(c);
	else if (!c->past)
		part_add(c, c->only);
	if (c->n)
		claim_lock(c);
	else
		claim_end(c, 0);
}

/* --- the beginning and the end ------------------------------------------------------------------------------------------ */

void claim_begin(struct claim *c)
{
	c->only = NULL;
	c->fill = NULL;
	c->over = false;
	c->past = NULL;
	c->n = c->held = 0;
	c->err = 0;
	c->mark = epoch_enter(c->origin->writes, c->io);
}

void claim_start(struct claim *c)
{
	claim_search(c);
}

void claim_over(struct claim *c, bool leave)
{
	struct origin *o = c->origin;
	struct dm_io *io = c->io;
	bool mark = c->mark;

	reserve_give(o->reserve, c);
	if (leave)
		epoch_leave(o->writes, io, mark);	/* last: the origin may be gone after that */
}

void claim_got(void *o, struct dm_req *r, void *claim)
{
	const struct claim_use *use = r->own[0];
	struct claim *c = claim;

	c->origin = o;
	c->io = r->io;
	c->req = r;
	claim_begin(c);
	use->got(c);
}

int claim_take(struct origin *o, struct dm_req *r, const struct claim_use *use)
{
	void *c;

	r->own[0] = (void *)(uintptr_t)use;
	c = reserve_take(o->reserve, r);
	if (c)
		claim_got(o, r, c);
	return DM_HELD;
}
