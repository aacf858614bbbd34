/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hooks of targets around transitions, and the walk of a table through them.
 *
 *   IDLE --preresume--> READY --resume--> RUNNING
 *   IDLE <-postsuspend- READY <-presuspend- RUNNING
 *   GONE <-retire- IDLE, once, before the table is freed
 *
 * A hook may take its time, and ends with dm_step_done(). The hooks of a table run one after the other: up in the order of
 * its lines, down the other way round. So a table needs memory for one hook only, which it has before it needs it; what has
 * been done is a count of lines, and to undo it is to walk back. When a hook refuses, the walk stops there.
 */
#ifndef CORE_STEP_H
#define CORE_STEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"

struct dm_table;
struct dm_target;
struct dm_type;
struct dm_world;

/* A hook that is running. */
struct dm_step {
	struct dm_target *target;	/* NULL: none is */
	bool noflush;			/* presuspend: what is held is not to wait for disks: put it back */
	bool back;			/* preresume: what came to postsuspend is given up, and nobody else has used what is below since */
	bool hand_over;			/* presuspend, postsuspend: another program takes over; save() comes next (target.h) */
	atomic_bool given_up;		/* nobody waits for it any more: it may end soon, with any result */
	struct err *err;		/* for its sentence */
	/* The core's. */
	struct dm_world *world;
	const char *name;		/* "presuspend" */
	int result;
	struct loop_msg msg;
};

/* S is over: 0, or a negative errno, with a sentence in S->err or without. Once, on any thread, also within the hook. */
void dm_step_done(struct dm_step *s, int err);

enum dm_level {
	DM_GONE,	/* retired: it is freed now */
	DM_IDLE,	/* constructed, or stopped */
	DM_READY,	/* preresume has succeeded: metadata are read, requests may come */
	DM_RUNNING,	/* resume, too: background work goes on */
};

enum dm_walk_how {
	DM_WALK_NOFLUSH = 1,	/* for dm_step.noflush */
	DM_WALK_ALL = 2,	/* down: a hook that fails is logged, and does not stop the walk */
	DM_WALK_HAND_OVER = 4,	/* for dm_step.hand_over */
	DM_WALK_BACK = 8,	/* for dm_step.back */
};

bool dm_type_has_hooks(const struct dm_type *type);

/*
 * Walks T up to LEVEL at least, or down to it at most, and calls THEN: at once if there is no hook to run. One walk at a
 * time; but the hook of a walk that was given up may still be running: then this one begins when that is over. THEN gets 0,
 * or the failure of the hook that stopped the walk.
 */
typedef void dm_walked(void *arg, const struct err *e);
void dm_walk_up(struct dm_world *w, struct dm_table *t, enum dm_level level, unsigned how, dm_walked *then, void *arg);
void dm_walk_down(struct dm_table *t, enum dm_level level, unsigned how, dm_walked *then, void *arg);

/* THEN is called now, with -EINTR. When the hook that is running is over, T goes to LEVEL by itself. */
void dm_walk_give_up(struct dm_table *t, enum dm_level level);

/* Is a hook of T running? If it was given up, nobody waits for it, and T turns back by itself when it ends. */
bool dm_walk_is_running(const struct dm_table *t);

/* Which hook is running, for people: "mirror's presuspend (sector 0)"; or "". */
const char *dm_walk_where(const struct dm_table *t, char *buffer, size_t size);

/* Where T is: the level that all its lines have reached. */
enum dm_level dm_walk_level(const struct dm_table *t);

/*
 * Frees T, which is in no slot (NULL: nothing to do): walks it down, waits for what still reads it, runs the destructors,
 * closes what it stands on. Then THEN (which may be NULL), perhaps at once.
 */
void dm_table_retire(struct dm_world *w, struct dm_table *t, void (*then)(void *arg), void *arg);

/* Somebody else reads T, whatever becomes of its device: it stays until that is over. */
void dm_table_hold(struct dm_table *t);
void dm_table_drop(struct dm_table *t);

#endif
