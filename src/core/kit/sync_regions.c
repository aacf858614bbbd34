/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions of legs that are to be equal: see sync_regions.h. */
#include "core/kit/sync_regions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"

#define BUCKETS 256u

int regions_new(struct regions *g, uint64_t n, unsigned shift, struct err *e)
{
	unsigned i;

	g->n = n;
	g->shift = shift;
	g->of = n > SIZE_MAX / sizeof(*g->of) ? NULL : calloc(n, sizeof(*g->of));
	g->buckets = aligned_alloc(_Alignof(struct region_bucket), BUCKETS * sizeof(*g->buckets));
	if (!g->of || !g->buckets) {
		free(g->buckets);
		g->buckets = NULL;
		return err_set(e, -ENOMEM, "no memory for %llu regions", (unsigned long long)n);
	}
	for (i = 0; i < BUCKETS; i++) {
		g->buckets[i] = (struct region_bucket){ .active = NULL };
		g->buckets[i].last = &g->buckets[i].waiting;
		pthread_mutex_init(&g->buckets[i].lock, NULL);
	}
	return 0;
}

void regions_free(struct regions *g)
{
	unsigned i;

	for (i = 0; g->buckets && i < BUCKETS; i++)
		pthread_mutex_destroy(&g->buckets[i].lock);
	free(g->buckets);
	free(g->of);
}

static struct region_bucket *bucket_of(const struct regions *g, uint64_t region)
{
	return &g->buckets[region % BUCKETS];
}

static uint32_t word_get(const struct regions *g, uint64_t region)
{
	return atomic_load_explicit(&g->of[region], memory_order_relaxed);
}

/* With the lock held. */
static void word_set(struct regions *g, uint64_t region, uint32_t word)
{
	uint32_t old = word_get(g, region);

	if ((word & ~old) & REGION_SYNC)
		atomic_fetch_add(&g->synchronous, 1);
	else if ((old & ~word) & REGION_SYNC)
		atomic_fetch_sub(&g->synchronous, 1);
	atomic_store_explicit(&g->of[region], word, memory_order_relaxed);
}

void region_begins(struct regions *g, uint64_t region, bool synchronous)
{
	word_set(g, region, synchronous ? REGION_SYNC : REGION_MARKED);
}

/* --- writes --------------------------------------------------------------------------------------------------------------- */

static bool overlap(const struct dm_req *a, const struct dm_req *b)
{
	return a->sector < b->sector + b->count && b->sector < a->sector + a->count;
}

/* One in LIST, before END, that R overlaps. */
static bool overlaps_any(const struct dm_req *list, const struct dm_req *end, const struct dm_req *r)
{
	for (; list != end; list = list->next)
		if (overlap(list, r))
			return true;
	return false;
}

static void active_add(struct region_bucket *b, struct dm_req *r)
{
	r->next = b->active;
	r->own[1] = NULL;
	if (r->next)
		r->next->own[1] = r;
	b->active = r;
}

static void active_remove(struct region_bucket *b, struct dm_req *r)
{
	struct dm_req *before = r->own[1];

	*(before ? &before->next : &b->active) = r->next;
	if (r->next)
		r->next->own[1] = before;
}

static void waiting_add(struct region_bucket *b, struct dm_req *r)
{
	r->next = NULL;
	*b->last = r;
	b->last = &r->next;
}

static void waiting_remove(struct region_bucket *b, struct dm_req **at)
{
	*at = (*at)->next;
	if (!*at)
		b->last = at;
}

/*
 * May R, which waits or will, begin? END: what waits before it is before this one. REGION_WAITS: not yet, and perhaps the region
 * has to be marked for it first.
 */
static enum region_may may_begin(struct regions *g, const struct region_bucket *b, struct dm_req *r, const struct dm_req *end,
				 struct region_news *news)
{
	uint64_t region = region_of(g, r->sector);
	uint32_t word = word_get(g, region);

	if (word & (REGION_COPIED | REGION_MARKING) || overlaps_any(b->active, NULL, r) || overlaps_any(b->waiting, end, r))
		return REGION_WAITS;
	if (!(word & REGION_SYNC))
		return REGION_FIRST;
	if (!g->marks || word & REGION_MARKED)
		return REGION_ALL;
	word_set(g, region, word | REGION_MARKING);
	news->mark = r;
	return REGION_WAITS;
}

