/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the legs of a mirror equal: see resync.h. */
#include "targets/mirror/resync.h"

#include "targets/mirror/mirror.h"

#define REBUILD_NONE UINT64_MAX
#define LOOK_AT 65536u			/* so many regions are looked at before others have their turn */
#define PIECE 512u			/* sectors that are copied at a time */

static void rebuild_look(struct loop_msg *msg);
static void rebuild_copy(struct loop_msg *msg);

static void rebuild_post(struct rebuild *b, void (*run)(struct loop_msg *msg))
{
	b->msg.run = run;
	loop_post(b->copy.io->loop, &b->msg);
}

/* --- who is busy ----------------------------------------------------------------------------------------------------------- */

/* All that have nothing to do look for regions from REGION on. */
static void resync_from(struct mirror *m, uint64_t region)
{
	struct resync *s = &m->resync;
	bool begin[RESYNC_AT_ONCE];
	unsigned i;

	pthread_mutex_lock(&s->lock);
	if (s->next > region)
		s->next = region;
	for (i = 0; i < RESYNC_AT_ONCE; i++) {
		begin[i] = !s->stopped && !s->rebuilds[i].busy;
		s->busy += begin[i];
		s->rebuilds[i].busy |= begin[i];
	}
	pthread_mutex_unlock(&s->lock);
	for (i = 0; i < RESYNC_AT_ONCE; i++)
		if (begin[i])
			rebuild_post(&s->rebuilds[i], rebuild_look);
}

void resync_region(struct mirror *m, uint64_t region)
{
	resync_from(m, region);
}

void resync_start(struct mirror *m)
{
	pthread_mutex_lock(&m->resync.lock);
	m->resync.stopped = false;
	pthread_mutex_unlock(&m->resync.lock);
	resync_from(m, 0);
}

void resync_stop(struct mirror *m, struct dm_step *step)
{
	struct resync *s = &m->resync;
	bool idle;

	pthread_mutex_lock(&s->lock);
	s->stopped = true;
	idle = !s->busy;
	s->step = idle ? NULL : step;
	pthread_mutex_unlock(&s->lock);
	if (idle)
		dm_step_done(step, 0);
}

/* With the lock held: B has nothing to do. The step that may end now, or NULL. */
static struct dm_step *rebuild_rests(struct resync *s, struct rebuild *b)
{
	struct dm_step *step = NULL;

	b->busy = false;
	if (--s->busy == 0) {
		step = s->step;
		s->step = NULL;
	}
	return step;
}

/* --- which region ---------------------------------------------------------------------------------------------------------- */

/* With the lock held: does another one have REGION already? */
static bool is_taken(const struct resync *s, uint64_t region)
{
	unsigned i;

	for (i = 0; i < RESYNC_AT_ONCE; i++)
		if (atomic_load(&s->rebuilds[i].region) == region)
			return true;
	return false;
}

/* With the lock held: the next region that is not synchronous, of the next LOOK_AT ones; or REBUILD_NONE. */
static uint64_t resync_find(struct mirror *m)
{
	struct resync *s = &m->resync;
	unsigned n = LOOK_AT;
	uint64_t region;

	while (s->next < m->regions.n && n--) {
		region = s->next++;
		if (!region_is_synchronous(&m->regions, region) && !is_taken(s, region))
			return region;
	}
	return REBUILD_NONE;
}

/*
 * B has the next region, or REBUILD_NONE if there may be one farther on: not all are looked at in one go, so that the thread's
 * requests do not wait. False: there is none any more, or B shall stop; *STEP may end then.
 */
static bool rebuild_next(struct rebuild *b, struct dm_step **step)
{
	struct mirror *m = b->mirror;
	struct resync *s = &m->resync;
	uint64_t region;
	bool more;

	pthread_mutex_lock(&s->lock);
	region = s->stopped ? REBUILD_NONE : resync_find(m);
	atomic_store(&b->region, region);
	more = !s->stopped && (region != REBUILD_NONE || s->next < m->regions.n);
	*step = more ? NULL : rebuild_rests(s, b);
	pthread_mutex_unlock(&s->lock);
	return more;
}

