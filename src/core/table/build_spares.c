/* SPDX-License-Identifier: BSD-2-Clause */
/* What a table reserves for the children of its requests: as many as the line that has the most. */
#include "core/path/spare.h"
#include "core/table/build.h"

static unsigned more(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

bool dm_build_spares(struct dm_build *b)
{
	struct dm_table *t = b->table;
	unsigned n = 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		n = more(n, more(t->targets[i].type->children, t->targets[i].type->flush_children));
	if (n)
		t->spares = dm_spares_new(b->world, n);
	return !n || t->spares;
}
