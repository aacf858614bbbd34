/* SPDX-License-Identifier: BSD-2-Clause */
/* What a cache shows, and how it forgets: see cache.h; cache_link.c is how it learns. */
#include "targets/powercut/cache.h"

#include "core/path/req.h"

_Static_assert(sizeof(struct node) <= MEMORY_RECORD && sizeof(struct version) <= MEMORY_RECORD &&
	       sizeof(struct written) <= MEMORY_RECORD, "a record holds any of them");

int cache_new(struct cache *c, uint32_t unit, size_t bytes, struct err *e)
{
	*c = (struct cache){ .unit = unit, .next = 1 };
	list_init(&c->written);
	return memory_new(&c->memory, bytes, unit * DM_SECTOR, e);
}

void cache_end(struct cache *c)
{
	memory_end(&c->memory);
}

static struct version *survivor(const struct view *view, const struct node *n, uint64_t unit, uint64_t *same)
{
	struct version *v, *found = NULL;
	uint64_t best = 0, rank, run;

	for (v = n->newest; v; v = v->older) {
		rank = survive_rank(&view->draw, &v->by->is, unit);
		run = survive_same(&view->draw, &v->by->is, unit);
		*same = run < *same ? run : *same;
		found = rank > best ? v : found;
		best = rank > best ? rank : best;
	}
	return found;
}

/* The version of UNIT of N, or NULL; in *SAME for how many units of N from there on. */
static struct version *view_of(const struct view *view, const struct node *n, uint64_t unit, uint64_t *same)
{
	struct version *v = n->newest;

	*same = n->unit + n->units - unit;
	if (view->how == VIEW_SURVIVES)
		return survivor(view, n, unit, same);
	while (view->how == VIEW_UP_TO && v && v->by->is.number > view->number)
		v = v->older;
	return v;
}

/* Which version has the sector IN of the unit. */
static const struct version *holder(const struct version *v, uint32_t in)
{
	while (v && (in < v->first || in >= v->end))
		v = v->older;
	return v;
}

/* Sector IN of the one unit of N, and what follows it in the same version. */
static struct piece unit_piece(const struct cache *c, const struct version *v, uint64_t sector, uint32_t in)
{
	const struct version *h = holder(v, in);
	struct piece p = { .sector = sector, .where = h ? h->where : IN_BASE };
	uint32_t end = in + 1;

	while (end < c->unit && holder(v, end) == h)
		end++;
	p.count = end - in;
	if (p.where == IN_MEMORY)
		p.data = h->data + in * (size_t)DM_SECTOR;
	else if (p.where == IN_SPILL)
		p.at = h->place * c->unit + in;
	return p;
}

static struct piece node_piece(const struct cache *c, const struct view *view, const struct node *n, uint64_t sector)
{
	uint64_t unit = sector / c->unit, same;
	struct version *v = view_of(view, n, unit, &same);

	if (n->units == 1)
		return unit_piece(c, v, sector, (uint32_t)(sector % c->unit));
	return (struct piece){ .sector = sector, .count = (unit + same) * c->unit - sector, .where = v ? IN_ZEROS : IN_BASE };
}

struct piece cache_piece(struct cache *c, const struct view *view, uint64_t sector, uint64_t end)
{
	const struct node *n = tree_from(&c->tree, sector / c->unit);
	struct piece p = { .sector = sector, .count = end - sector, .where = IN_BASE };

	if (n && n->unit * c->unit <= sector)
		p = node_piece(c, view, n, sector);
	else if (n && n->unit * c->unit < end)
		p.count = n->unit * c->unit - sector;
	if (p.count > end - sector)
		p.count = end - sector;
	return p;
}

void cache_draw(const struct cache *c, struct survive_draw *d, enum survive_mode mode, uint64_t seed)
{
	uint64_t oldest = 0, newest = 0;

	if (c->requests) {
		oldest = container(c->written.next, struct written, node)->is.number;
		newest = container(c->written.prev, struct written, node)->is.number;
	}
	survive_draw(d, mode, seed, oldest, newest);
}

static void version_free(struct cache *c, struct version *v)
{
	if (v->where == IN_MEMORY)
		memory_give_unit(&c->memory, v->data);
	if (v->where == IN_SPILL)
		memory_give_spill(&c->memory, v, v->place);
	else
		memory_give_record(&c->memory, v);
}

void cache_give(struct cache *c, struct version *chain)
{
	struct version *next;

	for (; chain; chain = next) {
		next = chain->older;
		version_free(c, chain);
	}
}

static void written_drop(struct cache *c, struct written *w)
{
	if (--w->versions)
		return;
	list_remove(&w->node);
	memory_give_record(&c->memory, w);
	c->requests--;
}

static void versions_drop(struct cache *c, const struct node *n, struct version *v)
{
	struct version *older;

	for (; v; v = older) {
		older = v->older;
		c->sectors -= (v->end - v->first) * n->units;
		written_drop(c, v->by);
		version_free(c, v);
	}
}

static void node_drop(struct cache *c, struct node *n, uint64_t number)
{
	struct version **v = &n->newest, *old;

	while (*v && (*v)->by->is.number > number)
		v = &(*v)->older;
	old = *v;
	*v = NULL;
	versions_drop(c, n, old);
	if (n->newest)
		return;
	tree_remove(&c->tree, n);
	memory_give_record(&c->memory, n);
}

bool cache_drop(struct cache *c, uint64_t *unit, uint64_t end, uint64_t number, unsigned most)
{
	struct node *n;

	for (; most; most--) {
		n = tree_from(&c->tree, *unit);
		if (!n || n->unit >= end)
			return true;
		*unit = n->unit + n->units;
		node_drop(c, n, number);
	}
	return false;
}