static void begins(struct regions *g, struct region_bucket *b, struct dm_req *r)
{
	uint64_t region = region_of(g, r->sector);

	active_add(b, r);
	word_set(g, region, ((word_get(g, region) | REGION_USED) & ~REGION_OLD) + 1);
}

enum region_may regions_enter(struct regions *g, struct dm_req *r, struct region_news *news)
{
	struct region_bucket *b = bucket_of(g, region_of(g, r->sector));
	enum region_may may;

	*news = (struct region_news){ .awake = NULL };
	pthread_mutex_lock(&b->lock);
	may = may_begin(g, b, r, NULL, news);
	if (may == REGION_WAITS)
		waiting_add(b, r);
	else
		begins(g, b, r);
	pthread_mutex_unlock(&b->lock);
	return may;
}

/* With the lock held, when something in REGION is over: who waits there and may go on. */
static void look_again(struct regions *g, struct region_bucket *b, uint64_t region, struct region_news *news)
{
	struct loop_msg **last = &news->awake;
	struct dm_req **at = &b->waiting, *r;
	enum region_may may;

	while ((r = *at)) {
		may = region_of(g, r->sector) == region ? may_begin(g, b, r, r, news) : REGION_WAITS;
		if (may == REGION_WAITS) {
			at = &r->next;
			continue;
		}
		waiting_remove(b, at);
		begins(g, b, r);
		r->verdict = (int)may;
		*last = &r->home;
		last = &r->home.next;
	}
	*last = NULL;
}

void regions_leave(struct regions *g, struct dm_req *r, bool torn, struct region_news *news)
{
	uint64_t region = region_of(g, r->sector);
	struct region_bucket *b = bucket_of(g, region);
	uint32_t word;

	*news = (struct region_news){ .awake = NULL };
	pthread_mutex_lock(&b->lock);
	active_remove(b, r);
	word = (word_get(g, region) - 1) | REGION_USED;
	word_set(g, region, torn ? (word & ~REGION_SYNC) | REGION_MARKED : word);
	look_again(g, b, region, news);
	news->quiet = (word_get(g, region) & (REGION_COPIED | REGION_WRITES)) == REGION_COPIED;		/* this one was the last */
	pthread_mutex_unlock(&b->lock);
}

void regions_pass(struct regions *g, struct dm_req *r, struct dm_req *to)
{
	struct region_bucket *b = bucket_of(g, region_of(g, r->sector));

	pthread_mutex_lock(&b->lock);
	active_remove(b, r);
	active_add(b, to);
	pthread_mutex_unlock(&b->lock);
}

void regions_wake(struct regions *g, struct loop_msg *awake)
{
	struct loop_msg *next;

	for (; awake; awake = next) {
		next = awake->next;
		awake->run = g->again;
		loop_post(container(awake, struct dm_req, home)->io->loop, awake);
	}
}

/* --- copies and marks ------------------------------------------------------------------------------------------------------ */

/* REGION is closed to writes, if it has none of these bits. */
static bool region_close(struct regions *g, uint64_t region, uint32_t unless, struct region_news *news)
{
	struct region_bucket *b = bucket_of(g, region);
	uint32_t word;
	bool mine;

	*news = (struct region_news){ .awake = NULL };
	pthread_mutex_lock(&b->lock);
	word = word_get(g, region);
	mine = !(word & unless);
	if (mine)
		word_set(g, region, word | REGION_COPIED);
	news->quiet = mine && !(word & REGION_WRITES);
	pthread_mutex_unlock(&b->lock);
	return mine;
}

bool region_copy(struct regions *g, uint64_t region, bool if_quiet, struct region_news *news)
{
	return region_close(g, region, REGION_SYNC | REGION_COPIED | (if_quiet ? REGION_WRITES : 0), news);
}

bool region_take(struct regions *g, uint64_t region, bool if_quiet, struct region_news *news)
{
	return region_close(g, region, REGION_COPIED | (if_quiet ? REGION_WRITES : 0), news);
}

