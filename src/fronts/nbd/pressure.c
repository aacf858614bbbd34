/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory pressure: the requests of all clients share a limited amount of memory (base/pool.h).
 *
 * A client with requests in flight gets more memory only while it has less than is left, so that many greedy clients
 * leave something for the next one; it continues when its own requests are answered. A client without requests waits
 * here until others free memory. If one waits for long, clients are disconnected that have neither read their answers
 * nor sent their data for as long.
 */
#include "base/log.h"
#include "fronts/nbd/server.h"

#define PRESSURE_PATIENCE (10 * TIMERS_SECOND)

/* False: C has to wait. SIZE: bytes of data of the request that it wants to begin. */
bool nbd_pressure_may(struct nbd_conn *c, size_t size)
{
	struct pool *pool = &c->nio->pool;

	if (c->n_reqs && (c->n_bytes + size > NBD_MAX_BYTES || c->n_bytes + size > budget_left(&pool->memory->budget)))
		return false;
	if (pool_ready(pool, size))
		return true;
	if (c->n_reqs)
		return false;
	nbd_pressure_wait(c);
	if (pool_ready(pool, size)) {	/* memory was freed before it was known that we wait */
		nbd_pressure_end(c);
		return true;
	}
	pool_shrink(pool);		/* what it has got for this would be there for nobody, and be fed to us for ever */
	return false;
}

void nbd_pressure_wait(struct nbd_conn *c)
{
	struct nbd_io *nio = c->nio;

	if (list_empty(&nio->starved)) {
		atomic_fetch_add(&nio->pool.memory->starved, 1);
		nbd_pressure_feed(nio->nbd);	/* with what is idle in the pools of all threads */
	}
	if (list_empty(&c->starved))
		list_append(&nio->starved, &c->starved);
	if (!timer_is_on(&nio->pressure))
		loop_timer(nio->io->loop, &nio->pressure, PRESSURE_PATIENCE);
}

void nbd_pressure_end(struct nbd_conn *c)
{
	struct nbd_io *nio = c->nio;

	if (list_empty(&c->starved))
		return;
	list_remove(&c->starved);
	if (list_empty(&nio->starved))
		atomic_fetch_sub(&nio->pool.memory->starved, 1);
}

/* Each thread gives what it does not use. Those who wait try again, and wait again if they must. */
static void pressure_fed(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, fed);
	struct list *pos, *next;

	atomic_store(&nio->feeding, false);
	if (atomic_load(&nio->pool.memory->starved) && pool_shrink(&nio->pool))
		nbd_pressure_feed(nio->nbd);
	list_each(pos, next, &nio->starved)
		nbd_conn_wake(container(pos, struct nbd_conn, starved));
}

void nbd_pressure_feed(struct nbd *n)
{
	unsigned i;

	for (i = 0; i < n->world->n_io; i++)
		if (!atomic_exchange(&n->ios[i].feeding, true)) {
			n->ios[i].fed.run = pressure_fed;
			loop_post(n->ios[i].io->loop, &n->ios[i].fed);
		}
}

/*
 * Does C occupy memory because its client neither reads nor sends? What waits in a suspended device is not the client's
 * fault.
 */
static bool pressure_is_stuck(const struct nbd_conn *c)
{
	return c->n_bytes && (c->out_full || c->filling) && c->nio->io->now - c->moved >= PRESSURE_PATIENCE;
}

static void pressure_cull(struct loop_msg *msg)
{
	struct nbd_io *nio = container(msg, struct nbd_io, cull);
	struct list *pos, *next;

	atomic_store(&nio->culling, false);
	dm_io_tick(nio->io);
	list_each(pos, next, &nio->conns) {
		struct nbd_conn *c = container(pos, struct nbd_conn, node);

		if (pressure_is_stuck(c))
			nbd_conn_reject(c, "idle for %u seconds while others wait for the memory that it holds",
					(unsigned)(PRESSURE_PATIENCE / TIMERS_SECOND));
	}
}

static void pressure_lasts(struct timer *t)
{
	struct nbd_io *nio = container(t, struct nbd_io, pressure);
	struct nbd *n = nio->nbd;
	unsigned i;

	if (list_empty(&nio->starved))
		return;
	loop_timer(nio->io->loop, t, PRESSURE_PATIENCE / 4);	/* others may get stuck soon */
	for (i = 0; i < n->world->n_io; i++)
		if (!atomic_exchange(&n->ios[i].culling, true)) {
			n->ios[i].cull.run = pressure_cull;
			loop_post(n->ios[i].io->loop, &n->ios[i].cull);
		}
}

void nbd_pressure_init(struct nbd_io *nio)
{
	list_init(&nio->starved);
	timer_init(&nio->pressure, pressure_lasts);
}
