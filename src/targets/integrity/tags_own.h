/* SPDX-License-Identifier: BSD-2-Clause */
/* What tags.c and tags_clerk.c share: see tags.h. */
#ifndef INTEGRITY_TAGS_OWN_H
#define INTEGRITY_TAGS_OWN_H

#include <pthread.h>

#include "targets/integrity/tags.h"

#define TAGS_BLOCK 4096u
#define TAGS_BLOCK_SECTORS (TAGS_BLOCK / DM_SECTOR)
#define TAGS_WAYS 8u
#define TAGS_SETS 512u			/* 16 MiB, which take no memory before they are used */
#define TAGS_RUN 64u				/* blocks that are written at once */

enum { TAGS_FREE, TAGS_LOADING, TAGS_READY };

struct tag_block {
	uint8_t *data;
	uint64_t number;
	struct tags_op *waiting;
	uint32_t used;			/* when, on the clock of its set */
	uint8_t state;
	bool dirty, writing;
};

struct tags_set {
	pthread_mutex_t lock;		/* guards all of it, and the data of READY blocks */
	pthread_cond_t changed;		/* for the clerk: a block is not LOADING any more */
	struct tag_block way[TAGS_WAYS];
	struct tags_op *line;		/* who waits for a place */
	uint32_t clock;
};

struct tags {
	void (*full)(void *arg);
	void *arg;
	struct dm_at at;
	uint64_t sectors;
	uint8_t *memory, *run;		/* all blocks; those that are being written */
	struct tag_block **dirty;	/* the clerk's list */
	struct tags_set set[TAGS_SETS];
};

struct tags_set *tags_set_of(struct tags *c, uint64_t number);
uint64_t tags_block_sectors(const struct tags *c, uint64_t number);	/* the last block may end with its device */

enum tags_answer { TAGS_COPIED, TAGS_LOAD, TAGS_COMING, TAGS_NO_PLACE };

/* With the set's lock: N bytes at OFF of block NUMBER. TAGS_LOAD: *OUT is the caller's to be filled. */
enum tags_answer tags_set_access(struct tags_set *s, uint64_t number, size_t off, size_t n, uint8_t *bytes, bool writes, struct tag_block **out);
struct tags_op *tags_line_take(struct tags_set *s);	/* with the lock: all that wait for a place */

void tags_ops_wake(struct tags_op *all, int err);
void tags_block_loaded(struct tags *c, struct tag_block *b, int err);	/* B was filled, or could not be */

#endif
