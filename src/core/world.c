/* SPDX-License-Identifier: BSD-2-Clause */
/* A world's beginning and end: see world.h. */
#include "core/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/device/devices.h"
#include "core/device/event.h"
#include "core/command/do.h"
#include "core/device/move.h"
#include "core/state/done.h"
#include "core/table/closing.h"
#include "core/table/nameless.h"

static int world_start_io(struct dm_world *w, const struct dm_world_opts *o, struct err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = o->io_threads ? o->io_threads : cpus > 0 ? (unsigned)cpus : 1;
	int r;

	w->io = calloc(n, sizeof(*w->io));
	if (!w->io)
		return err_set(e, -ENOMEM, "no memory for %u io threads", n);
	while (w->n_io < n) {
		r = dm_io_start(&w->io[w->n_io], w, w->n_io, o, e);
		w->n_io++;
		if (r)
			return r;
	}
	return 0;
}

int dm_world_new(struct dm_world **out, const struct dm_world_opts *o, struct err *e)
{
	struct dm_world *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_set(e, -ENOMEM, "no memory for a world");
	w->loop = o->loop;
	w->clock = o->clock ? o->clock : &clock_monotonic;
	loop_use_clock(w->loop, w->clock);
	w->types = o->types;
	w->store_types = o->store_types;
	w->major = o->major ? o->major : DM_MAJOR;
	list_init(&w->devices);
	list_init(&w->disks);
	list_init(&w->stores);
	list_init(&w->openings);
	list_init(&w->closings);
	list_init(&w->closing_waits);
	list_init(&w->pending);
	w->open_timeout = o->open_timeout * TIMERS_SECOND;
	list_init(&w->fronts);
	list_init(&w->retiring);
	list_init(&w->closed);
	pthread_mutex_init(&w->names, NULL);
	dm_records_init(w);
	w->end_seconds = DM_END_SECONDS;
	list_init(&w->finished);
	list_init(&w->finishing.node);
	w->finishing.run = dm_run_finished;
	dm_events_init(w);
	r = blocking_new(&w->helpers, w->loop, e);
	if (!r)
		r = world_start_io(w, o, e);
	if (r) {
		dm_world_free(w);
		return r;
	}
	*out = w;
	return 0;
}

void dm_world_release(struct dm_world *w)
{
	dm_move_release(w);
}

struct dm_front *dm_front_next(const struct dm_world *w, unsigned *asked)
{
	struct list *n = w->fronts.next;
	unsigned i;

	for (i = 0; i < *asked && n != &w->fronts; i++)
		n = n->next;
	if (n == &w->fronts)
		return NULL;
	++*asked;
	return container(n, struct dm_front, node);
}

void dm_world_free(struct dm_world *w)
{
	unsigned i;

	dm_closings_end(w);
	dm_nameless_end(w);
	blocking_free(w->helpers);
	workers_free(w->workers);
	for (i = 0; i < w->n_io; i++)
		dm_io_stop(&w->io[i]);
	dm_dones_free(w);
	free(w->store_index.buckets);
	free(w->io);
	pthread_mutex_destroy(&w->names);
	free(w);
}
