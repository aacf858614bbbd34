/* SPDX-License-Identifier: BSD-2-Clause */
/* What lines keep changes on any thread: see saved.h. This file knows no device, so the path of a request may call it. */
#include "core/state/saved.h"

#include "core/world.h"

void dm_saved_changed(struct dm_table *t)
{
	struct dm_world *w = t->world;

	if (atomic_exchange(&t->unsaved, true))
		return;		/* a message is on its way, or it was never recorded */
	if (!atomic_exchange(&w->records.changed_pending, true))
		loop_post(w->loop, &w->records.changed);
}
