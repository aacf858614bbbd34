/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of a type's own: see child.h. */
#include "core/path/child.h"

#include <errno.h>

#include "core/path/fault.h"
#include "core/path/spare.h"
#include "core/path/submit.h"

static void child_init(struct dm_req *c, struct dm_req *r)
{
	*c = (struct dm_req){ .op = r->op, .flags = r->flags & DM_SUBMITTED & ~(uint32_t)(DM_MAY_SHOW | DM_TAGS), .sector = r->sector,
			      .count = r->count, .data = r->data, .io = r->io, .began = r->io->now, .at = r->at, .parent = r,
			      .maker = r->via[r->depth] };
}

/* A child for R, one that was promised if there is any left. */
static struct dm_req *child_take(struct dm_req *r)
{
	if (r->promised) {
		r->promised--;
		r->io->n_promised--;
	}
	return dm_io_take(r->io);
}

/* It is promised to R again. */
static void child_give(struct dm_req *r, struct dm_req *c)
{
	dm_io_give(r->io, c);
	if (r->promised < r->promise) {
		r->promised++;
		r->io->n_promised++;
	}
}

/* Takes all of them, or none. */
static int children_take(struct dm_req *r, struct dm_req *c[], unsigned n)
{
	unsigned i;

	if (!dm_children_of(r->via[r->depth], r))
		r->promise = r->promised = 0;
	for (i = 0; i < n; i++) {
		c[i] = child_take(r);
		if (c[i])
			continue;
		while (i)
			child_give(r, c[--i]);
		return -ENOMEM;
	}
	return 0;
}

int dm_children(struct dm_req *r, struct dm_req *c[], unsigned n)
{
	unsigned i;

	if (children_take(r, c, n))
		return -ENOMEM;
	if (!(r->flags & DM_CHILDREN)) {
		r->flags |= DM_CHILDREN;
		r->pending = 0;
		r->rest_count = 0;
		r->err = 0;
	}
	r->pending += n;
	for (i = 0; i < n; i++)
		child_init(c[i], r);
	return 0;
}

void dm_send(struct dm_io *io, const struct dm_at *at, struct dm_req *r)
{
	r->io = io;
	r->asked = r->op;
	r->depth = 0;
	r->tracked = 0;
	r->via[0] = NULL;
	r->flags = (r->flags & DM_SUBMITTED) | DM_FROM_TARGET;
	r->store = at->store;
	if (r->op == DM_FLUSH)
		r->walk = r->count = 0;
	else
		r->sector += at->offset;
	if (!r->parent) {
		r->began = io->now;
		r->at = r->sector;
	}
	dm_enter(dm_dispatch(r), r);
}

/* The line that held R has finished: R is ended. */
static void child_parent_end(struct dm_req *r)
{
	r->flags &= ~DM_CHILDREN;
	if (dm_children_of(r->via[r->depth], r))
		dm_spares_release(r);
	if (r->err == DM_PUT_BACK) {
		dm_apply_verdict(r, DM_PUT_BACK);
		return;
	}
	r->via[r->depth] = NULL;
	dm_end(r, r->err);
}

void dm_child_end(struct dm_req *c, int err)
{
	struct dm_req *r = c->parent;

	if (err && err != DM_PUT_BACK && !(c->flags & DM_OWN) && !dm_fault_is_deferred(r))
		dm_fault(c, err);
	child_give(r, c);
	if (err && (!r->err || err == DM_PUT_BACK))
		r->err = err;
	if (--r->pending == 0)
		child_parent_end(r);
}

/* C is restored to what was sent, except for its sector: the type may send it somewhere else. */
void dm_child_ended(struct dm_req *c, int err)
{
	const struct dm_type *type = c->maker->type;

	c->op = c->asked;
	c->flags |= c->parent->flags & DM_FUA;
	if (type->child)
		err = type->child(c->maker, c->parent, c, err);
	if (err != DM_HELD)
		dm_child_end(c, err);
}

/* A request that regions record becomes a piece before its first device. */
bool dm_comes_from_above(const struct dm_req *r)
{
	while (!r->depth && r->parent && !(r->flags & DM_FROM_TARGET))
		r = r->parent;
	return r->depth || (r->flags & DM_FROM_TARGET);
}
