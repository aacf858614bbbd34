/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk of powercut: what all its files share. A disk is what stands below a line, with a volatile write cache in front:
 * one for all lines on the same disk, whatever tables they are in, so it outlives a swap. Its lock guards what a request
 * and a command may touch at the same time; nothing is called, posted or sent while it is held.
 */
#ifndef POWERCUT_POWER_H
#define POWERCUT_POWER_H

#include <pthread.h>

#include "core/command/ask.h"
#include "core/device/above.h"
#include "core/device/step.h"
#include "core/kit/shared.h"
#include "core/path/child.h"
#include "core/path/held.h"
#include "core/path/instant.h"
#include "core/table/target.h"
#include "core/world.h"
#include "targets/powercut/back.h"
#include "targets/powercut/cache.h"
#include "targets/powercut/spill.h"

#define POWER_MARK 64u
#define POWER_DIRECTORY 200u

enum power_state {
	POWER_UP,
	POWER_HOLDING,		/* on its way to the cut: requests are held back */
	POWER_CUT,
	POWER_RESTORING,	/* refuses as before */
};

/* What the words of a line say of the disk, and cannot be changed while it is in use ... */
struct power_shape {
	uint32_t unit;		/* sectors */
	uint64_t memory;	/* sectors */
	char spill[POWER_DIRECTORY];
};

/* ... and what each new table may change. */
struct power_words {
	struct power_shape shape;
	bool has_seed, hangs;
	uint64_t seed;
	enum survive_mode mode;
};

struct trigger {
	enum { NEVER, AFTER_WRITES, AFTER_FLUSHES, AT_MARK } when;
	uint64_t at;			/* the number of that write or flush */
	char mark[POWER_MARK];
};

/* A line of a table. */
struct line {
	struct power *disk;
	struct dm_table *table;		/* it is in; not the target itself, which moves while the table is built */
	struct list node;		/* in the disk's */
	struct dm_at at;		/* what its words say */
	uint64_t offset;		/* sectors of the disk */
	struct power_words words;
	bool bound;			/* the disk knows its words */
	bool lets_go;			/* it is being suspended, or is: nothing hangs */
	bool told;			/* its device has forgotten what it held before a restore */
	struct dm_step *step;		/* that waits until the disk is neither holding nor restoring */
};

struct power {
	struct dm_shared shared;
	struct dm_at base;
	struct list lines;		/* line.node; control thread */
	struct power_shape shape;
	bool is_shaped, is_restored;	/* restored: it has what another program has saved */

	pthread_mutex_t lock;		/* guards all that follows */
	enum power_state state;
	bool hangs;			/* what is refused hangs until restore() */
	struct cache cache;
	struct dm_req *refused, **refused_last;	/* held: refused when the power is off, or when it is on again */
	uint64_t epoch;			/* restores so far */
	uint64_t writes, flushes;	/* that have ended in this epoch */
	struct trigger trigger;
	uint64_t seed;			/* of the next cut, or of this one */
	enum survive_mode mode;
	bool want_hang;			/* the next cut does */
	struct dm_req *waiting, **waiting_last;	/* flushes and durable writes for the next time that data is written back */
	bool back_busy, want_restore;

	struct back back;
	struct spill spill;
	/* The control thread's. */
	bool tripping;			/* a trigger's cut is under way */
	struct loop_msg trip;
	struct dm_instant tripped;
	struct dm_ask *cut_ask;		/* the message that waits for it */
	struct dm_ask *restore_ask;
	struct loop_msg restored;
	struct dm_invalidate forget;
	int restore_err;
	struct power_words words;	/* of the line that was bound last */
};

static inline struct line *power_line(const struct dm_target *t)
{
	return t->priv;
}

/* A request that is held, or a child that stands for its parent (read.c). */
#define POWER_KEEPER ((void *)(uintptr_t)1)
static inline struct dm_req *power_whole(struct dm_req *h)
{
	return h->own[0] == POWER_KEEPER ? h->parent : h;
}

static inline const struct dm_target *power_holder(struct dm_req *h)
{
	return h->own[0] == POWER_KEEPER ? h->maker : dm_holder(h);
}

/* Where a request that is held lies on the disk. */
static inline uint64_t power_sector(const struct dm_req *r)
{
	return power_line(dm_holder(r))->offset + r->sector;
}

/* All of a list end; or are refused. Any thread. */
#define POWER_OFF "the power is off"
void power_end_all(struct dm_req *list, int err);
void power_refuse_all(struct dm_req *list);

/* With the lock: may a request of line L go on? 0; -EIO: it is refused; DM_HELD: it is held back. */
int power_gate(const struct power *p, const struct line *l);
/* With the lock: H is held back. */
void power_hold_back(struct power *p, struct dm_req *h);
/* With the lock: a write or flush has ended. True: the power goes, and power_trip() follows without the lock. */
bool power_wrote(struct power *p);
bool power_flushed(struct power *p);
void power_trip(struct power *p);

/* cut.c */
void power_trips(struct loop_msg *m);	/* on the control thread, after power_trip() */
int power_may_cut(struct dm_target *t, int argc, char **argv, struct err *e);
void power_hold(struct dm_target *t, int argc, char **argv);
void power_cut(struct dm_target *t);
int power_cut_message(struct dm_target *t, struct dm_ask *a);
int power_mark_message(struct dm_target *t, struct dm_ask *a);
/* Takes from what is held back what is of line L; of all lines, if it is NULL. With the lock. */
struct dm_req *power_take(struct power *p, const struct line *l);
/* A line's step, which waits while the disk is holding or restoring, may be over. Control thread. */
bool power_is_busy(struct power *p);
void power_steps(struct power *p);

/* restore.c */
bool power_is_off(const struct dm_target *t);
int power_prepare_restore(struct dm_target *t, struct err *e);
int power_restore(struct dm_target *t, struct dm_ask *a);
void power_release(struct dm_target *t);
void power_restored(struct power *p, int err);	/* back.c is through with it; any thread */

/* disk.c */
/* The disk of line L, made if it is not there; its words fit that. 0 or -errno and a sentence. */
int power_get(struct line *l, struct err *e);
void power_put(struct line *l);
/* A new table's words hold from now on; a file is opened, if there is none. Ends S. */
void power_bind(struct line *l, struct dm_step *s);

/* read.c, write.c */
int power_read(const struct dm_target *t, struct dm_req *r);
int power_write(const struct dm_target *t, struct dm_req *r);
int power_flush(const struct dm_target *t, struct dm_req *r);
int power_extent(const struct dm_target *t, struct dm_req *r);

/* saved.c */
int power_may_hand_over(const struct dm_target *t, struct err *e);
int power_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e);
int power_take_saved(struct dm_target *t, char *saved, size_t len, struct err *e);

/* words.c */
int power_words(struct dm_args *a, struct power_words *w);
void power_words_text(const struct power_words *w, struct text *out);
/* Of a cut: "[<mode>] [seed <n>] [hang]". 0 or -errno and a sentence. */
struct cut_words {
	bool has_mode, has_seed, hangs;
	enum survive_mode mode;
	uint64_t seed;
};
int power_cut_words(struct cut_words *c, int argc, char **argv, struct err *e);

#endif
