/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An array of raid1: the same on all legs. A request's way is in request.c, that of a write in write.c, with what legs get later in
 * behind.c; legs that fail in failures.c; what is done in the background, and when, in actions.c, with copies in recover.c and
 * comparisons in compare.c; the metadata in metadata.c, in the format of format.h, and what is made of what was found there in
 * assemble.c.
 *
 * States of a leg (raid.h):
 *
 *   good --write or flush fails, unless it is the last good one--> dead --resumed once more, and its superblock can be read--> behind
 *   behind --write fails--> dead                                   behind --all that it lacks is copied--> good
 *
 * Writes go to all legs that are good or behind. Reads go to good ones. Where the good legs may differ from each other (`differs`,
 * in regions that are not synchronous), to the first of them alone, which is also the one that is copied to the others.
 *
 * Invariants: no write ends for its client after a leg has failed before the superblocks of the others say so, durably. As long as a
 * leg is missing or dead, regions that are written to stay marked and not synchronous: that is what this leg lacks.
 */
#ifndef TARGETS_RAID_ARRAY_H
#define TARGETS_RAID_ARRAY_H

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/device/step.h"
#include "core/kit/leg_reads.h"
#include "core/kit/sync_regions.h"
#include "core/path/child.h"
#include "core/path/failed.h"
#include "core/path/held.h"
#include "core/world.h"
#include "targets/raid/actions.h"
#include "targets/raid/metadata.h"
#include "targets/raid/raid.h"
#include "targets/raid/write.h"

static_assert(RAID1_LEGS <= LEG_READS_MOST, "reads are counted for every leg");

struct array {
	struct raid *raid;
	const struct dm_target *target;	/* since it was active */
	struct regions regions;
	uint64_t region;		/* sectors of one */
	uint64_t sectors;		/* of the line */
	atomic_bool begun;		/* it has been active: what the legs have was found out, and the metadata say so */
	bool on_disk;			/* there are metadata */
	atomic_bool differs;		/* good legs may differ where regions are not synchronous */
	_Atomic uint64_t torn;		/* writes that made it so */
	atomic_bool degraded;		/* a leg is missing or dead */
	struct leg_reads *reads;	/* for each io thread */
	struct actions actions;
	struct metadata metadata;	/* if on_disk */
	struct behind behind;

	pthread_mutex_t lock;		/* guards what follows, and changes of raid_leg.state */
	bool recording;			/* the superblocks do not say yet what has become of the legs; the clerk's job is posted */
	bool changed;			/* something has, since it began to write them */
	bool cut_short;			/* that was, and has to be done once more before a write ends */
	struct dm_req *held;		/* by next; own[1] has the child that was kept for it: they end when that is recorded */
};

static inline enum leg_state leg_state(const struct raid_leg *l)
{
	return (enum leg_state)atomic_load_explicit(&l->state, memory_order_relaxed);
}

static inline bool leg_is_written(const struct raid_leg *l)
{
	return leg_state(l) >= LEG_BEHIND;
}

/* A leg that is missing may come back: it will lack what is marked by then. */
static inline bool array_keeps_marks(const struct array *a)
{
	return a->on_disk && atomic_load_explicit(&a->degraded, memory_order_relaxed);
}

/* array.c */
int array_new(struct dm_target *t, struct raid *raid, struct dm_args *args);
void array_free(struct array *a);
/* It has no metadata, and is resumed for the first time. */
void array_begin(struct array *a);
/* ... or has, and what had to be found out was, and is recorded. Any thread. */
void array_has_begun(struct array *a);
/* The good leg that counts where they differ: the first one that is not write-mostly, if there is any; -1: none is good. */
int array_first(const struct array *a);
/* Changes of legs, with the lock held or before requests come: is a leg missing? */
void array_look_at_legs(struct array *a);
bool array_has_orders(const struct array *a);	/* the words want legs rebuilt */
unsigned array_legs(const struct array *a, enum leg_state state);

/* request.c; writes: write.h */
int array_map(struct array *a, struct dm_req *r);
int array_flush(struct array *a, struct dm_req *r);
int array_child(struct array *a, struct dm_req *r, struct dm_req *c, int err);
void array_again(struct loop_msg *home);	/* regions.again() */
void array_news(struct array *a, uint64_t region, const struct region_news *news);
/* R is over in its region. TORN: the legs may differ there, or one of them lacks it. */
void array_leave(struct array *a, struct dm_req *r, bool torn);

/* failures.c; any thread. Leg I could not DO something; true: it is dead now, false: it is the last one, or was dead already. */
bool array_leg_fails(struct array *a, unsigned i, const char *did);
/* R, all of whose children but C have ended, waits until that is recorded: DM_HELD; or VERDICT, if there is nothing to wait for. */
int array_hold(struct array *a, struct dm_req *r, struct dm_req *c, int verdict);
/* Something is to be recorded; true: the caller posts the job, without the lock. With the lock held. */
bool array_to_record(struct array *a);
/* All is, or that was cut short (ERR), unless something has changed since (false). Ends all that were held, with ERR. The clerk's. */
bool array_is_recorded(struct array *a, int err);

#endif