static void rebuild_take(struct rebuild *b)
{
	struct region_news news;

	if (!region_copy(&b->mirror->regions, atomic_load(&b->region), &news)) {
		atomic_store(&b->region, REBUILD_NONE);
		rebuild_post(b, rebuild_look);
	} else if (news.quiet) {
		rebuild_post(b, rebuild_copy);
	}
}

static void rebuild_look(struct loop_msg *msg)
{
	struct rebuild *b = container(msg, struct rebuild, msg);
	struct dm_step *step;

	dm_io_tick(b->copy.io);
	if (!rebuild_next(b, &step)) {
		if (step)
			dm_step_done(step, 0);
	} else if (atomic_load(&b->region) == REBUILD_NONE) {
		rebuild_post(b, rebuild_look);
	} else {
		rebuild_take(b);
	}
}

void resync_is_quiet(struct mirror *m, uint64_t region)
{
	unsigned i;

	for (i = 0; i < RESYNC_AT_ONCE; i++)
		if (atomic_load(&m->resync.rebuilds[i].region) == region)
			rebuild_post(&m->resync.rebuilds[i], rebuild_copy);
}

/* --- the copy -------------------------------------------------------------------------------------------------------------- */

/* To all legs but the first one, which does not change meanwhile unless it fails. */
static void rebuild_copy(struct loop_msg *msg)
{
	struct rebuild *b = container(msg, struct rebuild, msg);
	struct mirror *m = b->mirror;
	uint64_t sector = atomic_load(&b->region) << m->regions.shift, left = m->target->len - sector;
	unsigned first = legs_first(&m->legs), i;
	struct copy *c = &b->copy;

	b->failed = false;
	c->from = &m->legs.of[first].at;
	c->n_to = 0;
	for (i = 0; i < m->legs.n; i++)
		if (i != first)
			c->to[c->n_to++] = &m->legs.of[i].at;
	c->sector = sector;
	c->sectors = left < m->words.region ? left : m->words.region;
	copy_start(m->resync.copier, c);
}

static void rebuild_over(struct rebuild *b, bool ok)
{
	struct mirror *m = b->mirror;
	uint64_t region = atomic_load(&b->region);
	struct region_news news;

	if (ok && m->words.on_disk)
		disk_log_is_used(&m->log);
	atomic_store(&b->region, REBUILD_NONE);
	region_copied(&m->regions, region, ok, &news);
	mirror_news(m, region, &news);
	mirror_look_whether_synchronous(m);
	rebuild_post(b, rebuild_look);
}

/* The others still want it. False: there are none. */
static bool rebuild_without(struct rebuild *b, const struct dm_at *bad)
{
	struct copy *c = &b->copy;
	unsigned i, n = 0;

	for (i = 0; i < c->n_to; i++)
		if (c->to[i] != bad)
			c->to[n++] = c->to[i];
	c->n_to = n;
	return n;
}

static unsigned leg_at(const struct legs *l, const struct dm_at *at)
{
	unsigned i;

	for (i = 0; &l->of[i].at != at; i++)
		;
	return i;
}

static void rebuild_copied(struct copy *c)
{
	struct rebuild *b = container(c, struct rebuild, copy);
	struct mirror *m = b->mirror;

	if (!c->err || mirror_is_interrupted(c->err)) {
		rebuild_over(b, !c->err && !b->failed);
		return;
	}
	b->failed = true;
	mirror_leg_fails(m, leg_at(&m->legs, c->where), LEG_SYNC);
	if (c->where != c->from && rebuild_without(b, c->where))
		copy_start(m->resync.copier, c);
	else
		rebuild_over(b, false);
}

int resync_new(struct mirror *m, struct err *e)
{
	struct dm_world *w = m->world;
	unsigned i;

	for (i = 0; i < RESYNC_AT_ONCE; i++) {
		struct rebuild *b = &m->resync.rebuilds[i];

		b->mirror = m;
		b->copy = (struct copy){ .io = &w->io[i % w->n_io], .done = rebuild_copied, .class = COPY_BACKGROUND };
		atomic_store(&b->region, REBUILD_NONE);
	}
	m->resync.stopped = true;
	return copier_new(&m->resync.copier, w, RESYNC_AT_ONCE + 1, m->words.region < PIECE ? (uint32_t)m->words.region : PIECE, e);
}

void resync_free(struct mirror *m)
{
	copier_free(m->resync.copier);
}
