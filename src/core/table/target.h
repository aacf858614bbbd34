/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target is one line of a table; its type is a const vtable.
 *
 * To add one: write targets/NAME.c with a const struct dm_type and add its line to targets/targets.list. Splitting,
 * flush fan-out, FUA, draining, counting and errors are done by the core. map() may run on several io threads at once,
 * so what it reads must not change after ctr(), unless the type guards it.
 */
#ifndef CORE_TARGET_H
#define CORE_TARGET_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/table/args.h"
#include "core/path/req.h"

struct dm_ask;
struct dm_target;
struct dm_io;
struct dm_step;
struct dm_table;

/* What map() returns. Anything negative is an errno that ends the request. */
enum dm_verdict {
	DM_DONE,	/* completed: the core ends it with success */
	DM_REMAPPED,	/* dm_remap() has set store and sector: the core sends it there */
	DM_HELD,	/* the target keeps it; it continues with dm_go_on(), or when its children have ended (held.h, child.h) */
	DM_PART,	/* the target has set r->count to the number of first sectors that it would take, and done nothing else:
			 * the core splits it there and asks again for each part. Not for range parts */
	DM_PUT_BACK,	/* back to the gate of its device, as if it had never arrived: it is mapped again by the table that the
			 * device has then, after a millisecond if the gate is open. R's sector, count and data are as map()
			 * got them */
};

/*
 * Which lines a table with this type may have, and what may replace it; as on Linux. Checked when a table is loaded
 * (build_flags.c).
 */
#define DM_TARGET_SINGLETON (1u << 0)		/* the only line of its table */
#define DM_TARGET_ALWAYS_WRITEABLE (1u << 1)	/* never in a read-only table */
#define DM_TARGET_IMMUTABLE (1u << 2)		/* all lines of a table are of this type, or none; while such a table is active, the
						 * next one loaded must be as well, or have a WILDCARD line */
#define DM_TARGET_WILDCARD (1u << 3)		/* can replace anything: error */
/*
 * What becomes of what a line keeps in memory beside its words, if the daemon is killed. Without either flag the line begins as its
 * words say, which has to be right: it keeps nothing, or finds everything on its disks, or does again what is not known to be
 * done (a mirror without a log resynchronises). For `dmuse daemon --replace` only save() counts.
 */
#define DM_TARGET_FORGETS (1u << 4)		/* a later daemon cannot have it: the device comes back suspended, with a sentence */
#define DM_TARGET_RECORDED (1u << 5)		/* save() is small and no secret: it is recorded whenever it changes, and a later daemon
						 * has it. A table whose lines keep too much (DM_SAVED_MOST, saved.h) counts as FORGETS */

/*
 * For a type whose disk can lose its power. A cut takes three calls, so that the disks of several lines go at one instant: none
 * completes a request after another has refused one. Control thread.
 */
struct dm_power {
	/* May the power be cut, and in the way that the words say? 0, or -errno and a sentence. It changes nothing. */
	int (*may_cut)(struct dm_target *t, int argc, char **argv, struct err *e);
	/* From now on no request ends: it is held back. Followed by cut(), always. */
	void (*hold)(struct dm_target *t, int argc, char **argv);
	/* The power is off: what is held back, and what comes, is refused. */
	void (*cut)(struct dm_target *t);
	bool (*is_off)(const struct dm_target *t);
	/* May it be switched on again? The same answers as may_cut(). What hangs fails, whatever the answer is. */
	int (*prepare_restore)(struct dm_target *t, struct err *e);
	/* Does that; answers like a message. */
	int (*restore)(struct dm_target *t, struct dm_ask *a);
	/* The world ends: what hangs fails, and nothing hangs any more. */
	void (*release)(struct dm_target *t);
};

struct dm_type {
	const char *name;
	const char *usage;	/* the words after the name, "" if none */
	const char *about;	/* one sentence for the help and man page */
	unsigned version[3];	/* Linux's, for dmsetup targets */
	unsigned flags;		/* DM_TARGET_* */
	size_t size;		/* bytes of the private part, zeroed; freed with the table */
	/*
	 * Children that a request of map(), or of flush(), has at a time, at most. So many are reserved before the line gets the
	 * request, and dm_children() (child.h) does not fail. For one that is held they are reserved all the time.
	 */
	uint8_t children, flush_children;

