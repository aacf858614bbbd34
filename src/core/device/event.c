/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting what targets raise: see event.h. */
#include "core/device/event.h"

#include "core/device/devices.h"
#include "core/world.h"

static void events_of(struct dm_device *d)
{
	uint32_t raised = d->active ? atomic_exchange(&d->active->raised, 0) : 0;

	if (!raised)
		return;
	d->event_nr += raised - 1;
	dm_device_event(d);
}

void dm_events_count(struct dm_world *w)
{
	struct list *n, *next;

	if (!atomic_load(&w->events.raised))
		return;
	atomic_store(&w->events.raised, false);
	list_each(n, next, &w->devices)
		events_of(container(n, struct dm_device, node));
}

/* What is raised from here on sends another message. */
static void events_msg(struct loop_msg *m)
{
	struct dm_world *w = container(m, struct dm_world, events.msg);

	atomic_store(&w->events.msg_pending, false);
	dm_events_count(w);
}

void dm_event_raise(const struct dm_target *t)
{
	struct dm_table *table = t->table;
	struct dm_world *w = table->world;

	if (!atomic_load(&table->is_active))
		return;
	atomic_fetch_add(&table->raised, 1);
	atomic_store(&w->events.raised, true);
	if (atomic_exchange(&w->events.msg_pending, true))
		return;
	w->events.msg.run = events_msg;
	loop_post(w->loop, &w->events.msg);
}

/* What came too late to be counted for the device is not counted for the next one. */
void dm_event_active(struct dm_table *t, bool active)
{
	if (!t)
		return;
	atomic_store(&t->is_active, active);
	atomic_store(&t->raised, 0);
}

bool dm_events_pending(const struct dm_world *w)
{
	return atomic_load(&w->events.msg_pending);
}
