/* SPDX-License-Identifier: BSD-2-Clause */
/* What a line of the target flakey is: its words (words.c), and how it changes bytes (change.c). */
#ifndef TARGETS_FLAKEY_H
#define TARGETS_FLAKEY_H

#include <stdatomic.h>

#include "core/kit/reserve.h"
#include "core/table/target.h"

#define FLAKEY_ODDS 1000000000u		/* chances are given in so many */

enum { ERROR_READS = 1, DROP_WRITES = 2, ERROR_WRITES = 4 };

#define FLAKEY_CHANGES 2u		/* of a request: a byte that was said, and one at random */
#define FLAKEY_CHILDREN (2 * FLAKEY_CHANGES + 1)

struct flakey {
	struct dm_at at;
	uint64_t began;			/* ns */
	uint32_t up, down;		/* seconds */
	unsigned features;
	uint32_t byte;			/* corrupt_bio_byte: 1 is the first of the request, 0: none ... */
	bool of_writes;
	uint8_t value;
	uint32_t flags;			/* ... of requests that have all these */
	uint32_t random_reads, random_writes;
	_Atomic uint64_t random;	/* drawn from by all threads */
	uint32_t block;			/* bytes: what is written below is a multiple of it */
	struct reserve *buffers;	/* of writes that are changed */
};

/* Reads the words after <device> <offset>. */
void flakey_arg_words(struct flakey *k, struct dm_args *a);

/* Can bytes of writes change at all? Of reads? */
bool flakey_changes_writes(const struct flakey *k);
bool flakey_changes_reads(const struct flakey *k);

/* What changing bytes needs: 0, or -errno and a sentence. */
int flakey_change_new(struct flakey *k, struct err *e);

/* Where R goes, a read or a write that comes while the disk is bad; perhaps with other bytes. */
int flakey_change(struct flakey *k, struct dm_req *r);

/* For dm_type.child. */
int flakey_changed(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);

#endif
