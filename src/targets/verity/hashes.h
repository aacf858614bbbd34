/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash blocks of a line that are in memory. What is there was verified when it came, so nobody verifies it again.
 *
 * A block is READY, or LOADING by whoever asked for it first; others who want it wait in line and get it, or its error, at the
 * same time. It belongs to one of a few sets, by its number; a set has WAYS places and a lock. Whoever wants a place in a set
 * where all are in use waits until one is free. Nobody holds a block while he waits for another one, so this ends.
 *
 *   FREE --take--> LOADING --loaded--> READY --another takes its place--> LOADING ...
 *                  LOADING --failed--> FREE
 *
 * A block that is used although it is wrong (ignore_corruption) is STALE: those who waited see it, and nobody after them.
 */
#ifndef VERITY_HASHES_H
#define VERITY_HASHES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

struct hashes;

struct hash_block {
	uint8_t *data;			/* a hash block */
	uint64_t number;		/* the cache's from here on */
	struct hashes_wait *waiting;
	uint32_t pins;
	uint32_t used;			/* when, on the clock of its set */
	uint8_t state;
};

/* In its owner's memory until got(). */
struct hashes_wait {
	/*
	 * On the thread of HOME: B is pinned; or NULL: ERR is the failure of whoever loaded it; or 0: there is a place now, so take it anew.
	 */
	void (*got)(struct hashes_wait *w, struct hash_block *b, int err);
	struct loop *home;
	struct loop_msg msg;		/* from here on: the cache's */
	struct hashes_wait *next;
	struct hash_block *block;
	int err;
};

/* For at most MOST blocks of SIZE bytes, which take no memory before they are used: 0 or -errno and a sentence. */
int hashes_new(struct hashes **out, uint64_t most, uint32_t size, struct err *e);
void hashes_free(struct hashes *c);	/* NULL is harmless */

/* All of these on any thread. A block that is READY, pinned; or NULL. */
struct hash_block *hashes_find(struct hashes *c, uint64_t number);

enum hashes_answer {
	HASHES_READY,	/* *B is pinned */
	HASHES_LOAD,	/* *B is the caller's: he fills it and calls hashes_loaded() */
	HASHES_WAIT,	/* W->got() says the rest */
};
enum hashes_answer hashes_take(struct hashes *c, uint64_t number, struct hash_block **b, struct hashes_wait *w);

/* B is loaded (0; the caller has it pinned), loaded and stale (the same, with STALE), or it failed with -errno, and is gone. */
void hashes_loaded(struct hashes *c, struct hash_block *b, int err, bool stale);

void hashes_unpin(struct hashes *c, struct hash_block *b);

#endif
