/* SPDX-License-Identifier: BSD-2-Clause */
/* Goes over regions: see sweep.h. */
#include "core/kit/sweep.h"

#include "core/device/step.h"
#include "core/world.h"

#define LOOK_AT 65536u			/* so many regions are looked at before others have their turn */

static void hand_look(struct loop_msg *msg);
static void hand_work(struct loop_msg *msg);

static void hand_post(struct sweep_hand *h, void (*run)(struct loop_msg *msg))
{
	h->msg.run = run;
	loop_post(h->io->loop, &h->msg);
}

/* --- who is busy ----------------------------------------------------------------------------------------------------------- */

/* All that have nothing to do look for regions from REGION on. */
void sweep_from(struct sweep *s, uint64_t region)
{
	bool begin[SWEEP_HANDS];
	unsigned i;

	pthread_mutex_lock(&s->lock);
	if (s->next > region)
		s->next = region;
	for (i = 0; i < SWEEP_HANDS; i++) {
		begin[i] = !s->stopped && !s->hands[i]->busy;
		s->busy += begin[i];
		s->hands[i]->busy |= begin[i];
	}
	pthread_mutex_unlock(&s->lock);
	for (i = 0; i < SWEEP_HANDS; i++)
		if (begin[i])
			hand_post(s->hands[i], hand_look);
}

void sweep_start(struct sweep *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopped = false;
	pthread_mutex_unlock(&s->lock);
	sweep_from(s, 0);
}

/* With the lock held, when nobody may be busy any more: the step that may end now, or NULL. */
static struct dm_step *sweep_take_step(struct sweep *s)
{
	struct dm_step *step = s->step;

	if (s->busy || s->resting)
		return NULL;
	s->step = NULL;
	return step;
}

/* The last hand is not busy any more. As long as it is in rests() no step ends: after that the sweep may be gone. */
static void sweep_rests(struct sweep *s)
{
	struct dm_step *step;

	if (s->rests)
		s->rests(s);
	pthread_mutex_lock(&s->lock);
	s->resting--;
	step = sweep_take_step(s);
	pthread_mutex_unlock(&s->lock);
	if (step)
		dm_step_done(step, 0);
}

bool sweep_stop(struct sweep *s, struct dm_step *step)
{
	bool idle;

	pthread_mutex_lock(&s->lock);
	s->stopped = true;
	idle = !s->busy;
	s->step = step ? step : s->step;
	step = sweep_take_step(s);
	pthread_mutex_unlock(&s->lock);
	if (step)
		dm_step_done(step, 0);
	return idle;
}

bool sweep_is_busy(struct sweep *s)
{
	bool busy;

	pthread_mutex_lock(&s->lock);
	busy = s->busy;
	pthread_mutex_unlock(&s->lock);
	return busy;
}

/* With the lock held: H has nothing to do. True: nobody has, and sweep_rests() follows. */
static bool hand_rests(struct sweep *s, struct sweep_hand *h)
{
	h->busy = false;
	if (--s->busy)
		return false;
	s->resting++;
	return true;
}

/* --- which region ---------------------------------------------------------------------------------------------------------- */

/* With the lock held: does one have REGION already? */
static bool is_taken(const struct sweep *s, uint64_t region)
{
	unsigned i;

	for (i = 0; i < SWEEP_HANDS; i++)
		if (region >= atomic_load(&s->hands[i]->region) && region < s->hands[i]->end)
			return true;
	return false;
}

/* With the lock held. */
static bool is_next_wanted(const struct sweep *s)
{
	return s->next < s->regions->n && s->kind.wants(s, s->next) && !is_taken(s, s->next);
}

/* With the lock held: H gets the next regions that are wanted, if there are any among the next LOOK_AT ones. */
static void hand_find_run(struct sweep_hand *h)
{
	struct sweep *s = h->sweep;
	unsigned n = LOOK_AT;
	uint64_t region;

	while (s->next < s->regions->n && n && !is_next_wanted(s)) {
		s->next++;
		n--;
	}
	if (!n || s->next == s->regions->n)
		return;
	region = s->next++;
	while (s->next - region < s->kind.most && is_next_wanted(s))
		s->next++;
	h->end = s->next;
	h->alone = false;
	atomic_store(&h->region, region);
}

/* With the lock held: H leaves the regions that it has not closed. */
static void hand_gives_up(struct sweep_hand *h)
{
	uint64_t region = atomic_exchange(&h->region, SWEEP_NONE);

	if (region < h->sweep->next)
		h->sweep->next = region;
}

