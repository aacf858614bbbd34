/* SPDX-License-Identifier: BSD-2-Clause */
/* The world's workers: see compute.h. */
#include "core/kit/compute.h"

#include "core/world.h"

int dm_compute_begin(struct dm_world *w, struct err *e)
{
	unsigned i;
	int r;

	if (w->workers)
		return 0;
	r = workers_new(&w->workers, w->n_io, e);
	for (i = 0; !r && i < w->n_io; i++)
		work_feed_init(&w->io[i].feed, w->workers, w->io[i].loop);
	return r;
}
