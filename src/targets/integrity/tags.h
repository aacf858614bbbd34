/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tags in memory, in blocks of 4 KiB. What has changed is written back by the line's clerk: at a flush, at the end, when there
 * is no place for others. A place in the space of tags is a number of bytes from the first tag on (iformat_tag()).
 *
 *   FREE --who wants it first--> LOADING --read--> READY, clean or dirty --another takes its place, if clean--> LOADING ...
 *                                LOADING --failed--> FREE
 *
 * A block belongs to one of some sets, by its number; a set has a lock. Nobody holds a block: who wants some bytes of it copies them
 * under the lock, or waits for the block and looks again. So nobody waits for one block while he has another.
 *
 * A block that is being written stays where it is until that is over: else somebody could read the old one from the disk. It may
 * change meanwhile, and is dirty again.
 */
#ifndef INTEGRITY_TAGS_H
#define INTEGRITY_TAGS_H

#include "core/kit/clerk.h"

struct tags;

/* Bytes that an io thread wants to read or write. In its owner's memory until done(). */
struct tags_op {
	void (*done)(struct tags_op *op, int err);	/* on IO's thread, perhaps before tags_begin() returns */
	struct dm_io *io;
	uint64_t pos;
	size_t len;
	uint8_t *bytes;
	bool writes;
	int err;			/* the cache's from here on */
	struct tags *tags;
	struct tag_block *block;
	struct tags_op *next;
	struct loop_msg msg;
	struct dm_req req;
};

/* FULL(arg): somebody waits for a place; any thread. 0 or -errno and a sentence. */
int tags_new(struct tags **out, void (*full)(void *arg), void *arg, struct err *e);
void tags_free(struct tags *c);			/* nobody uses it; NULL is harmless */

/*
 * From now on the first tag is at AT, and there are SECTORS from there on. What is clean is forgotten; what is dirty as well,
 * if they were somewhere else before.
 */
void tags_bind(struct tags *c, const struct dm_at *at, uint64_t sectors);

/* On OP's io thread. */
void tags_begin(struct tags *c, struct tags_op *op);

/* In a job of clerk K. 0 or -errno. */
int tags_write(struct tags *c, struct clerk *k, uint64_t pos, size_t len, const uint8_t *bytes);
/* All that is dirty when it begins is written, but not flushed; what cannot be stays dirty. 0 or -errno. */
int tags_write_back(struct tags *c, struct clerk *k);

#endif
