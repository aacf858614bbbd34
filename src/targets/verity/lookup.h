/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk down the hash tree, to the block that has the digests of some data blocks. It begins at the lowest block on the way
 * that is in the cache, or at the root hash, and loads and verifies one block after the other from there. It holds no block while
 * it waits: from each it keeps only the digest of the next one.
 */
#ifndef VERITY_LOOKUP_H
#define VERITY_LOOKUP_H

#include "targets/verity/mend.h"
#include "targets/verity/verity.h"

/* In its owner's memory until done(). */
struct lookup {
	const struct verity *v;
	struct dm_io *io;
	uint64_t data;			/* the data block */
	/* Both on IO's thread, perhaps before lookup_begin() returns. BLOCK, the hash block of level 0, is there until found() returns. */
	void (*found)(struct lookup *w, const uint8_t *block);
	void (*done)(struct lookup *w, int err);	/* after it, if ERR is 0 and there is a level */
	const struct dm_target *target;
	/* The walk's. */
	uint32_t level;			/* of the block that is wanted ... */
	uint8_t want[DIGEST_MOST];	/* ... which has this digest */
	struct hash_block *block;		/* that this walk loads */
	struct hashes_wait wait;
	struct dm_req req;
	struct mend mend;
};

/* V, IO, DATA, FOUND, DONE and TARGET are set. On IO's thread. */
void lookup_begin(struct lookup *w);

#endif