/* With the lock held: the first N regions of H are not its own any more. */
static void hand_drop(struct sweep_hand *h, uint64_t n)
{
	uint64_t region = atomic_load(&h->region) + n;

	atomic_store(&h->region, region < h->end ? region : SWEEP_NONE);
}

struct hand_finds {
	bool more;			/* it has a region, or there may be one farther on */
	bool last;			/* nobody has anything to do */
};

static struct hand_finds hand_find(struct sweep_hand *h)
{
	struct sweep *s = h->sweep;
	struct hand_finds f = { .more = false };

	pthread_mutex_lock(&s->lock);
	if (s->stopped)
		hand_gives_up(h);
	else if (atomic_load(&h->region) == SWEEP_NONE)
		hand_find_run(h);
	f.more = !s->stopped && (atomic_load(&h->region) != SWEEP_NONE || s->next < s->regions->n);
	if (!f.more)
		f.last = hand_rests(s, h);
	pthread_mutex_unlock(&s->lock);
	return f;
}

static void hand_take(struct sweep_hand *h)
{
	struct sweep *s = h->sweep;
	struct region_news news;

	if (!s->kind.close(s->regions, atomic_load(&h->region), false, &news)) {
		pthread_mutex_lock(&s->lock);
		hand_drop(h, 1);
		pthread_mutex_unlock(&s->lock);
		hand_post(h, hand_look);
	} else if (news.quiet) {
		hand_post(h, hand_work);
	}
}

static void hand_look(struct loop_msg *msg)
{
	struct sweep_hand *h = container(msg, struct sweep_hand, msg);
	struct hand_finds f;

	dm_io_tick(h->io);
	f = hand_find(h);
	if (f.last)
		sweep_rests(h->sweep);
	else if (f.more && atomic_load(&h->region) == SWEEP_NONE)
		hand_post(h, hand_look);
	else if (f.more)
		hand_take(h);
}

static void hand_work(struct loop_msg *msg)
{
	struct sweep_hand *h = container(msg, struct sweep_hand, msg);
	struct sweep *s = h->sweep;
	uint64_t region = atomic_load(&h->region);
	struct region_news news;

	dm_io_tick(h->io);
	h->closed = 1;
	while (!h->alone && region + h->closed < h->end && s->kind.close(s->regions, region + h->closed, true, &news))
		h->closed++;
	s->kind.work(h, sweep_run(h));
}

struct sweep_run sweep_run(const struct sweep_hand *h)
{
	return (struct sweep_run){ .first = atomic_load(&h->region), .n = h->closed };
}

struct sweep_run sweep_alone(struct sweep_hand *h)
{
	struct sweep_run rest = { .first = atomic_load(&h->region) + 1, .n = h->closed - 1 };

	h->alone = true;
	h->closed = 1;
	return rest;
}

void sweep_is_quiet(struct sweep *s, uint64_t region)
{
	unsigned i;

	for (i = 0; i < SWEEP_HANDS; i++)
		if (atomic_load(&s->hands[i]->region) == region)
			hand_post(s->hands[i], hand_work);
}

struct sweep_run sweep_put(struct sweep_hand *h)
{
	struct sweep_run run = sweep_run(h);

	pthread_mutex_lock(&h->sweep->lock);
	hand_drop(h, run.n);
	pthread_mutex_unlock(&h->sweep->lock);
	return run;
}

void sweep_next(struct sweep_hand *h)
{
	hand_post(h, hand_look);
}

uint64_t sweep_done(struct sweep *s)
{
	uint64_t done, region;
	unsigned i;

	pthread_mutex_lock(&s->lock);
	done = s->next;
	for (i = 0; i < SWEEP_HANDS; i++) {
		region = atomic_load(&s->hands[i]->region);
		done = region < done ? region : done;
	}
	pthread_mutex_unlock(&s->lock);
	return done;
}

/* --- the sweep ------------------------------------------------------------------------------------------------------------- */

void sweep_init(struct sweep *s, struct dm_world *w, struct regions *g, const struct sweep_kind *kind, void *owner,
		struct sweep_hand *const hands[])
{
	unsigned i;

	*s = (struct sweep){ .kind = *kind, .rests = kind->rests, .regions = g, .owner = owner, .stopped = true };
	pthread_mutex_init(&s->lock, NULL);
	for (i = 0; i < SWEEP_HANDS; i++) {
		s->hands[i] = hands[i];
		hands[i]->sweep = s;
		hands[i]->io = &w->io[i % w->n_io];
		atomic_store(&hands[i]->region, SWEEP_NONE);
	}
}

void sweep_free(struct sweep *s)
{
	if (s->regions)
		pthread_mutex_destroy(&s->lock);
}
