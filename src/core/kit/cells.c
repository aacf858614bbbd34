/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells: see cells.h. Pairs are in cells_pair.c. */
#include "core/kit/cells.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct bucket {
	pthread_mutex_t lock;		/* guards what follows and the lines of its holders */
	struct cell *holders;
	bool turns_away;
};

struct cells {
	unsigned mask;
	struct bucket buckets[];
};

int cells_new(struct cells **out, unsigned buckets, struct err *e)
{
	struct cells *all = calloc(1, sizeof(*all) + buckets * sizeof(all->buckets[0]));
	unsigned i;

	if (!all)
		return err_set(e, -ENOMEM, "no memory for %u locks of chunks", buckets);
	all->mask = buckets - 1;
	for (i = 0; i < buckets; i++)
		pthread_mutex_init(&all->buckets[i].lock, NULL);
	*out = all;
	return 0;
}

void cells_free(struct cells *all)
{
	unsigned i;

	if (!all)
		return;
	for (i = 0; i <= all->mask; i++)
		pthread_mutex_destroy(&all->buckets[i].lock);
	free(all);
}

/* Chunks that follow each other are in different buckets. */
static struct bucket *cells_bucket(struct cells *all, uint64_t chunk)
{
	return &all->buckets[chunk & all->mask];
}

static void cell_told(struct loop_msg *m)
{
	struct cell *c = container(m, struct cell, msg);

	c->got(c, c->verdict);
}

static void cell_tell(struct cell *c, enum cell_verdict v)
{
	c->verdict = v;
	c->msg.run = cell_told;
	loop_post(c->home, &c->msg);
}

static void cells_tell_all(struct cell *line, enum cell_verdict v)
{
	struct cell *next;

	for (; line; line = next) {
		next = line->next;
		cell_tell(line, v);
	}
}

/* Where the holder of CHUNK hangs, or the bucket's end. */
static struct cell **bucket_find(struct bucket *b, uint64_t chunk)
{
	struct cell **at;

	for (at = &b->holders; *at && (*at)->chunk != chunk; at = &(*at)->next)
		;
	return at;
}

static int bucket_take(struct bucket *b, struct cell *c)
{
	struct cell **at = bucket_find(b, c->chunk), *holder = *at;

	c->next = c->line = NULL;
	c->last = &c->line;
	if (!holder) {
		*at = c;
		return CELL_HELD;
	}
	if (b->turns_away)
		return CELL_BACK;
	*holder->last = c;
	holder->last = &c->next;
	return -EINPROGRESS;
}

int cell_take(struct cells *all, struct cell *c)
{
	struct bucket *b = cells_bucket(all, c->chunk);
	int r;

	pthread_mutex_lock(&b->lock);
	r = bucket_take(b, c);
	pthread_mutex_unlock(&b->lock);
	return r;
}

/* NEXT, or nobody, holds the chunk of C from now on. */
static void bucket_replace(struct bucket *b, struct cell *c, struct cell *next)
{
	struct cell **at = bucket_find(b, c->chunk), *rest = c->next;

	if (!next) {
		*at = rest;
		return;
	}
	next->line = next->next;
	next->last = next->line ? c->last : &next->line;
	next->next = rest;
	*at = next;
}

void cell_give(struct cells *all, struct cell *c)
{
	struct bucket *b = cells_bucket(all, c->chunk);
	struct cell *next;

	pthread_mutex_lock(&b->lock);
	next = c->line;
	bucket_replace(b, c, next);
	pthread_mutex_unlock(&b->lock);
	if (next)
		cell_tell(next, CELL_HELD);
}

void cell_open(struct cells *all, struct cell *c)
{
	struct bucket *b = cells_bucket(all, c->chunk);

	pthread_mutex_lock(&b->lock);
	bucket_replace(b, c, NULL);
	pthread_mutex_unlock(&b->lock);
	cells_tell_all(c->line, CELL_OPEN);
}

/* All lines of B in one. */
static struct cell *bucket_turn_away(struct bucket *b)
{
	struct cell *line = NULL, **last = &line, *holder;

	b->turns_away = true;
	for (holder = b->holders; holder; holder = holder->next) {
		if (!holder->line)
			continue;
		*last = holder->line;
		last = holder->last;
		holder->line = NULL;
		holder->last = &holder->line;
	}
	return line;
}

void cells_turn_away(struct cells *all)
{
	struct cell *line;
	unsigned i;

	for (i = 0; i <= all->mask; i++) {
		pthread_mutex_lock(&all->buckets[i].lock);
		line = bucket_turn_away(&all->buckets[i]);
		pthread_mutex_unlock(&all->buckets[i].lock);
		cells_tell_all(line, CELL_BACK);
	}
}

void cells_let_wait(struct cells *all)
{
	unsigned i;

	for (i = 0; i <= all->mask; i++) {
		pthread_mutex_lock(&all->buckets[i].lock);
		all->buckets[i].turns_away = false;
		pthread_mutex_unlock(&all->buckets[i].lock);
	}
}
