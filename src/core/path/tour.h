/* SPDX-License-Identifier: BSD-2-Clause */
/* Tours: how the control thread knows that every io thread has returned to its loop. */
#ifndef CORE_TOUR_H
#define CORE_TOUR_H

#include "base/loop.h"

struct dm_world;

/*
 * A tour: a message that visits every io thread, one after the other, and comes back. By then each has returned to its
 * loop, and no longer uses anything that it obtained before the tour began.
 */
struct dm_tour {
	struct loop_msg msg;
	struct dm_world *world;
	unsigned at;
	void (*done)(struct dm_tour *t);	/* on the control thread */
};

void dm_tour(struct dm_world *w, struct dm_tour *t, void (*done)(struct dm_tour *t));

#endif
