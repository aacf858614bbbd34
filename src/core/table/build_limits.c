/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits of a table being built: what its stores can do, and which request sizes its lines prefer. */
#include "core/table/build.h"

void dm_build_stack(struct dm_build *b, struct dm_build_word *w)
{
	struct dm_limits l = w->store->limits;

	if (b->type->hints)
		l.io_min = l.io_opt = l.chunk = 0;
	else
		w->asked = true;
	dm_limits_stack(&b->table->limits, &l);
}

void dm_build_hints(struct dm_build *b)
{
	struct dm_table *t = b->table;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->targets[i].type->hints) {
			struct dm_limits hints = dm_limits_default;

			t->targets[i].type->hints(&t->targets[i], &hints);
			dm_limits_stack(&t->limits, &hints);
			t->limits.tags = t->n == 1 ? hints.tags : 0;	/* they pass no other line */
		}
}
