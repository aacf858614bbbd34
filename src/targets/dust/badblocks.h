/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of bad blocks, each with a number of writes that fail before one makes it good. The control thread adds and removes
 * blocks; io threads look them up, and write to them. As long as the set is empty that costs one load.
 */
#ifndef TARGETS_BADBLOCKS_H
#define TARGETS_BADBLOCKS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct badblock {
	uint64_t block;
	uint8_t fails;		/* writes that will fail */
	bool good;		/* it is in the set no more: io threads cannot take it out */
};

struct badblocks {
	pthread_mutex_t lock;	/* guards what follows; only the control thread changes at, room and n */
	struct badblock *at;	/* by block */
	size_t room, n;
	_Atomic uint64_t bad;	/* those of them that are not good; changes under the lock */
};

void badblocks_init(struct badblocks *b);
void badblocks_free(struct badblocks *b);

static inline uint64_t badblocks_count(const struct badblocks *b)
{
	return atomic_load_explicit(&b->bad, memory_order_relaxed);
}

/* Control thread. 0, -EEXIST (it is bad already) or -ENOMEM. */
int badblocks_add(struct badblocks *b, uint64_t block, uint8_t fails);
bool badblocks_remove(struct badblocks *b, uint64_t block);	/* false: it is not bad */
uint64_t badblocks_clear(struct badblocks *b);			/* how many there were */
/* The first bad block from FROM to LAST: true, and *FOUND says which. Any thread. */
bool badblocks_find(struct badblocks *b, uint64_t from, uint64_t last, uint64_t *found);

/* The same, with the number of writes that will fail. */
bool badblocks_next(struct badblocks *b, uint64_t from, struct badblock *found);

/* BLOCK is written to; any thread. */
enum badblocks_write { BADBLOCKS_GOOD, BADBLOCKS_FAILS, BADBLOCKS_MENDED };
enum badblocks_write badblocks_write(struct badblocks *b, uint64_t block);

#endif
