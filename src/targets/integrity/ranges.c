/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges that are in use: see ranges.h. */
#include "targets/integrity/ranges.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"

#define BUCKETS 256u

struct bucket {
	pthread_mutex_t lock;		/* guards the list */
	struct range *first;		/* in the order in which they came */
};

struct ranges {
	struct bucket of[BUCKETS];
};

int ranges_new(struct ranges **out, struct err *e)
{
	struct ranges *all = calloc(1, sizeof(*all));
	unsigned i;

	if (!all)
		return err_set(e, -ENOMEM, "no memory for ranges that are in use");
	for (i = 0; i < BUCKETS; i++)
		pthread_mutex_init(&all->of[i].lock, NULL);
	*out = all;
	return 0;
}

void ranges_free(struct ranges *all)
{
	unsigned i;

	for (i = 0; all && i < BUCKETS; i++)
		pthread_mutex_destroy(&all->of[i].lock);
	free(all);
}

static bool in_the_way(const struct range *a, const struct range *b)
{
	return (a->writes || b->writes) && a->sector < b->sector + b->count && b->sector < a->sector + a->count;
}

/* With the lock: is somebody before R in its way? */
static bool is_blocked(const struct bucket *b, const struct range *r)
{
	const struct range *at;

	for (at = b->first; at != r; at = at->next)
		if (in_the_way(at, r))
			return true;
	return false;
}

static struct bucket *bucket_of(struct ranges *all, const struct range *r, uint32_t chunk)
{
	return &all->of[r->sector / chunk % BUCKETS];
}

bool range_take(struct ranges *all, struct range *r, uint32_t chunk)
{
	struct bucket *b = bucket_of(all, r, chunk);
	struct range **last = &b->first;
	bool waits;

	r->next = NULL;
	pthread_mutex_lock(&b->lock);
	while (*last)
		last = &(*last)->next;
	*last = r;
	waits = r->waits = is_blocked(b, r);
	pthread_mutex_unlock(&b->lock);
	return !waits;
}

static void range_home(struct loop_msg *m)
{
	struct range *r = container(m, struct range, msg);

	r->got(r);
}

/* With the lock: those that wait no more, by their messages. */
static struct loop_msg *take_ready(struct bucket *b)
{
	struct loop_msg *ready = NULL, **last = &ready;
	struct range *r;

	for (r = b->first; r; r = r->next) {
		if (!r->waits || is_blocked(b, r))
			continue;
		r->waits = false;
		r->msg.next = NULL;
		*last = &r->msg;
		last = &r->msg.next;
	}
	return ready;
}

void range_give(struct ranges *all, struct range *r, uint32_t chunk)
{
	struct bucket *b = bucket_of(all, r, chunk);
	struct range **at = &b->first;
	struct loop_msg *ready, *next;

	pthread_mutex_lock(&b->lock);
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	ready = b->first ? take_ready(b) : NULL;
	pthread_mutex_unlock(&b->lock);
	for (; ready; ready = next) {
		next = ready->next;
		ready->run = range_home;
		loop_post(container(ready, struct range, msg)->home, ready);
	}
}
