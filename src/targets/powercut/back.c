/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing back: see back.h. A round copies, flushes, forgets, and tells. */
#include "targets/powercut/back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "targets/powercut/power.h"

#define FORGET_AT_ONCE 256u	/* nodes, under the lock */

static void back_go_on(struct power *p);

int back_new(struct back *b, struct err *e)
{
	unsigned i;

	*b = (struct back){ .err = 0 };
	b->buffers = aligned_alloc(4096, (size_t)BACK_SLOTS * BACK_SECTORS * DM_SECTOR);
	if (!b->buffers)
		return err_set(e, -ENOMEM, "no memory for the buffers of a write cache");
	for (i = 0; i < BACK_SLOTS; i++)
		b->slots[i].buffer = b->buffers + (size_t)i * BACK_SECTORS * DM_SECTOR;
	return 0;
}

void back_end(struct back *b)
{
	free(b->buffers);
}

bool back_add(struct power *p, struct dm_req *h)
{
	bool begins = !p->back_busy;

	h->next = NULL;
	*p->waiting_last = h;
	p->waiting_last = &h->next;
	p->back_busy = true;
	return begins;
}

static struct back_slot *slot_free(struct back *b)
{
	unsigned i;

	for (i = 0; i < BACK_SLOTS; i++)
		if (!b->slots[i].busy)
			return &b->slots[i];
	return NULL;
}

/* The units of the next durable write. False: there is none. */
static bool back_item(struct back *b, const struct cache *c)
{
	struct dm_req *r;
	uint64_t sector;

	if (!b->item)
		return false;
	r = power_whole(b->item);
	b->item = b->item->next;
	sector = power_sector(r);
	b->view = (struct view){ .how = VIEW_UP_TO, .number = (uintptr_t)r->own[1] };
	b->sector = sector / c->unit * c->unit;
	b->end = ((sector + r->count - 1) / c->unit + 1) * c->unit;
	return true;
}

