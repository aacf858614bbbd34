/* SPDX-License-Identifier: BSD-2-Clause */
/* See client.h. */
#include "checker/client.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "checker/found.h"
#include "stack/types.h"

void client_init(struct client *c, unsigned number, struct model_area *areas, unsigned n_areas, unsigned own)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->number = number;
	c->areas = areas;
	c->n_areas = n_areas;
	c->own = &areas[own];
	atomic_store(&c->stopped, true);
}

/* The last ones only some ways know: NBD has no extents here, a file no discards. */
static enum dm_op client_op(const struct client *c)
{
	static const enum dm_op ops[] = { DM_WRITE, DM_WRITE, DM_WRITE, DM_WRITE, DM_ZEROES, DM_READ, DM_READ, DM_READ, DM_READ, DM_READ,
					  DM_FLUSH, DM_FLUSH, DM_DISCARD, DM_EXTENT };
	static const unsigned unknown[] = { [CLIENT_INSIDE] = 0, [CLIENT_NBD] = 1, [CLIENT_FILE] = 2 };
	unsigned n = sizeof(ops) / sizeof(ops[0]) - unknown[c->way];

	return c->reads_only ? ops[5 + types_random(7)] : ops[types_random(n)];
}

static void client_look(struct client *c)
{
	unsigned i;

	if (c->op != DM_FLUSH)
		model_see(c->area, &c->views[0]);
	else
		for (i = 0; i < c->n_areas; i++)
			model_see(&c->areas[i], &c->views[i]);
}

static bool client_changes(const struct client *c)
{
	return c->op == DM_WRITE || dm_op_is_range(c->op);
}

/* fallocate(2) cannot say it. */
static bool may_be_fua(const struct client *c)
{
	return client_changes(c) && (c->op == DM_WRITE || c->way != CLIENT_FILE);
}

void client_choose(struct client *c)
{
	c->op = client_op(c);
	c->area = c->op == DM_READ && !types_random(3) ? &c->areas[types_random(c->n_areas)] : c->own;
	c->first = types_random(AREA);
	c->n = 1 + types_random(AREA - c->first);
	c->fua = may_be_fua(c) && !types_random(4);
	memset(c->data, 0xee, sizeof(c->data));
	client_look(c);
	if (client_changes(c))
		model_begin(c->own, c->op, c->first, c->n, c->data);
	atomic_store(&c->since, clock_now(&clock_monotonic));
}

static void client_read(struct client *c)
{
	static const char *const ways[] = { [CLIENT_INSIDE] = "", [CLIENT_NBD] = " over NBD", [CLIENT_FILE] = " as a file" };
	char who[96];

	snprintf(who, sizeof(who), "client %u reads %s%s", c->number, c->volume, ways[c->way]);
	if (model_check(c->area, &c->views[0], c->first, c->n, c->data, who) && c->area == c->own)
		model_settle(c->own, c->first, c->n, c->data);
}

void client_answered(struct client *c, int err)
{
	unsigned i;

	if (!atomic_exchange(&c->since, 0))
		found("client %u on %s: a request was answered twice", c->number, c->volume);
	if (!err && c->op != DM_READ && atomic_load(&c->off))
		err = -EIO;
	if (client_changes(c))
		model_end(c->own, c->op, c->fua, c->first, c->n, err);
	else if (c->op == DM_READ && !err)
		client_read(c);
	for (i = 0; c->op == DM_FLUSH && !err && i < c->n_areas; i++)
		model_flushed(&c->areas[i], &c->views[i]);
	atomic_fetch_add(&c->failed, err != 0);
	atomic_fetch_add(&c->answered, 1);
}

static void client_next(struct loop_msg *m);

static void client_done(struct dm_req *r, int err)
{
	struct client *c = container(r, struct client, req);

	if (!pthread_equal(pthread_self(), c->thread))
		found("client %u on %s: a request was answered on another thread", c->number, c->volume);
	client_answered(c, err);
	c->msg.run = client_next;
	loop_post(c->io->loop, &c->msg);
}

static void client_next(struct loop_msg *m)
{
	struct client *c = container(m, struct client, msg);
	size_t first, n;

	if (atomic_load(&c->stop)) {
		atomic_store(&c->stopped, true);
		return;
	}
	client_choose(c);
	n = c->n * DM_SECTOR;
	first = types_random(2) ? n / 3 : n;
	memset(&c->req, 0xa5, sizeof(c->req));
	c->iov[0] = (struct iovec){ c->data, first };
	c->iov[1] = (struct iovec){ c->data + first, n - first };
	c->req.op = (uint8_t)c->op;
	c->req.flags = c->fua ? DM_FUA : 0;
	c->req.sector = c->area->start + c->first;
	c->req.count = c->n;
	c->req.data = (struct vec){ c->op == DM_READ || c->op == DM_WRITE ? c->iov : NULL, 0 };
	c->req.done = client_done;
	c->thread = pthread_self();
	dm_io_tick(c->io);
	dm_submit(c->io, c->device, &c->req);
}

void client_start(struct client *c)
{
	atomic_store(&c->stop, false);
	atomic_store(&c->stopped, false);
	if (c->way != CLIENT_INSIDE) {
		client_thread_change(c);
		return;
	}
	c->msg.run = client_next;
	loop_post(c->io->loop, &c->msg);
}

void client_stop(struct client *c)
{
	atomic_store(&c->stop, true);
}
