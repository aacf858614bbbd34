/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a device between its states. A transition is a chain of rounds and
 * flushes, one transition at a time for a device; commands that come meanwhile
 * wait in its queue. Control thread.
 */
#ifndef CORE_MOVE_H
#define CORE_MOVE_H

#include "core/command.h"
#include "core/device.h"

/*
 * Puts TABLE (NULL: keeps the active one) under D and opens it: drains first unless it is suspended, flushes what
 * the old table wrote unless C says NOFLUSH. Then calls OVER, which ends C and says whether D is still there. D has
 * taken TABLE over, but not when OVER finds an error in C's reply: then all is as it was.
 */
void dm_move_resume(struct dm_device *d, struct dm_cmd *c, struct dm_table *table,
		    bool (*over)(struct dm_device *d, struct dm_cmd *c));

/* The command that D's transition serves was given up: a drain is taken back, all else runs to its end. */
void dm_move_cancel(struct dm_device *d);

/* Every device fails what it holds and what comes with -ESHUTDOWN, now or when its transition is over. */
void dm_move_release(struct dm_world *w);

#endif
