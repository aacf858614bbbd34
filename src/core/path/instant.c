/* SPDX-License-Identifier: BSD-2-Clause */
/* Instants: see instant.h. */
#include "core/path/instant.h"

#include "core/world.h"

static void instant_go_on(struct dm_instant *i);

static void instant_end_of_turn(struct loop_work *work)
{
	instant_go_on(container(work, struct dm_instant, work));
}

static void instant_visits(struct loop_msg *m)
{
	struct dm_instant *i = container(m, struct dm_instant, msg);

	loop_defer(i->world->io[i->at++ % i->world->n_io].loop, &i->work);
}

static void instant_done(struct loop_msg *m)
{
	struct dm_instant *i = container(m, struct dm_instant, msg);

	i->world->n_tours--;
	i->done(i);
}

static void instant_go_on(struct dm_instant *i)
{
	bool done = i->at == 2 * i->world->n_io;

	i->msg.run = done ? instant_done : instant_visits;
	loop_post(done ? i->world->loop : i->world->io[i->at % i->world->n_io].loop, &i->msg);
}

void dm_instant(struct dm_world *w, struct dm_instant *i, void (*done)(struct dm_instant *i))
{
	*i = (struct dm_instant){ .world = w, .done = done, .work.run = instant_end_of_turn };
	list_init(&i->work.node);
	w->n_tours++;
	instant_go_on(i);
}
