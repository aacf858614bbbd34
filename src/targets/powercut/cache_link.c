/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a cache learns of a request: see cache.h. Nodes are cut first so that the request covers whole ones, which changes
 * nothing that can be seen; then it is known how many records are needed, and from there on nothing fails.
 */
#include <errno.h>

#include "targets/powercut/cache.h"
#include "core/path/req.h"

/* A run of sectors, in units. */
struct span {
	uint64_t first, end;		/* units that it covers, perhaps in part */
	uint32_t head, tail;		/* sectors of the first unit before it; of the last one up to its end */
};

static struct span span_of(const struct cache *c, uint64_t sector, uint64_t count)
{
	uint64_t last = sector + count - 1;

	return (struct span){ sector / c->unit, last / c->unit + 1, (uint32_t)(sector % c->unit), (uint32_t)(last % c->unit) + 1 };
}

static uint32_t span_first(const struct span *s, uint64_t unit)
{
	return unit == s->first ? s->head : 0;
}

static uint32_t span_end(const struct span *s, const struct cache *c, uint64_t unit)
{
	return unit + 1 == s->end ? s->tail : c->unit;
}

static struct version *version_new(struct cache *c, bool spills)
{
	struct version *v = memory_record(&c->memory);

	if (!v)
		return NULL;
	*v = (struct version){ .where = spills ? IN_SPILL : IN_MEMORY };
	if (spills)
		v->place = memory_spill(&c->memory);
	else
		v->data = memory_unit(&c->memory);
	return v;
}

int cache_take(struct cache *c, uint64_t sector, uint64_t count, struct version **chain)
{
	struct span s = span_of(c, sector, count);
	bool spills = !memory_has_units(&c->memory, s.end - s.first);
	struct version **last = chain;
	uint64_t unit;

	*chain = NULL;
	for (unit = s.first; unit < s.end; unit++) {
		struct version *v = version_new(c, spills);

		if (!v) {
			cache_give(c, *chain);
			return -ENOSPC;
		}
		v->first = span_first(&s, unit);
		v->end = span_end(&s, c, unit);
		*last = v;
		last = &v->older;
	}
	return 0;
}

/* N is cut in two at UNIT. Nodes of many units have versions without data, which are cheap to copy. */
static int node_cut(struct cache *c, struct node *n, uint64_t unit)
{
	struct node *right;
	struct version *v, **to;
	size_t need = 1;

	for (v = n->newest; v; v = v->older)
		need++;
	if (!memory_has(&c->memory, need))
		return -ENOSPC;
	right = memory_record(&c->memory);
	*right = (struct node){ .unit = unit, .units = n->unit + n->units - unit };
	n->units = unit - n->unit;
	for (v = n->newest, to = &right->newest; v; v = v->older, to = &(*to)->older) {
		*to = memory_record(&c->memory);
		**to = *v;
		v->by->versions++;
	}
	tree_add(&c->tree, right);
	return 0;
}

static int cut_at(struct cache *c, uint64_t unit)
{
	struct node *n = tree_from(&c->tree, unit);

	return n && n->unit < unit ? node_cut(c, n, unit) : 0;
}

/* The unit has a node to itself, or none. */
static int cut_out(struct cache *c, uint64_t unit)
{
	int r = cut_at(c, unit);

	return r ? r : cut_at(c, unit + 1);
}

/* The units that zeros cover as a whole. */
static struct span whole_of(const struct cache *c, const struct span *s)
{
	struct span w = { .first = s->first + (s->head > 0), .end = s->end - (s->tail < c->unit) };

	if (w.first > w.end)
		w.end = w.first;
	return w;
}

static bool in_whole(const struct span *w, uint64_t unit)
{
	return unit >= w->first && unit < w->end;
}

static int cut_for(struct cache *c, const struct span *s, const struct span *whole)
{
	uint64_t unit;
	int r = 0;

	for (unit = s->first; !r && unit < s->end; unit++) {
		if (in_whole(whole, unit)) {
			r = cut_at(c, unit);
			r = r ? r : cut_at(c, whole->end);
			unit = whole->end - 1;
		} else {
			r = cut_out(c, unit);
		}
	}
	return r;
}

/* Records for a node and a version at most of each run of units that are in one node or in none. */
static size_t records_for(const struct cache *c, const struct span *s, const struct span *whole)
{
	size_t n = 1 + 2 * (s->end - s->first - (whole->end - whole->first));
	uint64_t unit = whole->first;

	while (unit < whole->end) {
		const struct node *node = tree_from(&c->tree, unit);

		n += 4;		/* what is before it, and itself */
		unit = node ? node->unit + node->units : whole->end;
	}
	return n;
}

static struct node *node_at(struct cache *c, uint64_t unit, uint64_t units)
{
	struct node *n = tree_from(&c->tree, unit);

	if (n && n->unit == unit)
		return n;
	n = memory_record(&c->memory);
	*n = (struct node){ .unit = unit, .units = units };
	tree_add(&c->tree, n);
	return n;
}

static void put(struct cache *c, struct node *n, struct version *v, struct written *by)
{
	v->older = n->newest;
	n->newest = v;
	v->by = by;
	by->versions++;
	c->sectors += (v->end - v->first) * n->units;
}

static void put_zeros(struct cache *c, struct node *n, uint32_t first, uint32_t end, struct written *by)
{
	struct version *v = memory_record(&c->memory);

	*v = (struct version){ .where = IN_ZEROS, .first = first, .end = end };
	put(c, n, v, by);
}

/* The units from FIRST to END: nodes that are there, and one in each gap. */
static void zero_whole(struct cache *c, const struct span *whole, struct written *by)
{
	uint64_t unit = whole->first, end;
	struct node *n;

	for (; unit < whole->end; unit = n->unit + n->units) {
		n = tree_from(&c->tree, unit);
		end = n && n->unit < whole->end ? n->unit : whole->end;
		if (!n || n->unit > unit)
			n = node_at(c, unit, end - unit);
		put_zeros(c, n, 0, c->unit, by);
	}
}

static void zero_all(struct cache *c, const struct span *s, const struct span *whole, struct written *by)
{
	uint64_t unit;

	zero_whole(c, whole, by);
	for (unit = s->first; unit < s->end; unit++) {
		if (in_whole(whole, unit))
			unit = whole->end - 1;
		else
			put_zeros(c, node_at(c, unit, 1), span_first(s, unit), span_end(s, c, unit), by);
	}
}

static void put_all(struct cache *c, const struct span *s, struct version *chain, struct written *by)
{
	struct version *next;
	uint64_t unit;

	for (unit = s->first; unit < s->end; unit++, chain = next) {
		next = chain->older;
		put(c, node_at(c, unit, 1), chain, by);
	}
}

static struct written *written_new(struct cache *c, const struct span *s)
{
	struct written *w = memory_record(&c->memory);

	*w = (struct written){ .is = { c->next++, s->first, s->end - s->first } };
	list_append(&c->written, &w->node);
	c->requests++;
	return w;
}

int cache_link(struct cache *c, uint64_t sector, uint64_t count, struct version *chain, uint64_t *number)
{
	struct span s = span_of(c, sector, count), whole = { .first = s.end, .end = s.end };
	struct written *by;

	if (!chain)
		whole = whole_of(c, &s);
	if (cut_for(c, &s, &whole) || !memory_has(&c->memory, records_for(c, &s, &whole)))
		return -ENOSPC;
	by = written_new(c, &s);
	*number = by->is.number;
	if (chain)
		put_all(c, &s, chain, by);
	else
		zero_all(c, &s, &whole, by);
	return 0;
}
