/* SPDX-License-Identifier: BSD-2-Clause */
/* An io thread, and its free requests: see io.h. */
#include "core/path/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "core/world.h"

#define SLAB_REQS 64

struct dm_req_slab {
	struct dm_req_slab *next;
	struct dm_req reqs[SLAB_REQS];
};

/* The number of free requests grows with the load and never shrinks. */
static int io_grow(struct dm_io *io)
{
	struct dm_req_slab *slab = malloc(sizeof(*slab));
	unsigned i;

	if (!slab)
		return -ENOMEM;
	slab->next = io->slabs;
	io->slabs = slab;
	for (i = 0; i < SLAB_REQS; i++)
		dm_io_give(io, &slab->reqs[i]);
	return 0;
}

bool dm_io_stock(struct dm_io *io, unsigned n)
{
	while (io->n_free - io->n_promised < n)
		if (io_grow(io))
			return false;
	return true;
}

struct dm_req *dm_io_take(struct dm_io *io)
{
	struct dm_req *r;

	if (!dm_io_stock(io, 1))
		return NULL;
	r = io->free;
	io->free = r->next;
	io->n_free--;
	return r;
}

void dm_io_give(struct dm_io *io, struct dm_req *r)
{
	r->next = io->free;
	io->free = r;
	io->n_free++;
}

void dm_io_tick(struct dm_io *io)
{
	io->now = clock_now(io->world->clock);
}

void dm_io_turn(struct dm_io *io)
{
	uint64_t turn = loop_turn_number(io->loop);

	if (io->ticked != turn)
		dm_io_tick(io);
	io->ticked = turn;
}

static void *io_main(void *arg)
{
	struct dm_io *io = arg;

	thread_serves_disks();
	dm_io_tick(io);
	loop_run(io->loop);
	return NULL;
}

static int io_spawn(struct dm_io *io)
{
	char name[16];
	int r;

	snprintf(name, sizeof(name), "dmuse-io%u", io->index);
	r = thread_start(&io->thread, name, 0, io_main, io);
	io->started = !r;
	return r;
}

int dm_io_start(struct dm_io *io, struct dm_world *w, unsigned index, const struct dm_world_opts *o,
		struct err *e)
{
	int r;

	*io = (struct dm_io){ .world = w, .index = index, .retry_tail = &io->retry };
	r = loop_new(&io->loop, e);
	if (r)
		return r;
	loop_use_clock(io->loop, w->clock);
	loop_poll_for(io->loop, o->busy_poll);
	r = aio_new(&io->aio, io->loop, o->engine, e);
	if (r)
		return r;
	r = io_spawn(io);
	return r ? err_set(e, r, "cannot start io thread %u: %s", index, strerror(-r)) : 0;
}

void dm_io_stop(struct dm_io *io)
{
	struct dm_req_slab *slab, *next;

	if (io->started) {
		loop_stop(io->loop);
		pthread_join(io->thread, NULL);
	}
	if (io->aio)
		aio_free(io->aio);
	loop_free(io->loop);
	for (slab = io->slabs; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
}
