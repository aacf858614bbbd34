/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instant: whatever any io thread had begun before dm_instant() was called is over, and what it has ended has been told,
 * when DONE runs on the control thread. Use it where something must not be seen to end after something else, on no matter
 * which thread: first make every thread hold back what it is about to end, then let an instant pass, then let them go on.
 *
 * Two rounds through the threads, each to the end of a turn: what one of them sent to another in the first has arrived in the
 * second.
 */
#ifndef CORE_INSTANT_H
#define CORE_INSTANT_H

#include "base/loop.h"

struct dm_world;

struct dm_instant {
	struct dm_world *world;
	unsigned at;			/* threads that it has visited, in both rounds */
	struct loop_msg msg;
	struct loop_work work;
	void (*done)(struct dm_instant *i);
};

/* Control thread. I stays until DONE. */
void dm_instant(struct dm_world *w, struct dm_instant *i, void (*done)(struct dm_instant *i));

#endif