	/*
	 * Parses the words: 0, or the result of dm_args_end(). It runs more than once for a line (build.h), the first
	 * time with stand-ins for the stores, which it may keep but not look into. So it must change nothing outside
	 * the table's memory except what dtr() undoes, and take threads and shared objects only if
	 * dm_args_may_reserve().
	 */
	int (*ctr)(struct dm_target *t, struct dm_args *a);
	/*
	 * Frees what ctr() has taken from elsewhere; NULL if nothing. Also called after a failed ctr(). It must not
	 * wait: what takes time belongs to postsuspend() and retire(), which are called before, if preresume() was.
	 */
	void (*dtr)(struct dm_target *t);
	/*
	 * Where does R go? R->sector is relative to the line's start, and R lies inside the line and (except for range
	 * parts) inside one chunk. Never called for FLUSH.
	 */
	int (*map)(const struct dm_target *t, struct dm_req *r);
	/*
	 * The same for a FLUSH, which has no sector: what was reported as written before it must be durable when it
	 * ends, so a type that has something to commit does it here. NULL: it goes to each of the line's stores. If it
	 * then reaches a store that R has flushed already, it is not sent again; what the type itself wrote there
	 * meanwhile needs a flush of its own (child.h). With DM_OWN it is not a client's.
	 */
	int (*flush)(const struct dm_target *t, struct dm_req *r);
	/* A child of R has ended (child.h). NULL: R fails with the same error. */
	int (*child)(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);
	/*
	 * Hooks of transitions: see step.h. Each is optional, runs on the control thread, may take time, and ends with
	 * dm_step_done(). What one did is undone by the opposite one, also if only the next line's hook refused.
	 */
	void (*preresume)(struct dm_target *t, struct dm_step *s);	/* read metadata, check; may refuse */
	void (*resume)(struct dm_target *t, struct dm_step *s);		/* start background work */
	void (*presuspend)(struct dm_target *t, struct dm_step *s);	/* stop it, let held requests go on; requests still arrive */
	void (*postsuspend)(struct dm_target *t, struct dm_step *s);	/* drained and flushed: commit */
	/*
	 * The Ith store that requests of the line may have to wait for although its words do not name it; NULL: there are no more.
	 * Devices that are suspended as one are suspended before such a one. Control thread.
	 */
	const struct dm_store *(*also)(const struct dm_target *t, size_t i);
	/*
	 * The table will be freed, and no more requests arrive: the last I/O of a line that was resumed at some time, even if
	 * it was suspended since. It ends with dm_step_done(), and its failure is only logged.
	 */
	void (*retire)(struct dm_target *t, struct dm_step *s);
	/*
	 * What the line keeps in memory beside its words, so that the same line goes on from there in another program or a later
	 * daemon. save() adds it to OUT: bytes in a form of the type's own, with what tells an earlier form from this one. OUT is
	 * wiped, so keys may be in it. restore() gets a copy, which it may change, with a NUL behind it, once, after ctr() and
	 * before preresume(), also in an inactive table and in a suspended device. Both: 0, or -errno and a sentence; control thread, at once. A shared object is saved with each
	 * of its lines, and takes the first that it gets.
	 *
	 * For `dmuse daemon --replace` save() is called when all stands still (AT_REST): postsuspend() is over (dm_step.hand_over says that
	 * this comes), nothing is in flight, requests wait at the gates. If restore() fails there the device comes back suspended.
	 * A type with DM_TARGET_RECORDED is also asked (AT_REST false) when the table is first recorded, after a message that has
	 * set dm_ask.changed, and after dm_saved_changed() (saved.h): requests pass meanwhile, and if it fails, say because there is
	 * too much, the device will come back suspended.
	 * NULL, without DM_TARGET_FORGETS: there is nothing to be saved; with it the daemon cannot be replaced.
	 */
	int (*save)(const struct dm_target *t, bool at_rest, struct text *out, struct err *e);
	int (*restore)(struct dm_target *t, char *saved, size_t len, struct err *e);
	/*
	 * Could the line be handed over to another program as it is now? Asked before anything is held: 0, or -errno and a sentence
	 * that says what would help. NULL: yes, if it has save() or has nothing to save.
	 */
	int (*may_hand_over)(const struct dm_target *t, struct err *e);
	/* Prints the words for `table`, which can be loaded again; NULL if none. */
	void (*table)(const struct dm_target *t, struct text *out);
	/* Prints the status; NULL if there is none. */
	void (*status)(const struct dm_target *t, struct text *out);
	/*
	 * What `measure` prints after the target's name and version, in Linux's format: ",KEY=VALUE..." and a
	 * semicolon. NULL: nothing at all.
	 */
	void (*measure)(const struct dm_target *t, struct text *out);
	/* Which request sizes the line prefers (io_min, io_opt), if they are not those of its stores; NULL: they are. */
	void (*hints)(const struct dm_target *t, struct dm_limits *l);
	/*
	 * A request that map() had sent to END (dm_store_end() of its store) has failed; true: that is an event of the
	 * device. Not called for flushes, unsupported operations or read-ahead. On io threads, on several at once.
	 */
	bool (*failed)(const struct dm_target *t, const void *end);
	/* R, which map() had tracked with MARK, has ended or was put back (dm_track()). On its io thread. */
	void (*ended)(const struct dm_target *t, const struct dm_req *r, bool mark);
	/*
	 * A message, split into words (ask.h): 0, -errno with a sentence, or DM_HELD: dm_ask_done() is called later.
	 * NULL: it takes none. Control thread.
	 */
	int (*message)(struct dm_target *t, struct dm_ask *a);
	/*
	 * Brings what status() will print up to date, if that takes time: thin commits. The same results. Not called
	 * for a suspended device, an inactive table, or with noflush. NULL: not needed.
	 */
	int (*prepare_status)(struct dm_target *t, struct dm_ask *a);
	const struct dm_power *power;	/* NULL: what it stands on has none that can be cut */
};

