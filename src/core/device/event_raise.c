/* SPDX-License-Identifier: BSD-2-Clause */
/* Raising events on any thread: see event.h. This file knows no device, so the path of a request may call it. */
#include "core/device/event.h"

#include "core/world.h"

void dm_event_raise(struct dm_table *t)
{
	struct dm_world *w = t->world;

	if (!atomic_load(&t->is_active))
		return;
	atomic_fetch_add(&t->raised, 1);
	atomic_store(&w->events.raised, true);
	if (atomic_exchange(&w->events.msg_pending, true))
		return;
	loop_post(w->loop, &w->events.msg);
}

/* What came too late to be counted for the device is not counted for the next one. */
void dm_event_active(struct dm_table *t, bool active)
{
	if (!t)
		return;
	if (active)
		atomic_store(&t->raised, 0);	/* before the first one that counts */
	atomic_store(&t->is_active, active);
}

bool dm_events_pending(const struct dm_world *w)
{
	return atomic_load(&w->events.msg_pending);
}
