/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an array does in the background: it copies to legs what they lack (recover), makes the good legs equal (resync), compares them
 * (check), or makes equal what it finds different (repair). One at a time, in this order; the latter two when a message asks for
 * them. Decisions are made on the control thread: other threads tell it that there is something to decide.
 *
 *   idle --something to do, not frozen--> busy --all regions were looked at, or it was stopped--> flushing --> recorded --> idle
 *
 * Copies count only when they are durable: else a leg whose superblock calls it good could lack them after a power cut, and be read, or
 * be copied to the others. So all legs are flushed after them, by the clerk, if there are metadata.
 *
 * An action that was cut short goes on where it was, if it is still wanted; one that has failed (no leg can be read) waits for the
 * next resume.
 */
#ifndef TARGETS_RAID_ACTIONS_H
#define TARGETS_RAID_ACTIONS_H

#include <stdatomic.h>

#include "core/kit/clerk.h"
#include "core/kit/copy.h"
#include "core/kit/sweep.h"

struct array;
struct dm_ask;

enum raid_action { RAID_IDLE, RAID_RECOVER, RAID_RESYNC, RAID_CHECK, RAID_REPAIR };

struct compare;

/* One region at a time, or some neighbours. */
struct raid_hand {
	struct sweep_hand hand;
	struct copy copy;
	unsigned from;			/* the leg that is copied ... */
	uint32_t tried;			/* ... and a bit for each that was */
	struct compare *compare;	/* compare.c; while it is needed */
};

struct actions {
	struct copier *copier;
	uint32_t piece;			/* sectors that are copied at a time */
	struct sweep sweep;
	struct raid_hand hands[SWEEP_HANDS];
	_Atomic uint64_t mismatches;	/* sectors, of the last check or repair */
	atomic_bool repairs;		/* what differs */
	atomic_bool failed;		/* something of this action could not be done */
	atomic_bool posted;		/* `look` is on its way */
	atomic_bool rested;		/* the sweep has come to its end, and `look` will see it */
	atomic_bool flushed;		/* the clerk's job is over, and `look` will see it */
	atomic_bool ending;		/* what it has brought is being recorded; until then it is not over, as on Linux */
	atomic_bool recorded;		/* that is done, and `look` will see it */
	struct loop_msg look;
	struct clerk_job flush;
	/* The control thread's. */
	enum raid_action now, asked, last;
	bool runs;			/* not suspended */
	bool frozen;			/* by a message, up to the next one */
	bool flushing;			/* what was copied */
	bool given_up;			/* it has failed: not again before the next resume */
	struct dm_step *settling;	/* a postsuspend that waits for that; or NULL */
	uint64_t torn;			/* array.torn when this one began */
	uint64_t synchronous;		/* sectors from the first one on, in which the good legs were made equal; or RAID_ALL */
};

/* 0 or -errno and a sentence. Control thread, as all but actions_look(). */
int actions_new(struct array *a, struct err *e);
void actions_free(struct array *a);
void actions_resume(struct array *a);
void actions_stop(struct array *a, struct dm_step *s);	/* ends S when nothing is copied any more */
void actions_settle(struct array *a, struct dm_step *s);	/* stopped, and with metadata: behind_settle(), after what was copied is durable */
/* There may be something to do, or to stop. Any thread. */
void actions_look(struct array *a);
/* The metadata say all that there was to be said. The clerk's. */
void actions_recorded(struct array *a);
int actions_message(struct array *a, struct dm_ask *ask);
/* Sectors that the action under way has done; of an idle array, those that are as they should be; of a suspended one, as on Linux, 0. */
uint64_t actions_progress(struct array *a);

/* recover.c, compare.c: struct sweep_kind's. */
bool recover_wants(const struct sweep *s, uint64_t region);
void recover_work(struct sweep_hand *h, struct sweep_run run);
void recover_copied(struct copy *c);
#define COMPARE_PIECE 128u		/* sectors that are compared at a time */
bool compare_wants(const struct sweep *s, uint64_t region);
void compare_work(struct sweep_hand *h, struct sweep_run run);
/* The memory for it: 0 or -errno and a sentence. */
int compare_new(struct array *a, struct err *e);
void compare_free(struct array *a);

#endif
