/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of the target raid: its words and legs, which all levels have (words.c). raid1 is an array (array.h), raid0 is arithmetic
 * (raid0.c). A level that has parity would have its own files beside these, on the same legs, metadata and sweeps.
 */
#ifndef TARGETS_RAID_RAID_H
#define TARGETS_RAID_RAID_H

#include <stdatomic.h>

#include "core/table/target.h"

struct array;
struct dm_world;

#define RAID0_LEGS 253u			/* Linux's limit */
#define RAID1_LEGS 10u			/* LVM makes no more */
#define RAID_ALL UINT64_MAX		/* a number of sectors: all of them */

/* What is known of a leg's content. */
enum leg_state {
	LEG_NONE,			/* there is no such device */
	LEG_DEAD,			/* it has failed, and lacks what was written since */
	LEG_BEHIND,			/* it is written to; it lacks something, which will be copied to it */
	LEG_GOOD,			/* it has all that was written */
};

struct raid_leg {
	struct dm_at meta, data;	/* whole devices; store NULL: there is none */
	bool rebuild, write_mostly;	/* the words say so */
	bool rebuilt;			/* ... and an earlier daemon has begun with that: the superblocks know how far it is */
	_Atomic uint8_t state;		/* enum leg_state; changes under array.lock */
	/* Of one that is behind; they change while no sweep is under way, and the clerk reads them. */
	_Atomic bool whole;		/* it lacks all from `recovered` on; else what is marked */
	_Atomic uint64_t recovered;	/* sectors */
	_Atomic uint32_t failures;	/* reads that were written back */
};

enum raid_sync { RAID_DEFAULT, RAID_SYNC, RAID_NOSYNC };

/* Numbers that a line may have, in the order in which `table` prints them. */
enum raid_number { RAID_SLEEP, RAID_MIN_RATE, RAID_MAX_RATE, RAID_BEHIND, RAID_REGION, RAID_OFFSET, RAID_NUMBERS };

struct raid_words {
	unsigned level;
	uint32_t chunk;			/* sectors; raid0 */
	enum raid_sync sync;
	uint32_t given;			/* a bit for each enum raid_number */
	uint64_t numbers[RAID_NUMBERS];
};

struct raid {
	struct dm_world *world;
	struct raid_words words;
	unsigned n;
	bool runs;			/* it is resumed; the control thread's */
	struct raid_leg *legs;
	enum raid_sync begins;		/* words.sync; but what an earlier daemon has left is not known to be equal */
	struct array *array;		/* raid1, once all is reserved; or NULL */
};

static inline bool raid_is_given(const struct raid_words *w, enum raid_number n)
{
	return w->given >> n & 1;
}

/* words.c */
int raid_ctr(struct dm_target *t, struct dm_args *a);
void raid_table(const struct dm_target *t, struct text *out);

/* status.c */
void raid_status(const struct dm_target *t, struct text *out);
void raid_measure(const struct dm_target *t, struct text *out);

/* saved.c */
int raid_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e);
int raid_restore(struct dm_target *t, char *saved, size_t len, struct err *e);

/* raid0.c */
int raid0_map(const struct dm_target *t, struct dm_req *r);
int raid0_flush(const struct dm_target *t, struct dm_req *r);
int raid0_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);
void raid0_hints(const struct raid *raid, struct dm_limits *l);

#endif
