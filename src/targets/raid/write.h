/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A write to an array of raid1 (write.c): a child at each leg that is written to; the last one to end decides what its end is.
 *
 * With max_write_behind (behind.c) it ends for its client when the legs have it that are not write_mostly. What the others still
 * lack is in a copy of the data, which takes the write's place in its region: so writes that overlap wait for it, and so do copies,
 * comparisons, and reads of a leg that is write_mostly. The region is marked meanwhile; after a crash it is made equal from the
 * legs that have it. There is a limited number of such copies, which are reserved with the array; when all are in use, or one would be
 * too small, the write ends when all legs have it.
 */
#ifndef TARGETS_RAID_WRITE_H
#define TARGETS_RAID_WRITE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/path/child.h"
#include "targets/raid/raid.h"

struct array;
struct dm_step;

/* What has become of a write: beside these, a bit for each leg that has failed. */
#define FATE_FAILED ((1u << RAID1_LEGS) - 1)
#define FATE_WRITTEN (1u << 16)		/* a leg that is good has it */
#define FATE_SOME (1u << 17)		/* some leg has it */
#define FATE_CUT_SHORT (1u << 18)	/* some leg perhaps has it, and is not to blame */
#define FATE_PUT_BACK (1u << 19)
#define FATE_REFUSED (1u << 20)		/* some leg cannot do that */
#define FATE_BEHIND (1u << 21)		/* of a write: own[1] has what is behind it */
#define FATE_LEFT_SHIFT 24		/* so many children have not ended */

static inline uint32_t write_fate(const struct dm_req *r)
{
	return (uint32_t)(uintptr_t)r->own[0];
}

/* What a leg's answer adds. */
uint32_t fate_of(const struct array *a, unsigned leg, enum dm_op op, int err);

/* A write that is in its region is sent to the legs: DM_HELD, or why not. */
int write_send(struct array *a, struct dm_req *r);
int write_flush(struct array *a, struct dm_req *r);
int write_child(struct array *a, struct dm_req *r, struct dm_req *c, int err);
/*
 * What stands in the region for a write (IN: it, or what is behind it) is over, with FATE. R: the write itself, unless its client has
 * been told already; C: its last child, ERR: an error that it had. What R ends with, or DM_HELD.
 */
int write_over(struct array *a, struct dm_req *in, uint32_t fate, struct dm_req *r, struct dm_req *c, int err);

/* --- behind.c ---------------------------------------------------------------------------------------------------------------- */

#define BEHIND_MOST 64u			/* writes */
#define BEHIND_SECTORS 256u		/* of one */

struct behind_write;

struct behind {
	struct behind_write *writes;	/* NULL: none may be behind */
	uint8_t *buffers;
	atomic_uint n;			/* so many are under way */
	struct loop_msg settle;		/* to the control thread: none is any more */
	pthread_mutex_t lock;		/* guards what follows */
	struct behind_write *free;
	struct dm_step *step;		/* waits until none is */
};

/* 0 or -errno and a sentence. Control thread. */
int behind_new(struct array *a, struct err *e);
void behind_free(struct behind *b);

static inline bool behind_is_busy(const struct behind *b)
{
	return atomic_load_explicit(&b->n, memory_order_relaxed);
}

/* No more writes come: when none is under way, the metadata are settled, and S ends. Control thread. */
void behind_settle(struct array *a, struct dm_step *s);

/* Room for what is behind R; NULL: there is none. On R's thread, as all that follows. */
struct behind_write *behind_take(struct array *a, const struct dm_req *r);
void behind_give(struct behind_write *w);
/* R's data are copied, and sent to these legs, a bit for each. */
void behind_send(struct behind_write *w, struct dm_req *r, uint32_t legs);
/* R's own children have ended, C with ERR as the last one: what becomes of C. */
int behind_child(struct behind_write *w, struct dm_req *r, struct dm_req *c, int err);

#endif
