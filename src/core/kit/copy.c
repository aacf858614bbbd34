/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies: see copy.h. A copy gets a slot, which has a buffer and the requests, and goes with it through its pieces: read, write
 * to all places at once, perhaps rest. The next piece begins with a message, so that a store which answers at once makes no
 * recursion, and others have their turn.
 */
#include "core/kit/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/path/child.h"
#include "core/world.h"

#define COPY_REST_MOST (TIMERS_SECOND / 2)

/* A line below that holds a request uses dm_req.own, so what belongs to a write stands beside it. */
struct copy_write {
	struct dm_req req;
	struct copy_slot *slot;
	const struct dm_at *to;
};

struct copy_slot {
	struct copy_slot *next;
	struct copy *copy;
	void *buffer;
	uint64_t began;			/* of this piece, ns */
	uint64_t count;			/* sectors of it */
	unsigned pending;		/* writes */
	struct timer rest;
	struct dm_req read;
	struct copy_write writes[COPY_PLACES];
};

struct copy_line {
	struct loop_msg *first, **last;
};

struct copier {
	struct dm_world *world;
	uint32_t sectors;
	atomic_uint percent;
	_Atomic uint64_t rate;		/* sectors a second; 0: any */
	_Atomic uint64_t copied, copies, failed;
	pthread_mutex_t lock;		/* guards what follows */
	struct copy_slot *free;
	unsigned n_free;
	struct copy_line lines[COPY_CLASSES];
	uint64_t due;			/* when what was copied in the background has had its time, ns */
	struct copy_slot slots[];
};

static void copy_piece(struct copy *c);

/* With the lock held: the next copy that may begin, with its slot, or NULL. The last slot is for what is waited for. */
static struct copy *copier_next(struct copier *all)
{
	unsigned class = all->lines[COPY_WAITED].first ? COPY_WAITED : COPY_BACKGROUND;
	struct copy_line *l = &all->lines[class];
	struct copy *c;

	if (!l->first || all->n_free < (class == COPY_BACKGROUND ? 2 : 1))
		return NULL;
	c = container(l->first, struct copy, msg);
	l->first = c->msg.next;
	if (!l->first)
		l->last = &l->first;
	c->slot = all->free;
	c->slot->copy = c;
	all->free = c->slot->next;
	all->n_free--;
	return c;
}

static void copy_begin(struct loop_msg *m)
{
	struct copy *c = container(m, struct copy, msg);

	dm_io_tick(c->io);
	copy_piece(c);
}

/* Releases the lock, and begins the next copy. After that the copier may be gone. */
static void copier_unlock(struct copier *all)
{
	struct copy *c = copier_next(all);

	pthread_mutex_unlock(&all->lock);
	if (!c)
		return;
	c->msg.run = copy_begin;
	loop_post(c->io->loop, &c->msg);
}

void copy_start(struct copier *all, struct copy *c)
{
	struct copy_line *l = &all->lines[c->class];

	c->copier = all;
	c->err = 0;
	c->where = NULL;
	c->copied = 0;
	c->msg.next = NULL;
	pthread_mutex_lock(&all->lock);
	*l->last = &c->msg;
	l->last = &c->msg.next;
	copier_unlock(all);
}

static void copy_give_slot(struct copier *all, struct copy_slot *s)
{
	pthread_mutex_lock(&all->lock);
	s->next = all->free;
	all->free = s;
	all->n_free++;
	copier_unlock(all);
}

/* Its slot goes first: when done() has been called for the last copy, the copier may be gone. */
static void copy_end(struct copy *c)
{
	atomic_fetch_add(c->err ? &c->copier->failed : &c->copier->copies, 1);
	copy_give_slot(c->copier, c->slot);
	c->done(c);
}

static void copy_rested(struct timer *t)
{
	struct copy_slot *s = container(t, struct copy_slot, rest);

	dm_io_tick(s->copy->io);
	copy_piece(s->copy);
}

/* By the rate, another piece is too early for so long. */
static uint64_t copier_early(struct copier *all, uint64_t sectors, uint64_t now)
{
	uint64_t rate = atomic_load(&all->rate), early;

	if (!rate)
		return 0;
	pthread_mutex_lock(&all->lock);
	all->due = (all->due > now ? all->due : now) + sectors * TIMERS_SECOND / rate;
	early = all->due - now;
	pthread_mutex_unlock(&all->lock);
	return early;
}

/* As long as keeps the share of work at the throttle's, and the rate. */
static uint64_t copy_rest(const struct copy *c)
{
	unsigned percent = atomic_load(&c->copier->percent);
	uint64_t now = clock_now(c->copier->world->clock), rest, early;

	if (c->class != COPY_BACKGROUND)
		return 0;
	rest = (now - c->slot->began) * (100 - percent) / percent;
	early = copier_early(c->copier, c->slot->count, now);
	rest = early > rest ? early : rest;
	return rest < COPY_REST_MOST ? rest : COPY_REST_MOST;
}