/* REGION is open again, and has these bits as well. */
static void region_reopen(struct regions *g, uint64_t region, uint32_t also, struct region_news *news)
{
	struct region_bucket *b = bucket_of(g, region);

	*news = (struct region_news){ .awake = NULL };
	pthread_mutex_lock(&b->lock);
	word_set(g, region, (word_get(g, region) & ~REGION_COPIED) | also);
	look_again(g, b, region, news);
	pthread_mutex_unlock(&b->lock);
}

void region_copied(struct regions *g, uint64_t region, bool ok, struct region_news *news)
{
	region_reopen(g, region, REGION_USED | REGION_MARKED | (ok ? REGION_SYNC : 0), news);
}

void region_untouched(struct regions *g, uint64_t region, struct region_news *news)
{
	region_reopen(g, region, 0, news);
}

void region_marked(struct regions *g, uint64_t region, struct region_news *news)
{
	struct region_bucket *b = bucket_of(g, region);

	*news = (struct region_news){ .awake = NULL };
	pthread_mutex_lock(&b->lock);
	word_set(g, region, (word_get(g, region) & ~REGION_MARKING) | REGION_MARKED | REGION_USED);
	look_again(g, b, region, news);
	pthread_mutex_unlock(&b->lock);
}

static struct dm_req **waiting_at(struct region_bucket *b, const struct dm_req *r)
{
	struct dm_req **at = &b->waiting;

	while (*at != r)
		at = &(*at)->next;
	return at;
}

/* Others that wait there ask for another mark. */
void region_not_marked(struct regions *g, struct dm_req *r, int err, struct region_news *news)
{
	uint64_t region = region_of(g, r->sector);
	struct region_bucket *b = bucket_of(g, region);

	*news = (struct region_news){ .awake = NULL };
	pthread_mutex_lock(&b->lock);
	word_set(g, region, word_get(g, region) & ~REGION_MARKING);
	waiting_remove(b, waiting_at(b, r));
	look_again(g, b, region, news);
	pthread_mutex_unlock(&b->lock);
	r->verdict = err;
	r->home.next = news->awake;
	news->awake = &r->home;
}

/* Is it marked, though its legs are equal? */
static bool may_be_unmarked(uint32_t word)
{
	return (word & (REGION_SYNC | REGION_MARKED)) == (REGION_SYNC | REGION_MARKED);
}

static uint32_t word_age(uint32_t word, bool now)
{
	if (word & REGION_WRITES)
		return word;
	return word & REGION_USED && !now ? word & ~REGION_USED : (word & ~REGION_USED) | REGION_OLD;
}

struct region_ages regions_age(struct regions *g, bool now)
{
	struct region_ages ages = { .old = false };
	uint64_t region;
	uint32_t word;

	for (region = 0; region < g->n; region++) {
		if (!may_be_unmarked(word_get(g, region)))
			continue;
		pthread_mutex_lock(&bucket_of(g, region)->lock);
		word = word_get(g, region);
		if (may_be_unmarked(word)) {
			word = word_age(word, now);
			word_set(g, region, word);
			ages.old |= word & REGION_OLD;
			ages.marked |= !(word & REGION_OLD);
		}
		pthread_mutex_unlock(&bucket_of(g, region)->lock);
	}
	return ages;
}

void regions_unmark(struct regions *g, void (*clean)(void *arg, uint64_t region), void *arg)
{
	uint64_t region;
	uint32_t word;
	bool old;

	for (region = 0; region < g->n; region++) {
		if (!(word_get(g, region) & REGION_OLD))
			continue;
		pthread_mutex_lock(&bucket_of(g, region)->lock);
		word = word_get(g, region);
		old = word & REGION_OLD && may_be_unmarked(word);
		if (old)
			word_set(g, region, word & ~(REGION_OLD | REGION_MARKED));
		pthread_mutex_unlock(&bucket_of(g, region)->lock);
		if (old)
			clean(arg, region);
	}
}

void regions_distrust(struct regions *g)
{
	uint64_t region;
	uint32_t word;

	for (region = 0; region < g->n; region++) {
		word = word_get(g, region);
		if (!g->marks || word & REGION_MARKED)
			word_set(g, region, (word & ~REGION_SYNC) | REGION_MARKED);
	}
}
