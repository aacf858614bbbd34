/* SPDX-License-Identifier: BSD-2-Clause */
/* Promised children: see spare.h. A child that has ended is promised to its parent again, until its line is done with it. */
#include "core/path/spare.h"

#include "core/path/submit.h"
#include "core/world.h"

static void promised(struct dm_req *r, unsigned n)
{
	r->promise = r->promised = (uint8_t)n;
	r->io->n_promised += n;
}

/* The spare requests go into the stock, for R. */
static void spare_take(struct dm_spare *s, struct dm_req *r)
{
	struct dm_req *c, *next;

	for (c = s->free; c; c = next) {
		next = c->next;
		dm_io_give(r->io, c);
	}
	s->free = NULL;
	s->holder = r;
}

static void spare_wait(struct dm_spare *s, struct dm_req *r)
{
	r->next = NULL;
	*s->last = r;
	s->last = &r->next;
}

static void spare_next(struct dm_spare *s);

static bool spare_promise(const struct dm_spares *all, struct dm_spare *s, struct dm_req *r, unsigned n)
{
	if (dm_io_stock(r->io, n)) {
		promised(r, n);
		spare_next(s);		/* perhaps there is enough for that one, too */
		return true;
	}
	if (s->holder) {
		spare_wait(s, r);
		return false;
	}
	spare_take(s, r);
	promised(r, all->n);
	return true;
}

bool dm_spares_promise(const struct dm_target *t, struct dm_req *r, unsigned n)
{
	struct dm_spares *all = t->table->spares;

	return spare_promise(all, &all->of[r->io->index], r, n);
}

static void spare_again(struct loop_msg *m)
{
	struct dm_req *r = container(m, struct dm_req, home);
	const struct dm_target *t = r->via[r->depth];

	dm_io_turn(r->io);
	dm_enter(r->op == DM_FLUSH ? dm_map_flush(r, t) : dm_map(r, t), r);
}

/* Whoever has waited the longest tries again. */
static void spare_next(struct dm_spare *s)
{
	struct dm_req *r = s->first;

	if (!r)
		return;
	s->first = r->next;
	if (!s->first)
		s->last = &s->first;
	r->home.run = spare_again;
	loop_post(r->io->loop, &r->home);
}

/* All of R's children have ended, so as many are in the stock as it had been promised. */
void dm_spares_release(struct dm_req *r)
{
	struct dm_spares *all = r->via[r->depth]->table->spares;
	struct dm_spare *s = &all->of[r->io->index];
	unsigned i;

	r->io->n_promised -= r->promised;
	r->promise = r->promised = 0;
	if (s->holder != r)
		return;
	s->holder = NULL;
	for (i = 0; i < all->n; i++) {
		struct dm_req *c = dm_io_take(r->io);

		c->next = s->free;
		s->free = c;
	}
	spare_next(s);
}
