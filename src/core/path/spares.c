/* SPDX-License-Identifier: BSD-2-Clause */
/* The spare requests of a table: see spare.h. This file calls nothing of the request path. */
#include "core/path/spare.h"

#include <stdlib.h>

#include "core/world.h"

static void spare_fill(struct dm_spare *s, unsigned n)
{
	unsigned i;

	s->last = &s->first;
	for (i = 0; i < n; i++) {
		s->reqs[i].next = s->free;
		s->free = &s->reqs[i];
	}
}

struct dm_spares *dm_spares_new(const struct dm_world *w, unsigned n)
{
	struct dm_spares *all = calloc(1, sizeof(*all) + w->n_io * sizeof(all->of[0]));
	unsigned i;

	if (!all)
		return NULL;
	all->n = n;
	all->n_io = w->n_io;
	for (i = 0; i < w->n_io; i++) {
		all->of[i].reqs = malloc(n * sizeof(struct dm_req));
		if (!all->of[i].reqs) {
			dm_spares_free(all);
			return NULL;
		}
		spare_fill(&all->of[i], n);
	}
	return all;
}

void dm_spares_free(struct dm_spares *all)
{
	unsigned i;

	for (i = 0; all && i < all->n_io; i++)
		free(all->of[i].reqs);
	free(all);
}
