/* SPDX-License-Identifier: BSD-2-Clause */
/* The disk of lines: it is there as long as one of them, and what was not flushed goes with it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/world.h"
#include "targets/powercut/power.h"

static int disk_begin(struct dm_shared *s, struct err *e)
{
	struct power *p = container(s, struct power, shared);

	pthread_mutex_init(&p->lock, NULL);
	list_init(&p->lines);
	p->refused_last = &p->refused;
	p->waiting_last = &p->waiting;
	p->base.store = s->store;
	p->spill.fd = -1;
	p->trip.run = power_trips;
	return back_new(&p->back, e);
}

static void disk_end(struct dm_shared *s)
{
	struct power *p = container(s, struct power, shared);

	if (p->cache.requests)
		log_info("powercut: what nobody had flushed to '%s' is lost (requests: %" PRIu64 ", sectors: %" PRIu64 ")", s->store->name,
			 p->cache.requests, p->cache.sectors);
	cache_end(&p->cache);
	back_end(&p->back);
	spill_close(&p->spill);
	pthread_mutex_destroy(&p->lock);
}

static const struct dm_shared_kind disk_kind = {
	.name = "a write cache", .size = sizeof(struct power), .begin = disk_begin, .end = disk_end,
};

/* The words of the first line make it. */
static int disk_shape(struct power *p, const struct power_words *w, struct err *e)
{
	int r = cache_new(&p->cache, w->shape.unit, w->shape.memory * DM_SECTOR, e);

	if (r)
		return r;
	p->is_shaped = true;
	p->shape = w->shape;
	p->words = *w;
	p->seed = w->seed;
	p->mode = w->mode;
	p->want_hang = w->hangs;
	spill_begin(&p->spill, p->shared.world, p->shape.spill);
	return 0;
}

static int disk_fits(const struct power *p, const struct power_words *w, struct err *e)
{
	if (p->shape.unit == w->shape.unit && p->shape.memory == w->shape.memory && !strcmp(p->shape.spill, w->shape.spill))
		return 0;
	return err_set(e, -EBUSY, "'%s' has a write cache already, with chunk %u atomic, memory %" PRIu64 " and spill %s: that is as long as "
		       "a table has a powercut line on it", p->shared.store->name, p->shape.unit, p->shape.memory, p->shape.spill);
}

int power_get(struct line *l, struct err *e)
{
	struct dm_shared *s;
	struct power *p;
	int r = dm_shared_get(&s, &disk_kind, l->at.store, e);

	if (r)
		return r;
	p = container(s, struct power, shared);
	l->disk = p;
	list_append(&p->lines, &l->node);
	return p->is_shaped ? disk_fits(p, &l->words, e) : disk_shape(p, &l->words, e);
}

void power_put(struct line *l)
{
	if (!l->disk)
		return;
	list_remove(&l->node);
	dm_shared_put(&l->disk->shared);
}

/* Loading the same words again changes nothing. */
static void disk_words(struct power *p, const struct power_words *w)
{
	pthread_mutex_lock(&p->lock);
	if (w->seed != p->words.seed)
		p->seed = w->seed;
	if (w->mode != p->words.mode)
		p->mode = w->mode;
	if (w->hangs != p->words.hangs)
		p->want_hang = w->hangs;
	p->words = *w;
	pthread_mutex_unlock(&p->lock);
}

/* The spill file is opened on a helper thread, which may hang; so it belongs to nobody until it is there. */
struct opening {
	struct blocking_call call;
	struct spill spill;
	struct line *line;
	struct dm_step *step;
	struct err err;
	char directory[POWER_DIRECTORY];
};

static void open_run(struct blocking_call *c)
{
	struct opening *o = container(c, struct opening, call);

	spill_open(&o->spill, o->directory, &o->err);
}

static void open_drop(struct blocking_call *c)
{
	struct opening *o = container(c, struct opening, call);

	spill_close(&o->spill);
	free(o);
}

static void open_done(struct blocking_call *c)
{
	struct opening *o = container(c, struct opening, call);
	struct power *p = o->line->disk;
	int err = o->err.code;

	if (err)
		err_set(o->step->err, err, "%s", o->err.text);
	if (!err && p->spill.fd < 0) {
		p->spill.fd = o->spill.fd;
		o->spill.fd = -1;
	}
	dm_step_done(o->step, err);
	open_drop(c);
}

static void open_start(struct line *l, struct dm_step *s)
{
	struct opening *o = calloc(1, sizeof(*o));
	int r = o ? 0 : -ENOMEM;

	if (o) {
		o->call = (struct blocking_call){ .call = open_run, .done = open_done, .drop = open_drop };
		o->spill.fd = -1;
		o->line = l;
		o->step = s;
		strcpy(o->directory, l->words.shape.spill);
		r = blocking_start(l->disk->shared.world->helpers, &o->call);
	}
	if (!r)
		return;
	free(o);
	dm_step_done(s, err_set(s->err, r, "no memory or thread to open a spill file with"));
}

void power_bind(struct line *l, struct dm_step *s)
{
	if (!l->bound)
		disk_words(l->disk, &l->words);
	l->bound = true;
	if (l->disk->spill.fd < 0)
		open_start(l, s);
	else
		dm_step_done(s, 0);
}