#define DM_SMALL 16

/* One cache line, including a small private part: a request touches no more of a large table. */
struct dm_target {
	const struct dm_type *type;
	void *priv;
	struct dm_table *table;	/* the table of which it is a line */
	uint64_t start, len;	/* sectors of the device */
	uint32_t chunk;		/* sectors: requests are split at multiples of this; 0: no limit */
	uint32_t parts;		/* DISCARD and ZEROES are passed whole, once for each part 0..parts-1; 0: like others */
	alignas(8) unsigned char small[DM_SMALL];	/* where priv points, if it fits */
};

/* ctr() must not keep a pointer to its target, nor into such a small private part: both move until the table is complete. */
static inline bool dm_target_is_small(const struct dm_target *t)
{
	return t->type->size && t->type->size <= DM_SMALL;
}

/* Sends R to SECTOR of AT (relative to AT's offset). Returns DM_REMAPPED. */
static inline int dm_remap(struct dm_req *r, const struct dm_at *at, uint64_t sector)
{
	r->store = at->store;
	r->sector = at->offset + sector;
	return DM_REMAPPED;
}

/*
 * R, which the line is about to send on, ends later: ended() is told then, with MARK. For a type that has to know when what it
 * mapped is over (core/kit/epoch.h), and needs no child for anything else.
 */
static inline void dm_track(struct dm_req *r, bool mark)
{
	r->flags &= ~(uint32_t)DM_MAY_SHOW;	/* its bytes would be looked at when it has ended */
	r->tracked |= (uint8_t)(1u << r->depth);
	r->marks = (uint8_t)((r->marks & ~(1u << r->depth)) | (unsigned)mark << r->depth);
}

/* Appends "<device> <offset>" as printed by `table`. */
void dm_text_at(struct text *out, const struct dm_at *at);

/* Appends the store's name as printed by `status` and `deps`: MAJOR:MINOR of a device, else its path. */
void dm_text_store(struct text *out, const struct dm_store *s);

#endif