/* With the lock: the next piece that is in the cache; false: none is left. */
static bool back_piece(struct back *b, struct cache *c, struct piece *x)
{
	while (b->sector < b->end) {
		*x = cache_piece(c, &b->view, b->sector, b->end);
		if (x->where != IN_BASE)
			return true;
		b->sector += x->count;
	}
	return false;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void slot_takes(struct back_slot *s, const struct piece *x, enum dm_op op)
{
	s->sector = x->sector;
	s->reads = x->where == IN_SPILL;
	s->req.op = op;
	s->req.sector = s->reads ? x->at : x->sector;
	s->req.count = x->count;
}

/* With the lock: pieces in memory that lie together become one write. */
static void slot_gathers(struct back *b, struct cache *c, struct back_slot *s, struct piece *x)
{
	uint64_t n = 0;

	slot_takes(s, x, DM_WRITE);
	do {
		x->count = least(x->count, BACK_SECTORS - n);
		memcpy(s->buffer + n * DM_SECTOR, x->data, x->count * DM_SECTOR);
		n += x->count;
		b->sector += x->count;
	} while (n < BACK_SECTORS && back_piece(b, c, x) && x->where == IN_MEMORY && x->sector == s->sector + n);
	s->req.count = n;
}

/* With the lock. False: nothing is left. */
static bool slot_fill(struct back *b, struct cache *c, struct back_slot *s)
{
	struct piece x;

	if (!back_piece(b, c, &x))
		return false;
	memset(&s->req, 0, sizeof(s->req));
	if (x.where == IN_MEMORY) {
		slot_gathers(b, c, s, &x);
		return true;
	}
	slot_takes(s, &x, x.where == IN_ZEROS ? DM_ZEROES : DM_READ);
	b->sector += x.count;
	return true;
}

static void slot_over(struct dm_req *r, int err);

static void slot_send(struct power *p, struct back_slot *s)
{
	const struct dm_at spill = { &p->spill.store, 0 };

	s->req.done = slot_over;
	if (s->req.op != DM_ZEROES && s->req.op != DM_FLUSH)
		dm_req_buffer(&s->req, s->buffer, s->req.count * DM_SECTOR);
	dm_send(p->back.io, s->reads ? &spill : &p->base, &s->req);
}

static void slot_over(struct dm_req *r, int err)
{
	struct back_slot *s = container(r, struct back_slot, req);
	struct power *p = s->disk;
	uint64_t count = r->count;

	if (!err && s->reads) {
		s->reads = false;
		memset(r, 0, sizeof(*r));
		r->op = DM_WRITE;
		r->sector = s->sector;
		r->count = count;
		slot_send(p, s);
		return;
	}
	if (err && !p->back.err)
		p->back.err = err;
	s->busy = false;
	p->back.busy--;
	back_go_on(p);
}

/* False: there is nothing left to send, or no slot for it. */
static bool back_sends(struct power *p)
{
	struct back *b = &p->back;
	struct back_slot *s = slot_free(b);
	bool has;

	if (!s || b->err)
		return false;
	pthread_mutex_lock(&p->lock);
	has = slot_fill(b, &p->cache, s);
	pthread_mutex_unlock(&p->lock);
	if (!has)
		return false;
	s->busy = true;
	b->busy++;
	slot_send(p, s);
	return true;
}

static void back_flush(struct power *p)
{
	struct back_slot *s = &p->back.slots[0];

	p->back.flushing = true;
	memset(&s->req, 0, sizeof(s->req));
	s->req.op = DM_FLUSH;
	s->reads = false;
	s->busy = true;
	p->back.busy++;
	slot_send(p, s);
}

static void back_forget(struct power *p, uint64_t unit, uint64_t end, uint64_t number)
{
	bool over;

	do {
		pthread_mutex_lock(&p->lock);
		over = cache_drop(&p->cache, &unit, end, number, FORGET_AT_ONCE);
		pthread_mutex_unlock(&p->lock);
	} while (!over);
}

static void back_forget_all(struct power *p)
{
	struct back *b = &p->back;
	uint64_t unit = p->shape.unit;
	struct dm_req *h;

	if (b->restores)
		back_forget(p, 0, UINT64_MAX, UINT64_MAX);
	else if (b->flushes)
		back_forget(p, 0, UINT64_MAX, b->view.number);
	for (h = b->now; h && !b->flushes; h = h->next) {
		struct dm_req *r = power_whole(h);

		back_forget(p, power_sector(r) / unit, (power_sector(r) + r->count - 1) / unit + 1, (uintptr_t)r->own[1]);
	}
}

/* The ends of a round: those who succeed and those who fail. */
struct ends {
	struct dm_req *done, **done_last, *failed, **failed_last;
	bool trips;
};

static void end_add(struct dm_req ***last, struct dm_req *h)
{
	h->next = NULL;
	**last = h;
	*last = &h->next;
}

/* With the lock. The power may go with one of them: those after it are refused. */
static void back_ends(struct power *p, struct dm_req *h, struct ends *e)
{
	int verdict = p->back.err ? p->back.err : power_gate(p, power_line(power_holder(h)));

	if (verdict == DM_HELD) {
		power_hold_back(p, h);
	} else if (verdict) {
		end_add(&e->failed_last, h);
	} else {
		e->trips |= power_whole(h)->op == DM_FLUSH ? power_flushed(p) : power_wrote(p);
		end_add(&e->done_last, h);
	}
}

static void back_over(struct power *p)
{
	struct back *b = &p->back;
	struct ends e = { .trips = false };
	struct dm_io *io = b->io;
	struct dm_req *h, *next;
	int err = b->err;
	bool again, restores = b->restores;

	e.done_last = &e.done;
	e.failed_last = &e.failed;
	pthread_mutex_lock(&p->lock);
	for (h = b->now; h; h = next) {
		next = h->next;
		back_ends(p, h, &e);
	}
	b->now = NULL;
	b->restores = false;
	again = p->want_restore || (p->waiting && p->state == POWER_UP);
	p->back_busy = again;
	pthread_mutex_unlock(&p->lock);
	power_end_all(e.done, 0);
	if (err)
		power_end_all(e.failed, err);
	else
		power_refuse_all(e.failed);
	if (e.trips)
		power_trip(p);
	if (restores)
		power_restored(p, err);
	if (again)
		back_begin(p, io);
}

/* Copies as much as it can; when that is over, goes on to the flush, and then to the end. */
static void back_go_on(struct power *p)
{
	struct back *b = &p->back;

	if (b->filling)
		return;
	b->filling = true;
	do {
		while (!b->flushing && back_sends(p))
			;
	} while (!b->busy && !b->err && !b->flushing && back_item(b, &p->cache));
	b->filling = false;
	if (b->busy)
		return;
	if (!b->flushing && !b->err) {
		back_flush(p);
		return;
	}
	if (!b->err)
		back_forget_all(p);
	back_over(p);
}

static void back_all(struct back *b)
{
	b->item = NULL;
	b->sector = 0;
	b->end = UINT64_MAX;
}

/* With the lock. */
static void back_take(struct power *p, struct dm_io *io)
{
	struct back *b = &p->back;
	struct dm_req *h;

	b->io = io;
	b->err = 0;
	b->flushing = b->flushes = false;
	b->restores = p->want_restore;
	p->want_restore = false;
	b->now = b->item = p->waiting;
	p->waiting = NULL;
	p->waiting_last = &p->waiting;
	b->sector = b->end = 0;
	b->view = (struct view){ .how = VIEW_UP_TO, .number = p->cache.next - 1 };
	for (h = b->now; h; h = h->next)
		b->flushes |= power_whole(h)->op == DM_FLUSH;
	if (b->restores) {
		b->view.how = VIEW_SURVIVES;
		cache_draw(&p->cache, &b->view.draw, p->mode, p->seed);
	}
	if (b->flushes || b->restores)
		back_all(b);
}

void back_begin(struct power *p, struct dm_io *io)
{
	unsigned i;

	pthread_mutex_lock(&p->lock);
	back_take(p, io);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < BACK_SLOTS; i++)
		p->back.slots[i].disk = p;
	back_go_on(p);
}

static void restore_begins(struct loop_msg *m)
{
	struct power *p = container(container(m, struct back, msg), struct power, back);

	back_begin(p, &p->shared.world->io[0]);
}

void back_restore(struct power *p)
{
	bool begins;

	pthread_mutex_lock(&p->lock);
	begins = !p->back_busy;
	p->back_busy = p->want_restore = true;
	pthread_mutex_unlock(&p->lock);
	p->back.msg.run = restore_begins;
	if (begins)
		loop_post(p->shared.world->io[0].loop, &p->back.msg);
}
