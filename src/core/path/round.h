/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A round: the control thread asks every io thread to take a new gate (and table) for one device, and continues when
 * all have answered. A lane that shuts can answer when its last request has ended, so such a round is both the drain of
 * a suspend and the grace period after which an old table can be freed; the request path needs no lock for it.
 */
#ifndef CORE_ROUND_H
#define CORE_ROUND_H

#include "core/device/device.h"

/*
 * One at a time for each device. DRAIN: a lane answers when nothing is in flight in it. TABLE is for requests that pass
 * the gate. THEN is called on the control thread, perhaps at once.
 */
void dm_round(struct dm_device *d, enum dm_gate gate, bool drain, const struct dm_table *table,
	      void (*then)(struct dm_device *d));

/* Lets the lanes of a draining round that has not ended answer although requests are in flight. */
void dm_round_cancel_drain(struct dm_device *d);

#endif
