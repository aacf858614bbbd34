/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving devices between their states: create, resume, swap, suspend, remove, the world's end. Each is a plan
 * (move_plans.c), a list of phases (move_stop.c, move_start.c, move_life.c, move_freeze.c) that may take time, may fail with a
 * sentence, and are undone in reverse. A device is in one move at a time; commands that come meanwhile wait in its queue.
 * Control thread.
 */
#ifndef CORE_MOVE_H
#define CORE_MOVE_H

#include "base/text.h"
#include "core/command/command.h"
#include "core/device/device.h"

/* What D's transition is to end. DONE gets the first device; M->failed says that all is as it was. See dm_move.done. */
typedef void dm_moved(struct dm_move *m, struct dm_device *d);

/* C has only to be finished. */
void dm_move_finish(struct dm_move *m, struct dm_device *d);

/* D is not moving. TABLE (NULL: keep the active one) belongs to the move; if it fails and TABLE is in no slot, it is freed. */
void dm_move_resume(struct dm_device *d, struct dm_cmd *c, struct dm_table *table, dm_moved *done);
void dm_move_suspend(struct dm_device *d, struct dm_cmd *c, dm_moved *done);
/* D is new, has no table yet, and no front knows it. DONE may find it failed: D is freed after that. */
void dm_move_create(struct dm_device *d, struct dm_cmd *c, struct dm_table *table, dm_moved *done);
/* D, which nobody has open, and its tables go; -EBUSY if somebody opens it meanwhile. C's reply tells of D as it was. */
void dm_move_remove(struct dm_device *d, struct dm_cmd *c, dm_moved *done);

/*
 * The devices that C names (command.h) move as one: all or none. DONE is dm_finish()'s. D is the first that is moving: C
 * waits in its queue then.
 */
void dm_move_group(struct dm_cmd *c);

/*
 * All devices and disks stand still, then dm_world.hand_over() is called. C ends when that was in vain (dm_handed_back()) and all
 * is as it was. While one is moving, C waits in its queue.
 */
void dm_move_hand_over(struct dm_cmd *c);

/* C's transition is given up: it turns back as soon as the phase that is under way allows. See move_plans.c. */
void dm_move_cancel(struct dm_cmd *c);

/* Every device fails what it holds and what comes with -ESHUTDOWN, now or when its transition is over. */
void dm_move_release(struct dm_world *w);

/*
 * All devices go, from the top down, as their plan says: nothing stops it, failures are in E, the first one, and in the
 * log. DONE is called perhaps at once.
 */
void dm_move_end(struct dm_world *w, struct err *e, dm_moved *done);

/* Adds a sentence a line on what every move waits for. */
void dm_move_where(struct dm_world *w, struct text *out);

/* All devices into ORDER (dm_moving.in_order), whatever stands on others before them, the newest first among others. */
void dm_move_order(struct dm_world *w, struct list *order);
/* The same for disks as well. */
void dm_move_order_all(struct dm_world *w, struct list *order);

#endif
