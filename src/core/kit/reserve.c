/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserves: see reserve.h. */
#include "core/kit/reserve.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/list.h"
#include "core/path/io.h"

struct reserve_object {
	struct reserve *all;
	struct reserve_object *next;
	max_align_t bytes[];		/* the caller's */
};

struct reserve {
	reserve_got *got;
	void *arg;
	pthread_mutex_t lock;		/* guards what follows */
	struct reserve_object *free;
	bool turning_away;		/* nobody waits */
	struct dm_req *first, **last;	/* who waits, by dm_req.next */
	max_align_t objects[];
};

/* Bytes from one object to the next. */
static size_t reserve_step(size_t size)
{
	return sizeof(struct reserve_object) + (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

int reserve_new(struct reserve **out, unsigned n, size_t size, reserve_got *got, void *arg, struct err *e)
{
	size_t step = reserve_step(size);
	struct reserve *all = calloc(1, sizeof(*all) + n * step);
	struct reserve_object *o;
	unsigned i;

	if (!all)
		return err_set(e, -ENOMEM, "no memory for %u requests that are held", n);
	all->got = got;
	all->arg = arg;
	pthread_mutex_init(&all->lock, NULL);
	all->last = &all->first;
	for (i = 0; i < n; i++) {
		o = (struct reserve_object *)(void *)((char *)all->objects + i * step);
		o->all = all;
		reserve_give(all, o->bytes);
	}
	*out = all;
	return 0;
}

void reserve_free(struct reserve *all)
{
	if (!all)
		return;
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static void reserve_wait(struct reserve *all, struct dm_req *r)
{
	r->next = NULL;
	*all->last = r;
	all->last = &r->next;
}

static void reserve_home(struct loop_msg *m)
{
	struct dm_req *r = container(m, struct dm_req, home);
	struct reserve_object *o = r->own[1];

	dm_io_turn(r->io);
	o->all->got(o->all->arg, r, o->bytes);
}

static void reserve_away_home(struct loop_msg *m)
{
	struct dm_req *r = container(m, struct dm_req, home);
	struct reserve *all = r->own[1];

	dm_io_turn(r->io);
	all->got(all->arg, r, NULL);
}

static void reserve_send_away(struct reserve *all, struct dm_req *r)
{
	r->own[1] = all;
	r->home.run = reserve_away_home;
	loop_post(r->io->loop, &r->home);
}

void *reserve_take(struct reserve *all, struct dm_req *r)
{
	struct reserve_object *o;
	bool away;

	pthread_mutex_lock(&all->lock);
	o = all->free;
	away = !o && all->turning_away;
	if (o)
		all->free = o->next;
	else if (!away)
		reserve_wait(all, r);
	pthread_mutex_unlock(&all->lock);
	if (away)
		reserve_send_away(all, r);
	return o ? o->bytes : NULL;
}

void reserve_turn_away(struct reserve *all)
{
	struct dm_req *r, *next;

	pthread_mutex_lock(&all->lock);
	all->turning_away = true;
	r = all->first;
	all->first = NULL;
	all->last = &all->first;
	pthread_mutex_unlock(&all->lock);
	for (; r; r = next) {
		next = r->next;
		reserve_send_away(all, r);
	}
}

void reserve_let_wait(struct reserve *all)
{
	pthread_mutex_lock(&all->lock);
	all->turning_away = false;
	pthread_mutex_unlock(&all->lock);
}

/* With the lock held: who has waited the longest, or NULL. */
static struct dm_req *reserve_next(struct reserve *all)
{
	struct dm_req *r = all->first;

	if (!r)
		return NULL;
	all->first = r->next;
	if (!all->first)
		all->last = &all->first;
	return r;
}

void reserve_give(struct reserve *all, void *object)
{
	struct reserve_object *o = container(object, struct reserve_object, bytes);
	struct dm_req *r;

	pthread_mutex_lock(&all->lock);
	r = reserve_next(all);
	if (!r) {
		o->next = all->free;
		all->free = o;
	}
	pthread_mutex_unlock(&all->lock);
	if (!r)
		return;
	r->own[1] = o;
	r->home.run = reserve_home;
	loop_post(r->io->loop, &r->home);
}
