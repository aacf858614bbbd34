/* SPDX-License-Identifier: BSD-2-Clause */
/* What the clerk does with tags in memory: see tags.h. */
#include <stdlib.h>
#include <string.h>

#include "targets/integrity/tags_own.h"

/* Other threads' reads end by themselves; what is dirty the clerk has to write itself. */
static int clerk_waits(struct tags *c, struct clerk *k, struct tags_set *s, const struct tag_block *coming)
{
	unsigned i;

	for (i = 0; i < TAGS_WAYS && !coming; i++)
		if (s->way[i].dirty) {
			pthread_mutex_unlock(&s->lock);
			return tags_write_back(c, k);
		}
	pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static int clerk_loads(struct tags *c, struct clerk *k, struct tag_block *b)
{
	int err = clerk_read(k, &c->at, b->number * TAGS_BLOCK_SECTORS, tags_block_sectors(c, b->number), b->data);

	tags_block_loaded(c, b, err);
	return err;
}

/* 1: the bytes are copied; 0: to be tried again; or -errno. */
static int clerk_step(struct tags *c, struct clerk *k, uint64_t pos, size_t n, const uint8_t *bytes)
{
	struct tags_set *s = tags_set_of(c, pos / TAGS_BLOCK);
	struct tag_block *b;
	enum tags_answer a;

	pthread_mutex_lock(&s->lock);
	a = tags_set_access(s, pos / TAGS_BLOCK, pos % TAGS_BLOCK, n, (uint8_t *)(uintptr_t)bytes, true, &b);
	if (a == TAGS_COMING || a == TAGS_NO_PLACE)
		return clerk_waits(c, k, s, b);
	pthread_mutex_unlock(&s->lock);
	return a == TAGS_LOAD ? clerk_loads(c, k, b) : 1;
}

int tags_write(struct tags *c, struct clerk *k, uint64_t pos, size_t len, const uint8_t *bytes)
{
	size_t n;
	int r;

	for (; len; pos += n, len -= n, bytes += n) {
		n = TAGS_BLOCK - pos % TAGS_BLOCK < len ? TAGS_BLOCK - pos % TAGS_BLOCK : len;
		while (!(r = clerk_step(c, k, pos, n, bytes)))
			;
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = (*(struct tag_block *const *)a)->number, y = (*(struct tag_block *const *)b)->number;

	return x < y ? -1 : x > y;
}

static unsigned dirty_find(struct tags *c)
{
	unsigned i, k, n = 0;

	for (i = 0; i < TAGS_SETS; i++) {
		struct tags_set *s = &c->set[i];

		pthread_mutex_lock(&s->lock);
		for (k = 0; k < TAGS_WAYS; k++)
			if (s->way[k].dirty)
				c->dirty[n++] = &s->way[k];
		pthread_mutex_unlock(&s->lock);
	}
	qsort(c->dirty, n, sizeof(*c->dirty), by_number);
	return n;
}

static void block_take(struct tags *c, struct tag_block *b, uint8_t *to)
{
	struct tags_set *s = tags_set_of(c, b->number);

	pthread_mutex_lock(&s->lock);
	memcpy(to, b->data, TAGS_BLOCK);
	b->dirty = false;
	b->writing = true;
	pthread_mutex_unlock(&s->lock);
}

static void block_written(struct tags *c, struct tag_block *b, int err)
{
	struct tags_set *s = tags_set_of(c, b->number);
	struct tags_op *line;

	pthread_mutex_lock(&s->lock);
	b->writing = false;
	b->dirty |= err != 0;
	line = tags_line_take(s);
	pthread_mutex_unlock(&s->lock);
	tags_ops_wake(line, err);
}

/* N blocks of which one follows the other. */
static int run_write(struct tags *c, struct clerk *k, struct tag_block *const *b, unsigned n)
{
	uint64_t first = b[0]->number, sectors = (uint64_t)(n - 1) * TAGS_BLOCK_SECTORS + tags_block_sectors(c, b[n - 1]->number);
	unsigned i;
	int err;

	for (i = 0; i < n; i++)
		block_take(c, b[i], c->run + (size_t)i * TAGS_BLOCK);
	err = clerk_write(k, &c->at, first * TAGS_BLOCK_SECTORS, sectors, c->run, 0);
	for (i = 0; i < n; i++)
		block_written(c, b[i], err);
	return err;
}

int tags_write_back(struct tags *c, struct clerk *k)
{
	unsigned i, n = dirty_find(c), len;
	int err, first = 0;

	for (i = 0; i < n; i += len) {
		for (len = 1; i + len < n && len < TAGS_RUN && c->dirty[i + len]->number == c->dirty[i]->number + len; len++)
			;
		err = run_write(c, k, c->dirty + i, len);
		first = first ? first : err;
	}
	return first;
}
