/* SPDX-License-Identifier: BSD-2-Clause */
/* The versions that a recording leaves open at a cut: see survive.h. A sweep over the units at which requests begin and end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "targets/powercut/survive.h"

struct survive_past survive_past(const struct survive_op *ops, size_t n, uint64_t cut)
{
	struct survive_past p = { .cut = cut };
	size_t i;

	for (i = 0; i < n; i++)
		if (ops[i].flush && ops[i].ended < cut && ops[i].began > p.covered)
			p.covered = ops[i].began;
	return p;
}

enum survive_fate survive_fate(const struct survive_past *p, const struct survive_op *op)
{
	if (op->flush || op->began >= p->cut)
		return SURVIVE_UNBORN;
	if (op->ended < p->covered || (op->fua && op->ended < p->cut))
		return SURVIVE_DURABLE;
	return SURVIVE_OPEN;
}

/* A request begins or ends at a unit. */
struct edge {
	uint64_t unit;
	size_t version;
	bool ends, open;
};

struct sweep {
	struct survive_set *set;
	struct edge *edges;
	size_t n_edges;
	struct edge *active;		/* the requests that cover the units after the last edge, in order */
	size_t n_active;
	size_t n_versions, room;
	bool failed;
};

static int edge_before(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;

	if (a->unit != b->unit)
		return a->unit < b->unit ? -1 : 1;
	return a->version < b->version ? -1 : a->version > b->version;
}

static void sweep_add(struct sweep *w, size_t i, bool open)
{
	const struct survive_op *op = &w->set->ops[i];
	uint64_t unit = w->set->unit;

	w->edges[w->n_edges++] = (struct edge){ op->first / unit, i + 1, false, open };
	w->edges[w->n_edges++] = (struct edge){ (op->first + op->count - 1) / unit + 1, i + 1, true, open };
}

/* A durable request matters only if an older one is open: else version 0 has it. */
static void sweep_collect(struct sweep *w, size_t n, uint64_t cut)
{
	struct survive_past past = survive_past(w->set->ops, n, cut);
	struct survive_set *s = w->set;
	size_t i;

	for (i = 0; i < n; i++) {
		enum survive_fate fate = survive_fate(&past, &s->ops[i]);

		if (!s->ops[i].count || fate == SURVIVE_UNBORN || (fate == SURVIVE_DURABLE && !s->n_open))
			continue;
		sweep_add(w, i, fate == SURVIVE_OPEN);
		if (fate == SURVIVE_DURABLE)
			continue;
		if (!s->n_open++)
			s->oldest = i;
		s->newest = i;
	}
}

static void sweep_step(struct sweep *w, const struct edge *e)
{
	size_t at = w->n_active;

	while (at && w->active[at - 1].version >= e->version)
		at--;
	if (e->ends) {
		memmove(&w->active[at], &w->active[at + 1], (--w->n_active - at) * sizeof(*w->active));
	} else {
		memmove(&w->active[at + 1], &w->active[at], (w->n_active++ - at) * sizeof(*w->active));
		w->active[at] = *e;
	}
}

static size_t sweep_floor(const struct sweep *w)
{
	size_t i = w->n_active;

	while (i && w->active[i - 1].open)
		i--;
	return i;
}

static bool sweep_has_open(const struct sweep *w)
{
	size_t i;

	for (i = 0; i < w->n_active; i++)
		if (w->active[i].open)
			return true;
	return false;
}

static bool sweep_grow(struct sweep *w, size_t n)
{
	size_t room = w->room ? w->room : 64;
	size_t *more;

	while (room < w->n_versions + n)
		room *= 2;
	if (room == w->room)
		return true;
	more = realloc(w->set->versions, room * sizeof(*more));
	if (!more)
		return false;
	w->set->versions = more;
	w->room = room;
	return true;
}

/* The units from FIRST to END are alike. Where their versions are is filled in when all of them are there. */
static void sweep_span(struct sweep *w, uint64_t first, uint64_t end)
{
	size_t floor = sweep_floor(w), n = w->n_active - floor, i;

	if (first == end || !sweep_has_open(w) || w->failed)
		return;
	if (!sweep_grow(w, n)) {
		w->failed = true;
		return;
	}
	for (i = 0; i < n; i++)
		w->set->versions[w->n_versions++] = w->active[floor + i].version;
	w->set->spans[w->set->n++] = (struct survive_span){ .first = first, .units = end - first, .n = n,
							    .floor = floor ? w->active[floor - 1].version : 0 };
}

static void sweep_run(struct sweep *w)
{
	size_t i, at = 0;

	qsort(w->edges, w->n_edges, sizeof(*w->edges), edge_before);
	for (i = 0; i < w->n_edges; i++) {
		if (i)
			sweep_span(w, w->edges[i - 1].unit, w->edges[i].unit);
		sweep_step(w, &w->edges[i]);
	}
	for (i = 0; i < w->set->n; i++) {
		w->set->spans[i].versions = w->set->versions + at;
		at += w->set->spans[i].n;
	}
}

int survive_open(struct survive_set *s, const struct survive_op *ops, size_t n, uint64_t cut, uint32_t unit)
{
	struct sweep w = { .set = s };

	*s = (struct survive_set){ .ops = ops, .unit = unit };
	w.edges = malloc((2 * n + 1) * sizeof(*w.edges));
	w.active = malloc((n + 1) * sizeof(*w.active));
	s->spans = malloc((2 * n + 1) * sizeof(*s->spans));
	if (w.edges && w.active && s->spans) {
		sweep_collect(&w, n, cut);
		sweep_run(&w);
	} else {
		w.failed = true;
	}
	free(w.edges);
	free(w.active);
	if (w.failed)
		survive_close(s);
	return w.failed ? -ENOMEM : 0;
}

void survive_close(struct survive_set *s)
{
	free(s->spans);
	free(s->versions);
	*s = (struct survive_set){ .n = 0 };
}

static struct survive_req set_req(const struct survive_set *s, size_t version)
{
	const struct survive_op *op = &s->ops[version - 1];
	uint64_t first = op->first / s->unit;

	return (struct survive_req){ version - 1, first, (op->first + op->count - 1) / s->unit + 1 - first };
}

size_t survive_version(const struct survive_set *s, const struct survive_draw *d, const struct survive_span *span, uint64_t unit,
		       uint64_t *same)
{
	uint64_t best = 0, rank, run;
	size_t i, version = span->floor;

	*same = span->first + span->units - unit;
	for (i = 0; i < span->n; i++) {
		struct survive_req r = set_req(s, span->versions[i]);

		rank = survive_rank(d, &r, unit);
		run = survive_same(d, &r, unit);
		if (run < *same)
			*same = run;
		if (rank > best)
			version = span->versions[i];
		if (rank > best)
			best = rank;
	}
	return version;
}
