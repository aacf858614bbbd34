/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of devices: each counts, wakes `wait`, and is told to the fronts. They are raised by targets, from any thread, and
 * counted on the control thread: when the world's message arrives, or before the next command begins, whichever is first.
 * So whoever sees what an event came with, and asks then, sees the event. Raising needs no memory.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <stdatomic.h>

#include "base/loop.h"
#include "core/table/table.h"

struct dm_world;

/*
 * Something happened to a line of T that `wait` waits for. Any thread, any hook but dtr(). A table that is not active raises nothing,
 * as on Linux.
 */
void dm_event_raise(struct dm_table *t);

void dm_events_init(struct dm_world *w);	/* before the first table is built */

/* The rest is the control thread's. T (may be NULL) is the active table of a device from here on, or is no more. */
void dm_event_active(struct dm_table *t, bool active);

/* What was raised so far is counted. Before a device's active table becomes another. */
void dm_events_count(struct dm_world *w);

/* Is a message about events on its way? */
bool dm_events_pending(const struct dm_world *w);

#endif
