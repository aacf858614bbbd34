/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The legs of a mirror: where they are, which of them have failed and how, and which one is read from. One of them is the
 * first: regions that are not synchronous are read from it and written to it, and copied from it. A failed leg is good again
 * when all legs have been made equal.
 */
#ifndef TARGETS_MIRROR_LEGS_H
#define TARGETS_MIRROR_LEGS_H

#include <assert.h>
#include <stdatomic.h>

#include "core/kit/leg_reads.h"
#include "core/path/io.h"
#include "core/table/args.h"

#define MIRROR_LEGS 9u

enum leg_failure { LEG_WRITE, LEG_FLUSH, LEG_SYNC, LEG_READ };

struct leg {
	struct dm_at at;
	atomic_uint failures;		/* how many */
	atomic_uint how;		/* a bit for each enum leg_failure */
};

static_assert(MIRROR_LEGS <= LEG_READS_MOST, "reads are counted for every leg");

struct legs {
	unsigned n;
	struct leg of[MIRROR_LEGS];
	atomic_uint first;
	bool balanced;			/* reads go to the leg that has the fewest under way; else to the first one */
	struct leg_reads *reads;	/* for each io thread */
};

static inline bool leg_is_good(const struct leg *l)
{
	return !atomic_load_explicit(&l->failures, memory_order_relaxed);
}

static inline unsigned legs_first(const struct legs *l)
{
	return atomic_load_explicit(&l->first, memory_order_relaxed);
}

/* A good one, the first if that is; -1: there is none. */
int legs_good(const struct legs *l);
/* The one to read from where all are equal; -1: none is good. On IO's thread. */
int legs_to_read(const struct legs *l, const struct dm_io *io);

/* Leg I has failed; true: in this way for the first time. Any thread. */
bool leg_fails(struct legs *l, unsigned i, enum leg_failure how);
void legs_forgive(struct legs *l);	/* all are good */

char leg_letter(const struct leg *l);	/* as in Linux's status */

#endif
