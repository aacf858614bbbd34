/* SPDX-License-Identifier: BSD-2-Clause */
/* What legs that are write_mostly get behind the back of a write's client: see write.h. */
#include <stdlib.h>

#include "targets/raid/array.h"
#include "targets/raid/write.h"

struct behind_leg {
	struct dm_req req;
	struct behind_write *write;
};

struct behind_write {
	struct behind_write *next;	/* free */
	struct array *array;
	struct dm_io *io;
	struct dm_req in;		/* stands in the region */
	uint8_t *buffer;
	uint32_t fate;
	unsigned left;			/* legs that have not answered; and one for the write itself */
	struct dm_req *req, *child;	/* the write, if it waits for the legs here; and its child that was kept for it */
	int err;			/* of that */
	struct behind_leg legs[RAID1_LEGS];
};

/* --- the beginning ----------------------------------------------------------------------------------------------------------- */

static struct behind_write *write_take(struct behind *b)
{
	struct behind_write *w;

	pthread_mutex_lock(&b->lock);
	w = b->free;
	if (w) {
		b->free = w->next;
		atomic_fetch_add(&b->n, 1);
	}
	pthread_mutex_unlock(&b->lock);
	return w;
}

struct behind_write *behind_take(struct array *a, const struct dm_req *r)
{
	struct behind_write *w;

	if (!a->behind.writes || r->op != DM_WRITE || r->count > BEHIND_SECTORS || r->flags & DM_TAGS)
		return NULL;
	w = write_take(&a->behind);
	if (w)
		w->io = r->io;
	return w;
}

/* --- the end ----------------------------------------------------------------------------------------------------------------- */

void behind_give(struct behind_write *w)
{
	struct behind *b = &w->array->behind;
	bool settle;

	pthread_mutex_lock(&b->lock);
	w->next = b->free;
	b->free = w;
	settle = atomic_fetch_sub(&b->n, 1) == 1 && b->step;
	pthread_mutex_unlock(&b->lock);
	if (settle)
		loop_post(w->array->raid->world->loop, &b->settle);
}

/* All have answered. */
static int behind_over(struct behind_write *w, struct dm_req *r, struct dm_req *c, int err)
{
	int verdict = write_over(w->array, &w->in, w->fate, r, c, err);

	behind_give(w);
	return verdict;
}

static void behind_written(struct dm_req *req, int err)
{
	struct behind_leg *l = container(req, struct behind_leg, req);
	struct behind_write *w = l->write;
	struct dm_req *r = w->req, *c = w->child;
	int verdict;

	w->fate |= fate_of(w->array, (unsigned)(l - w->legs), DM_WRITE, err);
	if (--w->left)
		return;
	verdict = behind_over(w, r, c, w->err);
	if (r && verdict != DM_HELD)
		dm_child_end(c, verdict);
}

/* It takes R's place in the region. */
static void behind_begin(struct behind_write *w, struct dm_req *r, unsigned legs)
{
	w->fate = 0;
	w->left = legs + 1;
	w->req = w->child = NULL;
	w->in = (struct dm_req){ .op = DM_WRITE, .sector = r->sector, .count = r->count };
	vec_get(r->data, w->buffer, r->count << DM_SECTOR_SHIFT);
	regions_pass(&w->array->regions, r, &w->in);
	r->own[1] = w;
}

void behind_send(struct behind_write *w, struct dm_req *r, uint32_t legs)
{
	unsigned i;

	behind_begin(w, r, (unsigned)__builtin_popcount(legs));
	for (; legs; legs &= legs - 1) {
		struct behind_leg *l = &w->legs[i = (unsigned)__builtin_ctz(legs)];

		l->write = w;
		l->req = (struct dm_req){ .op = DM_WRITE, .sector = w->in.sector, .count = w->in.count, .done = behind_written };
		dm_req_buffer(&l->req, w->buffer, w->in.count << DM_SECTOR_SHIFT);
		dm_send(w->io, &w->array->raid->legs[i].data, &l->req);
	}
}

/* A write that some of its own legs do not have waits for the others: perhaps one of them has it. */
int behind_child(struct behind_write *w, struct dm_req *r, struct dm_req *c, int err)
{
	uint32_t now = write_fate(r) & ~FATE_BEHIND & ((1u << FATE_LEFT_SHIFT) - 1);

	w->fate |= now;
	if (!--w->left)
		return behind_over(w, r, c, err);
	if (now == (FATE_WRITTEN | FATE_SOME))
		return array_hold(w->array, r, c, 0);
	w->req = r;
	w->child = c;
	w->err = err;
	return DM_HELD;
}

/* --- a suspend --------------------------------------------------------------------------------------------------------------- */

static void settle(struct loop_msg *msg)
{
	struct array *a = container(msg, struct array, behind.settle);
	struct dm_step *s = a->behind.step;

	a->behind.step = NULL;
	metadata_settle(a, s);
}

void behind_settle(struct array *a, struct dm_step *s)
{
	struct behind *b = &a->behind;
	bool busy;

	pthread_mutex_lock(&b->lock);
	busy = behind_is_busy(b);
	b->step = busy ? s : NULL;
	pthread_mutex_unlock(&b->lock);
	if (!busy)
		metadata_settle(a, s);
}

/* --- memory ------------------------------------------------------------------------------------------------------------------ */

/* As many as the words say, if some legs are write_mostly, and there is a bitmap. */
static unsigned behind_most(const struct array *a)
{
	uint64_t most = a->raid->words.numbers[RAID_BEHIND];
	unsigned i, mostly = 0;

	for (i = 0; i < a->raid->n; i++)
		mostly += a->raid->legs[i].write_mostly;
	if (!mostly || !a->on_disk)
		return 0;
	return most < BEHIND_MOST ? (unsigned)most : BEHIND_MOST;
}

int behind_new(struct array *a, struct err *e)
{
	const size_t bytes = (size_t)BEHIND_SECTORS << DM_SECTOR_SHIFT;
	struct behind *b = &a->behind;
	unsigned most = behind_most(a), i;

	pthread_mutex_init(&b->lock, NULL);
	b->settle.run = settle;
	if (!most)
		return 0;
	b->buffers = aligned_alloc(4096, most * bytes);
	b->writes = b->buffers ? calloc(most, sizeof(*b->writes)) : NULL;
	if (!b->writes)
		return err_set(e, -ENOMEM, "no memory for %u writes behind", most);
	for (i = 0; i < most; i++) {
		b->writes[i].array = a;
		b->writes[i].buffer = b->buffers + i * bytes;
		b->writes[i].next = b->free;
		b->free = &b->writes[i];
	}
	return 0;
}

void behind_free(struct behind *b)
{
	free(b->writes);
	free(b->buffers);
	pthread_mutex_destroy(&b->lock);
}
