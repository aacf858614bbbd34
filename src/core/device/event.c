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

void dm_events_init(struct dm_world *w)
{
	w->events.msg.run = events_msg;
}
