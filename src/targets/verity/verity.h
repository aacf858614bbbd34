/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verity, inside. A read is held while two things happen at the same time: its child brings the data, and a walk down the hash
 * tree (lookup.h) brings the digests that they must have. Then they are compared (read.c). What does not match goes to the clerk
 * (mend.h), which reads it once more, corrects it, or says that it is corrupt.
 *
 *   verity.c  the type        tree.h   the format, as arithmetic      lookup.h finds digests
 *   words.c   the line        hashes.h verified hash blocks           mend.h  what happens if something does not match
 *   read.c    reads           fec.h    correction
 *
 * Invariants: a read ends without an error only if each of its blocks had its digest, has been corrected to have it, or if
 * the line's words allow otherwise (ignore_corruption; check_at_most_once: it had it earlier); what is READY in the cache
 * has its digest, up to the root hash; a status that says C never says V again.
 */
#ifndef VERITY_H
#define VERITY_H

#include <stdatomic.h>

#include "core/kit/clerk.h"
#include "core/kit/reserve.h"
#include "core/table/target.h"
#include "targets/verity/hashes.h"
#include "targets/verity/fec.h"
#include "targets/verity/tree.h"

/* What happens to the device when a block is corrupt, or cannot be read. Linux restarts the machine or panics. */
enum verity_mode {
	VERITY_FAIL,		/* the read fails */
	VERITY_IGNORE,		/* the read gets the block as it is */
	VERITY_RESTART,		/* all reads fail from then on */
	VERITY_PANIC,		/* the same */
};

struct verity {
	struct dm_at data, hashes;
	struct tree tree;
	char *algorithm;			/* as the line has it */
	struct fec fec;
	uint32_t block_size;			/* bytes: of a data block */
	enum verity_mode corrupt, failed;	/* failed: VERITY_FAIL, _RESTART or _PANIC */
	bool ignore_zeroes, once, tasklet;
	uint8_t zero_digest[DIGEST_MOST];
	_Atomic uint64_t *checked;		/* check_at_most_once: a bit for each data block; else NULL */
	struct hashes *cache;
	struct clerk *clerk;
	struct reserve *reads;
	uint8_t *spare;				/* the clerk's: one block */
	atomic_bool is_corrupt;			/* C */
	atomic_bool ended;
	_Atomic uint32_t told;			/* corrupt blocks that are in the log */
};

/* words.c */
int verity_words(struct dm_target *t, struct dm_args *a);
void verity_table(const struct dm_target *t, struct text *out);
void verity_measure(const struct dm_target *t, struct text *out);

/* read.c */
#define VERITY_READ_MOST 65536u		/* bytes: longer ones are split */
#define VERITY_BLOCK_MOST 4096u		/* bytes of a data block, as on Linux with pages of this size */
#define VERITY_HASH_BLOCK_MOST (1u << 20)
uint32_t verity_read_blocks(const struct verity *v);	/* of one read, at most */
int verity_reads_new(struct verity *v, struct err *e);
int verity_read(const struct verity *v, struct dm_req *r);
int verity_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);

#endif
