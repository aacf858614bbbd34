/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the legs of a mirror equal: see resync.h. */
#include "targets/mirror/resync.h"

#include "targets/mirror/mirror.h"

#define PIECE 512u			/* sectors that are copied at a time, of one or more regions */

static struct mirror *mirror_of(const struct rebuild *b)
{
	return b->hand.sweep->owner;
}

static bool is_wanted(const struct sweep *s, uint64_t region)
{
	return !region_is_synchronous(s->regions, region);
}

/* To all legs but the first one, which does not change meanwhile unless it fails. */
static void rebuild_copy(struct sweep_hand *h, struct sweep_run run)
{
	struct rebuild *b = container(h, struct rebuild, hand);
	struct mirror *m = mirror_of(b);
	uint64_t sector = run.first << m->regions.shift, left = m->target->len - sector;
	unsigned first = legs_first(&m->legs), i;
	struct copy *c = &b->copy;

	b->failed = false;
	c->from = &m->legs.of[first].at;
	c->n_to = 0;
	for (i = 0; i < m->legs.n; i++)
		if (i != first)
			c->to[c->n_to++] = &m->legs.of[i].at;
	c->sector = sector;
	c->sectors = left < run.n * m->words.region ? left : run.n * m->words.region;
	copy_start(m->resync.copier, c);
}

/* They are open again. */
static void regions_copied(struct mirror *m, struct sweep_run run, bool ok)
{
	struct region_news news;
	uint64_t region;

	for (region = run.first; region < run.first + run.n; region++) {
		region_copied(&m->regions, region, ok, &news);
		mirror_news(m, region, &news);
	}
}

static void rebuild_over(struct rebuild *b, bool ok)
{
	struct mirror *m = mirror_of(b);

	if (ok && m->words.on_disk)
		marks_are_used(&m->log.marks);
	regions_copied(m, sweep_put(&b->hand), ok);
	mirror_look_whether_synchronous(m);
	sweep_next(&b->hand);
}

/* Some of these regions may be copied after all. */
static void rebuild_alone(struct rebuild *b)
{
	regions_copied(mirror_of(b), sweep_alone(&b->hand), false);
	rebuild_copy(&b->hand, sweep_run(&b->hand));
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

/*
 * A leg that cannot take again what a request has left different (a discard that it refused, say) has failed as by a write: somebody
 * has to react to that, and dmeventd does not react to a leg that could not be synchronised.
 */
static enum leg_failure failure_of(struct mirror *m, const struct copy *c)
{
	return c->where != c->from && atomic_load(&m->was_in_sync) ? LEG_WRITE : LEG_SYNC;
}

static void rebuild_copied(struct copy *c)
{
	struct rebuild *b = container(c, struct rebuild, copy);
	struct mirror *m = mirror_of(b);

	if (!c->err || dm_is_interrupted(c->err)) {
		rebuild_over(b, !c->err && !b->failed);
		return;
	}
	if (sweep_run(&b->hand).n > 1) {
		rebuild_alone(b);
		return;
	}
	b->failed = true;
	mirror_leg_fails(m, leg_at(&m->legs, c->where), failure_of(m, c));
	if (c->where != c->from && rebuild_without(b, c->where))
		copy_start(m->resync.copier, c);
	else
		rebuild_over(b, false);
}

int resync_new(struct mirror *m, struct err *e)
{
	uint32_t piece = m->words.region < PIECE ? (uint32_t)m->words.region : PIECE;
	struct sweep_kind kind = { .wants = is_wanted, .close = region_copy, .work = rebuild_copy, .most = PIECE / piece };
	struct sweep_hand *hands[SWEEP_HANDS];
	struct resync *s = &m->resync;
	unsigned i;

	for (i = 0; i < SWEEP_HANDS; i++)
		hands[i] = &s->rebuilds[i].hand;
	sweep_init(&s->sweep, m->world, &m->regions, &kind, m, hands);
	for (i = 0; i < SWEEP_HANDS; i++)
		s->rebuilds[i].copy = (struct copy){ .io = hands[i]->io, .done = rebuild_copied, .class = COPY_BACKGROUND };
	return copier_new(&s->copier, m->world, SWEEP_HANDS + 1, PIECE, e);
}

void resync_free(struct mirror *m)
{
	sweep_free(&m->resync.sweep);
	copier_free(m->resync.copier);
}
