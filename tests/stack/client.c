/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients: see client.h. */
#include "stack/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stack/types.h"

#define WORDS (DM_SECTOR / sizeof(uint64_t))

void client_init(struct client *c, unsigned number, struct dm_io *io, uint64_t start, bool any)
{
	unsigned i;

	memset(c, 0, sizeof(*c));
	c->number = number;
	c->io = io;
	c->start = start;
	atomic_store(&c->stopped, true);
	for (i = 0; i < CLIENT_SECTORS; i++)
		c->sectors[i].any = any;
}

static uint64_t sector_word(const struct client *c, unsigned sector, uint64_t write, size_t word)
{
	return write ? (write << 24 | (uint64_t)c->number << 8 | sector) * UINT64_C(0x9e3779b97f4a7c15) + word : 0;
}

static void sector_fill(const struct client *c, unsigned sector, uint64_t write, uint8_t *to)
{
	uint64_t words[WORDS];
	size_t i;

	for (i = 0; i < WORDS; i++)
		words[i] = sector_word(c, sector, write, i);
	memcpy(to, words, sizeof(words));
}

static bool sector_is(const struct client *c, unsigned sector, uint64_t write, const uint8_t *data)
{
	uint8_t want[DM_SECTOR];

	sector_fill(c, sector, write, want);
	return !memcmp(want, data, DM_SECTOR);
}

static void sector_wrong(const struct client *c, unsigned i, const uint8_t *data)
{
	static char text[256];
	const struct client_sector *s = &c->sectors[i];
	uint64_t w, first;

	memcpy(&first, data, sizeof(first));
	for (w = c->write; w && !sector_is(c, i, w, data); w--)
		;
	snprintf(text, sizeof(text), "client %u on %s: sector %" PRIu64 " is to be from write %" PRIu64 " or %" PRIu64
		 " and is from %" PRIu64 " of %" PRIu64 " (0: something else; it begins with %016" PRIx64 ")", c->number, c->name,
		 c->start + i, s->is, s->maybe, w, c->write, first);
	types_found(text);
}

static void sector_check(struct client *c, unsigned i, const uint8_t *data)
{
	struct client_sector *s = &c->sectors[i];

	if (s->any)
		return;
	if (sector_is(c, i, s->is, data))
		s->maybe = s->is;
	else if (sector_is(c, i, s->maybe, data))
		s->is = s->maybe;
	else
		sector_wrong(c, i, data);
}

void client_check(struct client *c, const uint8_t *data)
{
	unsigned i;

	for (i = 0; i < CLIENT_SECTORS; i++)
		sector_check(c, i, data + i * DM_SECTOR);
}

/* The sector's next content is that of WRITE, if ERR says so, or perhaps. After two doubts it may be anything. */
static void sector_written(struct client_sector *s, uint64_t write, int err)
{
	if (!err)
		*s = (struct client_sector){ .is = write, .maybe = write };
	else if (s->is == s->maybe)
		s->maybe = write;
	else
		s->any = true;
}

static void client_see(struct client *c, int err)
{
	uint8_t op = atomic_load(&c->op);
	unsigned i;

	for (i = 0; i < c->n; i++) {
		if (op == DM_READ && !err)
			sector_check(c, c->first + i, c->data + i * DM_SECTOR);
		else if (op == DM_WRITE)
			sector_written(&c->sectors[c->first + i], c->write, err);
		else if (op == DM_ZEROES)
			sector_written(&c->sectors[c->first + i], 0, err);
		else if (op == DM_DISCARD)
			c->sectors[c->first + i].any = true;
	}
	if (op == DM_FLUSH && !err && c->commits && legs_first_is_good() && commits_made() == c->commits_before)
		types_found("a flush has ended without a commit");
}

static void client_next(struct loop_msg *m);

static void client_answered(struct dm_req *r, int err)
{
	struct client *c = container(r, struct client, req);

	if (!atomic_load(&c->since))
		types_found("a request has ended twice");
	client_see(c, err);
	atomic_fetch_add(&c->answered, 1);
	atomic_fetch_add(&c->failed, err != 0);
	atomic_store(&c->since, 0);
	c->msg.run = client_next;
	loop_post(c->io->loop, &c->msg);
}

static enum dm_op client_op(const struct client *c)
{
	static const enum dm_op ops[] = { DM_WRITE, DM_WRITE, DM_WRITE, DM_READ, DM_READ, DM_READ, DM_READ, DM_FLUSH, DM_EXTENT,
					  DM_ZEROES, DM_DISCARD, DM_WRITE };

	return ops[types_random(c->plain ? 8 : sizeof(ops) / sizeof(ops[0]))];
}

static void client_data(struct client *c)
{
	size_t n = c->n * DM_SECTOR, first = types_random(2) ? n / 3 : n;
	unsigned i;

	c->iov[0] = (struct iovec){ c->data, first };
	c->iov[1] = (struct iovec){ c->data + first, n - first };
	c->req.data = (struct vec){ c->iov, 0 };
	if (c->req.op != DM_WRITE) {
		memset(c->data, 0xee, n);
		return;
	}
	c->write++;
	for (i = 0; i < c->n; i++)
		sector_fill(c, c->first + i, c->write, c->data + i * DM_SECTOR);
}

static void client_next(struct loop_msg *m)
{
	struct client *c = container(m, struct client, msg);
	enum dm_op op = client_op(c);

	if (atomic_load(&c->stop)) {
		atomic_store(&c->stopped, true);
		return;
	}
	c->first = types_random(CLIENT_SECTORS);
	c->n = 1 + types_random(CLIENT_SECTORS - c->first);
	memset(&c->req, 0xa5, sizeof(c->req));
	c->req.op = op;
	c->req.flags = (op == DM_WRITE || dm_op_is_range(op)) && !types_random(4) ? DM_FUA : 0;
	c->req.sector = c->start + c->first;
	c->req.count = c->n;
	c->req.done = client_answered;
	if (op == DM_READ || op == DM_WRITE)
		client_data(c);
	else
		c->req.data = (struct vec){ NULL, 0 };
	c->commits_before = commits_made();
	atomic_store(&c->op, op);
	atomic_store(&c->since, clock_now(&clock_monotonic));
	dm_io_tick(c->io);
	dm_submit(c->io, c->device, &c->req);
}

void client_start(struct client *c, struct dm_device *d)
{
	c->device = d;
	snprintf(c->name, sizeof(c->name), "%.15s", d->name);
	atomic_store(&c->stop, false);
	atomic_store(&c->stopped, false);
	c->msg.run = client_next;
	loop_post(c->io->loop, &c->msg);
}

void client_stop(struct client *c)
{
	atomic_store(&c->stop, true);
}
