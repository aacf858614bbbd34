/* SPDX-License-Identifier: BSD-2-Clause */
/* Tours of the io threads: see tour.h. */
#include "core/path/tour.h"

#include "core/world.h"

static void tour_done(struct loop_msg *m)
{
	struct dm_tour *t = container(m, struct dm_tour, msg);

	t->world->n_tours--;
	t->done(t);
}

static void tour_go_on(struct loop_msg *m)
{
	struct dm_tour *t = container(m, struct dm_tour, msg);
	struct dm_world *w = t->world;

	if (t->at == w->n_io) {
		m->run = tour_done;
		loop_post(w->loop, m);
	} else {
		loop_post(w->io[t->at++].loop, m);
	}
}

void dm_tour(struct dm_world *w, struct dm_tour *t, void (*done)(struct dm_tour *t))
{
	*t = (struct dm_tour){ .msg.run = tour_go_on, .world = w, .done = done };
	w->n_tours++;
	tour_go_on(&t->msg);
}
