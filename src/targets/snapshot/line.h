/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of type snapshot or snapshot-merge: words, and who has the store. Several lines may name one store: the one that was
 * resumed last has it (its owner); who had it before was suspended then, and is as good as invalid from there on. So a reload
 * hands the exceptions over, and so does a snapshot to the merge that takes its place.
 */
#ifndef TARGETS_SNAPSHOT_LINE_H
#define TARGETS_SNAPSHOT_LINE_H

#include "core/command/ask.h"
#include "core/device/step.h"
#include "targets/snapshot/claim.h"

struct merger;

struct snap_line {
	struct dm_at origin_at, cow_at;
	struct origin *origin;
	struct cow *cow;
	struct cow_words words;
	bool zeroes_cow, passdown;	/* discard_zeroes_cow, discard_passdown_origin */
	bool merges;			/* its type is snapshot-merge */
	struct dm_table *table;		/* it is in; not the target itself, which moves while the table is built */
	uint64_t sectors;
	struct list node;		/* in the origin's lines; of one that was constructed with its devices */
	/* Control thread. */
	bool listed, joined;		/* it is in that list; it counts as a user of the store */
	bool active;			/* it was resumed once */
	atomic_bool live;		/* between preresume and postsuspend */
	atomic_bool handed;		/* another line has its store */
	struct dm_step *step;		/* that waits for what follows */
	struct cow_bind bind;
	struct origin_change change;
	struct merger *merger;		/* of snapshot-merge (merger.h) */
	bool lost;			/* what its transient store had was in the memory of an earlier daemon */
	struct cow_saved *saved;	/* or was saved; NULL: neither */
};

/* --- hooks and words that both types share (line.c) --- */
int snap_ctr(struct dm_target *t, struct dm_args *a, bool merges);
void snap_dtr(struct dm_target *t);
void snap_preresume(struct dm_target *t, struct dm_step *s);
void snap_postsuspend(struct dm_target *t, struct dm_step *s);
void snap_retire(struct dm_target *t, struct dm_step *s);
void snap_table(const struct dm_target *t, struct text *out);
void snap_status(const struct dm_target *t, struct text *out);
void snap_measure(const struct dm_target *t, struct text *out);
void snap_hints(const struct dm_target *t, struct dm_limits *l);

/* A transient store is in memory only (line_saved.c). */
int snap_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e);
int snap_restore(struct dm_target *t, char *saved, size_t len, struct err *e);

/* L has the store from now on; then DONE, on the control thread: or -ENOMEM and DONE is not called. */
int snap_own(struct snap_line *l, void (*done)(struct origin_change *c));

/* May its device be used as a snapshot? */
static inline bool snap_is_valid(const struct snap_line *l)
{
	return cow_is_valid(l->cow) && !atomic_load_explicit(&l->handed, memory_order_relaxed);
}

/* How many of COUNT sectors from SECTOR are in one piece of the origin, or (FOUND) of the store, from *AT on. */
uint64_t snap_run(const struct cow *c, uint64_t sector, uint64_t count, bool *found, uint64_t *at);

/* The first COUNT sectors of R. */
static inline int snap_part(struct dm_req *r, uint64_t count)
{
	r->count = count;
	return DM_PART;
}

#endif
