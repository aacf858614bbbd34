/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is going to stand in a log of writes, as long as it is not there yet: a block for each entry, with a copy of the data,
 * because the writer's buffer is gone when the entry is written. All memory is there from the beginning, so no request fails
 * for want of it: one for which nothing is left waits in line, in its order.
 */
#ifndef TARGETS_LOG_WRITES_BLOCKS_H
#define TARGETS_LOG_WRITES_BLOCKS_H

#include "base/err.h"
#include "core/path/req.h"

#define BLOCK_PAGE 4096u
#define BLOCK_MOST 2048u	/* sectors of one block: as Linux cuts its requests */

struct block;

/* In the order in which they are to be logged. */
struct blocks {
	struct block *first, **last;
};

struct block {
	struct block *next;
	struct blocks covers;	/* of a flush: what had completed before it was submitted ... */
	struct block *later;	/* ... and the flush under way that was submitted after it */
	uint64_t number;	/* by the order of completion (pending.h) */
	uint64_t sector, count;	/* of 512 bytes */
	uint32_t flags;		/* WLOG_* */
	uint32_t page;		/* the first of its pages */
	bool zeroes;		/* its data are zeros, and take no pages */
	const char *mark;	/* text of a mark: its block belongs to whoever posted it ... */
	void (*over)(struct block *b, int err);	/* ... who is told that it is on the disk */
};

static inline void blocks_init(struct blocks *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static inline void blocks_add(struct blocks *l, struct block *b)
{
	b->next = NULL;
	*l->last = b;
	l->last = &b->next;
}

static inline struct block *blocks_take(struct blocks *l)
{
	struct block *b = l->first;

	if (b && !(l->first = b->next))
		l->last = &l->first;
	return b;
}

/* All of FROM goes behind what is in TO. */
static inline void blocks_move(struct blocks *to, struct blocks *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	blocks_init(from);
}

struct block_memory;

/* A block for R, which had to wait, is there; on R's io thread. */
typedef void block_got(void *arg, struct dm_req *r, struct block *b);

/* For BYTES of data in all. 0 or -errno and a sentence. */
int block_memory_new(struct block_memory **out, size_t bytes, block_got *got, void *arg, struct err *e);
void block_memory_free(struct block_memory *m);	/* NULL is harmless */

/* A block with room for BYTES of data; or NULL: R, which is or will be held, is in line. */
struct block *block_take(struct block_memory *m, struct dm_req *r, size_t bytes);
void block_give(struct block_memory *m, struct block *b);

/* Somebody is in line: what can be given back soon should be. */
bool block_memory_short(const struct block_memory *m);

/* Copies BYTES of V in, and BYTES from byte OFFSET on out. */
void block_keep(struct block_memory *m, struct block *b, struct vec v, size_t bytes);
void block_data(const struct block_memory *m, const struct block *b, size_t offset, void *to, size_t bytes);

#endif
