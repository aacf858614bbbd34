/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of bad blocks: see badblocks.h. A sorted array. A block that is written to, or removed, only becomes good in it, so an io
 * thread moves no memory; the array is tidied up when it is full.
 */
#include "targets/dust/badblocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BADBLOCKS_FEW 16u

void badblocks_init(struct badblocks *b)
{
	pthread_mutex_init(&b->lock, NULL);
}

void badblocks_free(struct badblocks *b)
{
	pthread_mutex_destroy(&b->lock);
	free(b->at);
}

/* Where BLOCK is, or would be. Under the lock, or on the control thread. */
static size_t badblocks_place(const struct badblocks *b, uint64_t block)
{
	size_t low = 0, high = b->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (b->at[middle].block < block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Under the lock: BLOCK if it is bad, else NULL. */
static struct badblock *badblocks_bad(const struct badblocks *b, uint64_t block)
{
	size_t i = badblocks_place(b, block);

	return i < b->n && b->at[i].block == block && !b->at[i].good ? &b->at[i] : NULL;
}

/* Puts what is bad still into AT, which has ROOM; the old array is returned. Under the lock. */
static struct badblock *badblocks_move(struct badblocks *b, struct badblock *at, size_t room)
{
	struct badblock *old = b->at;
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		if (!old[i].good)
			at[n++] = old[i];
	b->at = at;
	b->room = room;
	b->n = n;
	return old;
}

/* Room for one more: 0 or -ENOMEM. */
static int badblocks_grow(struct badblocks *b)
{
	size_t room = 2 * badblocks_count(b) + BADBLOCKS_FEW;
	struct badblock *at;

	if (b->n < b->room)
		return 0;
	at = calloc(room, sizeof(*at));
	if (!at)
		return -ENOMEM;
	pthread_mutex_lock(&b->lock);
	at = badblocks_move(b, at, room);
	pthread_mutex_unlock(&b->lock);
	free(at);
	return 0;
}

/* Under the lock. */
static int badblocks_insert(struct badblocks *b, uint64_t block, uint8_t fails)
{
	size_t i = badblocks_place(b, block);
	bool there = i < b->n && b->at[i].block == block;

	if (there && !b->at[i].good)
		return -EEXIST;
	if (!there)
		memmove(&b->at[i + 1], &b->at[i], (b->n++ - i) * sizeof(b->at[0]));
	b->at[i] = (struct badblock){ .block = block, .fails = fails };
	atomic_fetch_add_explicit(&b->bad, 1, memory_order_relaxed);
	return 0;
}

int badblocks_add(struct badblocks *b, uint64_t block, uint8_t fails)
{
	int r = badblocks_grow(b);

	if (r)
		return r;
	pthread_mutex_lock(&b->lock);
	r = badblocks_insert(b, block, fails);
	pthread_mutex_unlock(&b->lock);
	return r;
}

uint64_t badblocks_clear(struct badblocks *b)
{
	uint64_t were;

	pthread_mutex_lock(&b->lock);
	b->n = 0;
	were = atomic_exchange_explicit(&b->bad, 0, memory_order_relaxed);
	pthread_mutex_unlock(&b->lock);
	return were;
}

static bool badblocks_first(struct badblocks *b, uint64_t from, uint64_t last, struct badblock *found)
{
	bool is;
	size_t i;

	if (!badblocks_count(b))
		return false;
	pthread_mutex_lock(&b->lock);
	for (i = badblocks_place(b, from); i < b->n && b->at[i].good && b->at[i].block < last; i++)
		;
	is = i < b->n && !b->at[i].good && b->at[i].block <= last;
	if (is)
		*found = b->at[i];
	pthread_mutex_unlock(&b->lock);
	return is;
}

bool badblocks_find(struct badblocks *b, uint64_t from, uint64_t last, uint64_t *found)
{
	struct badblock at;
	bool is = badblocks_first(b, from, last, &at);

	if (is)
		*found = at.block;
	return is;
}

bool badblocks_next(struct badblocks *b, uint64_t from, struct badblock *found)
{
	return badblocks_first(b, from, UINT64_MAX, found);
}

/* BLOCK becomes good, unless it is WRITTEN to and that fails. */
static enum badblocks_write badblocks_mend(struct badblocks *b, uint64_t block, bool written)
{
	enum badblocks_write r = BADBLOCKS_GOOD;
	struct badblock *at;

	pthread_mutex_lock(&b->lock);
	at = badblocks_bad(b, block);
	if (at && at->fails && written) {
		at->fails--;
		r = BADBLOCKS_FAILS;
	} else if (at) {
		at->good = true;
		atomic_fetch_sub_explicit(&b->bad, 1, memory_order_relaxed);
		r = BADBLOCKS_MENDED;
	}
	pthread_mutex_unlock(&b->lock);
	return r;
}

bool badblocks_remove(struct badblocks *b, uint64_t block)
{
	return badblocks_mend(b, block, false) == BADBLOCKS_MENDED;
}

enum badblocks_write badblocks_write(struct badblocks *b, uint64_t block)
{
	return badblocks_mend(b, block, true);
}
