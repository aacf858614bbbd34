/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which block of a log was the last to write somewhere, roughly: pages share a place by a hash of their numbers. It spares a durable
 * write the search through all that is not flushed, unless it may find something.
 */
#ifndef TARGETS_LOG_WRITES_RECENT_H
#define TARGETS_LOG_WRITES_RECENT_H

#include "base/err.h"
#include "targets/log_writes/blocks.h"

struct recent {
	uint64_t *last;		/* of each place: the number of a block */
	uint64_t wide;		/* the last block that is longer than all those places are worth */
};

int recent_new(struct recent *r, struct err *e);	/* 0 or -errno and a sentence */
void recent_free(struct recent *r);

/* B was written; the numbers of blocks grow. */
void recent_note(struct recent *r, const struct block *b);
/* False: nothing that B overlaps has the number OLDEST or a higher one. True: perhaps. */
bool recent_overlaps(const struct recent *r, const struct block *b, uint64_t oldest);

#endif
