/* SPDX-License-Identifier: BSD-2-Clause */
/* Tours: how the control thread learns that every io thread has been back in its loop. */
#ifndef CORE_TOUR_H
#define CORE_TOUR_H

#include "base/loop.h"

struct dm_world;

/*
 * A tour: a message that comes by every io thread, one after the other, and back. Each has been back in its loop then, and
 * has nothing in hand that it took before the tour began.
 */
struct dm_tour {
	struct loop_msg msg;
	struct dm_world *world;
	unsigned at;
	void (*over)(struct dm_tour *t);	/* on the control thread */
};

void dm_tour(struct dm_world *w, struct dm_tour *t, void (*over)(struct dm_tour *t));

#endif
