/* SPDX-License-Identifier: BSD-2-Clause */
/* Hash blocks in memory: see hashes.h. */
#include "targets/verity/hashes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/list.h"

#define WAYS 8u

enum { FREE, LOADING, READY, STALE };

struct set {
	pthread_mutex_t lock;		/* guards all of it, but for what is in the blocks */
	struct hash_block way[WAYS];
	uint32_t clock;
	struct hashes_wait *line, **last;	/* for a place */
};

struct hashes {
	uint64_t sets;			/* a power of two */
	size_t bytes;
	uint8_t *memory;
	struct set set[];
};

static struct set *set_of(struct hashes *c, uint64_t number)
{
	return &c->set[(number ^ number >> 17) & (c->sets - 1)];
}

static void set_begin(struct set *s, uint8_t *memory, uint32_t size)
{
	unsigned i;

	pthread_mutex_init(&s->lock, NULL);
	s->last = &s->line;
	for (i = 0; i < WAYS; i++)
		s->way[i].data = memory + (size_t)i * size;
}

int hashes_new(struct hashes **out, uint64_t most, uint32_t size, struct err *e)
{
	uint64_t sets = 1, i;
	struct hashes *c;
	void *memory;

	while (sets * WAYS < most)
		sets *= 2;
	c = calloc(1, sizeof(*c) + sets * sizeof(*c->set));
	memory = mmap(NULL, sets * WAYS * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!c || memory == MAP_FAILED) {
		free(c);
		if (memory != MAP_FAILED)
			munmap(memory, sets * WAYS * size);
		return err_set(e, -ENOMEM, "no memory for %llu hash blocks", (unsigned long long)(sets * WAYS));
	}
	c->sets = sets;
	c->bytes = sets * WAYS * size;
	c->memory = memory;
	for (i = 0; i < sets; i++)
		set_begin(&c->set[i], c->memory + i * WAYS * size, size);
	*out = c;
	return 0;
}

void hashes_free(struct hashes *c)
{
	uint64_t i;

	if (!c)
		return;
	for (i = 0; i < c->sets; i++)
		pthread_mutex_destroy(&c->set[i].lock);
	munmap(c->memory, c->bytes);
	free(c);
}

/* With the lock: the block of this number that is there or coming, or NULL. */
static struct hash_block *set_find(struct set *s, uint64_t number)
{
	unsigned i;

	for (i = 0; i < WAYS; i++)
		if (s->way[i].number == number && (s->way[i].state == LOADING || s->way[i].state == READY))
			return &s->way[i];
	return NULL;
}

/* With the lock: a place for another block, the one that was used longest ago; or NULL. */
static struct hash_block *set_place(const struct set *s)
{
	const struct hash_block *b, *best = NULL;

	for (b = s->way; b < s->way + WAYS; b++) {
		if (b->state == LOADING || b->pins)
			continue;
		if (b->state != READY)
			return (struct hash_block *)(uintptr_t)b;
		if (!best || s->clock - b->used > s->clock - best->used)
			best = b;
	}
	return (struct hash_block *)(uintptr_t)best;
}

static struct hash_block *set_pin(struct set *s, struct hash_block *b)
{
	b->pins++;
	b->used = ++s->clock;
	return b;
}

struct hash_block *hashes_find(struct hashes *c, uint64_t number)
{
	struct set *s = set_of(c, number);
	struct hash_block *b;

	pthread_mutex_lock(&s->lock);
	b = set_find(s, number);
	b = b && b->state == READY ? set_pin(s, b) : NULL;
	pthread_mutex_unlock(&s->lock);
	return b;
}

static void wait_home(struct loop_msg *m)
{
	struct hashes_wait *w = container(m, struct hashes_wait, msg);

	w->got(w, w->block, w->err);
}

static void wait_over(struct hashes_wait *w, struct hash_block *b, int err)
{
	w->block = b;
	w->err = err;
	w->msg.run = wait_home;
	loop_post(w->home, &w->msg);
}

/* With the lock: W waits for B, or for any place if that is NULL. */
static enum hashes_answer set_wait(struct set *s, struct hash_block *b, struct hashes_wait *w)
{
	if (b) {
		w->next = b->waiting;
		b->waiting = w;
	} else {
		w->next = NULL;
		*s->last = w;
		s->last = &w->next;
	}
	return HASHES_WAIT;
}

static enum hashes_answer set_take(struct set *s, uint64_t number, struct hash_block **out, struct hashes_wait *w)
{
	struct hash_block *b = set_find(s, number);

	if (b && b->state == LOADING)
		return set_wait(s, b, w);
	if (b) {
		*out = set_pin(s, b);
		return HASHES_READY;
	}
	b = set_place(s);
	if (!b)
		return set_wait(s, NULL, w);
	b->state = LOADING;
	b->number = number;
	*out = b;
	return HASHES_LOAD;
}

enum hashes_answer hashes_take(struct hashes *c, uint64_t number, struct hash_block **b, struct hashes_wait *w)
{
	struct set *s = set_of(c, number);
	enum hashes_answer answer;

	pthread_mutex_lock(&s->lock);
	answer = set_take(s, number, b, w);
	pthread_mutex_unlock(&s->lock);
	return answer;
}

/* With the lock: the first in line, if there is a place. */
static struct hashes_wait *line_next(struct set *s)
{
	struct hashes_wait *w = s->line;

	if (!w || !set_place(s))
		return NULL;
	if (!(s->line = w->next))
		s->last = &s->line;
	return w;
}

void hashes_loaded(struct hashes *c, struct hash_block *b, int err, bool stale)
{
	struct set *s = set_of(c, b->number);
	struct hashes_wait *waiting, *w, *next;

	pthread_mutex_lock(&s->lock);
	waiting = b->waiting;
	b->waiting = NULL;
	b->state = err ? FREE : stale ? STALE : READY;
	for (w = waiting; !err && w; w = w->next)
		b->pins++;
	if (!err)
		set_pin(s, b);
	next = line_next(s);
	pthread_mutex_unlock(&s->lock);
	while ((w = waiting)) {
		waiting = w->next;
		wait_over(w, err ? NULL : b, err);
	}
	if (next)
		wait_over(next, NULL, 0);
}

void hashes_unpin(struct hashes *c, struct hash_block *b)
{
	struct set *s = set_of(c, b->number);
	struct hashes_wait *next;

	pthread_mutex_lock(&s->lock);
	b->pins--;
	next = line_next(s);
	pthread_mutex_unlock(&s->lock);
	if (next)
		wait_over(next, NULL, 0);
}