/* This piece is over. A rest that follows the last one keeps the next copy of this slot back. */
static void copy_piece_over(struct copy *c)
{
	uint64_t rest = copy_rest(c);

	if (!c->err) {
		c->copied += c->slot->count;
		atomic_fetch_add(&c->copier->copied, c->slot->count);
	}
	if (rest)
		loop_timer(c->io->loop, &c->slot->rest, rest);
	else
		loop_post(c->io->loop, &c->msg);
}

static void copy_failed(struct copy *c, int err, const struct dm_at *where)
{
	if (c->err)
		return;
	c->err = err;
	c->where = where;
}

static void copy_written(struct dm_req *r, int err)
{
	struct copy_write *w = container(r, struct copy_write, req);
	struct copy_slot *s = w->slot;

	if (err)
		copy_failed(s->copy, err, w->to);
	if (--s->pending == 0)
		copy_piece_over(s->copy);
}

static void copy_read(struct dm_req *r, int err)
{
	struct copy_slot *s = container(r, struct copy_slot, read);
	struct copy *c = s->copy;
	unsigned i, n = c->n_to;

	if (err) {
		copy_failed(c, err, c->from);
		copy_piece_over(c);
		return;
	}
	s->pending = n;
	for (i = 0; i < n; i++) {
		struct copy_write *w = &s->writes[i];

		w->slot = s;
		w->to = c->to[i];
		w->req = (struct dm_req){ .op = DM_WRITE, .flags = c->flags, .sector = c->sector + c->copied, .count = s->count,
					  .done = copy_written };
		dm_req_buffer(&w->req, s->buffer, s->count << DM_SECTOR_SHIFT);
	}
	for (i = 0; i < n; i++)
		dm_send(c->io, c->to[i], &s->writes[i].req);
}

static void copy_piece(struct copy *c)
{
	struct copy_slot *s = c->slot;
	uint64_t left = c->sectors - c->copied;

	if (!left || c->err) {
		copy_end(c);
		return;
	}
	s->began = clock_now(c->copier->world->clock);
	s->count = left < c->copier->sectors ? left : c->copier->sectors;
	s->read = (struct dm_req){ .op = DM_READ, .sector = c->sector + c->copied, .count = s->count, .done = copy_read };
	dm_req_buffer(&s->read, s->buffer, s->count << DM_SECTOR_SHIFT);
	dm_send(c->io, c->from, &s->read);
}

/* A multiple of 4096 bytes from one, so that direct I/O takes it as it is. */
static void *copy_buffer(uint32_t sectors)
{
	size_t bytes = (size_t)sectors << DM_SECTOR_SHIFT;

	return aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
}

static bool slot_begin(struct copier *all, struct copy_slot *s)
{
	timer_init(&s->rest, copy_rested);
	s->buffer = copy_buffer(all->sectors);
	if (!s->buffer)
		return false;
	s->next = all->free;
	all->free = s;
	all->n_free++;
	return true;
}

int copier_new(struct copier **out, struct dm_world *w, unsigned slots, uint32_t sectors, struct err *e)
{
	struct copier *all = calloc(1, sizeof(*all) + slots * sizeof(all->slots[0]));
	unsigned i;

	if (!all)
		return err_set(e, -ENOMEM, "no memory for %u copies at a time", slots);
	*all = (struct copier){ .world = w, .sectors = sectors, .percent = 100 };
	pthread_mutex_init(&all->lock, NULL);
	for (i = 0; i < COPY_CLASSES; i++)
		all->lines[i].last = &all->lines[i].first;
	for (i = 0; i < slots; i++)
		if (!slot_begin(all, &all->slots[i])) {
			copier_free(all);
			return err_set(e, -ENOMEM, "no memory for %u copies of %u sectors at a time", slots, sectors);
		}
	*out = all;
	return 0;
}

void copier_free(struct copier *all)
{
	struct copy_slot *s;

	if (!all)
		return;
	for (s = all->free; s; s = s->next)
		free(s->buffer);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

void copier_throttle(struct copier *all, unsigned percent)
{
	atomic_store(&all->percent, percent);
}

void copier_limit(struct copier *all, uint64_t sectors)
{
	atomic_store(&all->rate, sectors);
}

unsigned copier_percent(struct copier *all)
{
	return atomic_load(&all->percent);
}

struct copy_progress copier_progress(struct copier *all)
{
	return (struct copy_progress){ .sectors = atomic_load(&all->copied), .copies = atomic_load(&all->copies),
				       .failed = atomic_load(&all->failed) };
}
