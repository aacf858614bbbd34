/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exception store: where the chunks of an origin are kept for one snapshot, and which ones. It is a shared object of its
 * device, so a reload, a merge that takes over and the origin's writes all find the same one.
 *
 *   UNREAD -> (the first preresume: the header and the exceptions are read, or a new header is written) -> VALID
 *   VALID  -> INVALID, for ever: a chunk was lost, because there was no room or a disk failed
 *   VALID  -> OVERFLOWED: there is no room, and a write to the snapshot was refused; nothing was lost yet (PO only)
 *   any    -> UNREAD, when the last line that used it is retired
 *
 * Invariants:
 *
 * - A chunk of the origin is in the table (exceptions.h) only if its copy is durable, and so is the entry that says so (a
 *   transient store promises nothing). Whoever changes the chunk in the origin waits for that.
 * - Entries are written in groups: all that wait go with one flush, which makes durable the entries that were written before
 *   it and the data of those that are written after it. Only who has the clerk's place writes to header and areas: its jobs, or a
 *   commit on the io thread that began it (cow_commit.c).
 * - An area is written to only if the one after it was zeroed, durably, before its last entry.
 * - INVALID is durable before the origin changes what the snapshot has lost.
 * - A request that ends because the world ends (ESHUTDOWN) or was interrupted (EINTR) invalidates nothing.
 */
#ifndef TARGETS_SNAPSHOT_COW_H
#define TARGETS_SNAPSHOT_COW_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/device/step.h"
#include "core/kit/cells.h"
#include "core/kit/clerk.h"
#include "core/kit/shared.h"
#include "core/path/failed.h"
#include "core/table/target.h"
#include "targets/snapshot/cow_entries.h"
#include "targets/snapshot/exceptions.h"
#include "targets/snapshot/format.h"

#define COW_UNSETTLED 256u
#define COW_MORE_ROOM 64u		/* in memory, for so many exceptions more than its origin has chunks */

/* What the words of a line say of its store. */
struct cow_words {
	bool persistent, overflows;	/* P, and O */
	uint32_t chunk;			/* sectors; 0: the store's */
};

struct cow {
	struct dm_shared shared;	/* first */
	struct dm_at at;		/* all of its device */
	struct clerk *clerk;		/* of a persistent store */
	struct cells *cells;		/* one request at a time makes an exception of a chunk */
	/* The control thread's: lines that have bound it and were not retired since; the one that has it. */
	unsigned users;
	struct snap_line *owner;
	const struct origin *origin;	/* of all lines that have bound it; NULL: there are none */

	/* What was read; it does not change while there are users. */
	atomic_bool bound;
	struct cow_words words;
	uint32_t chunk;			/* sectors */
	unsigned shift;			/* 1 << shift is chunk */
	uint64_t per_area, old_chunks;	/* entries of an area; chunks of the line */
	struct exceptions *table;

	atomic_bool invalid, overflowed, merge_failed;
	_Atomic(struct dm_table *) events;	/* the table whose line has it gets them */

	/* Chunks by their last bits: how many of them have an exception that is not settled yet (claim.h). */
	_Atomic uint16_t unsettled[COW_UNSETTLED];

	pthread_mutex_t lock;		/* guards what follows */
	uint64_t sectors;		/* of its device */
	uint64_t next_free;		/* chunk */
	uint64_t shown_free;		/* while it is merged: what `status` has for it; or 0 */
	uint64_t area;			/* that is being filled */
	struct cow_entries waiting;
	bool posted;			/* a commit is under way, or about to be, and takes what waits */

	/* The commit's (cow_commit.c). */
	struct dm_io *io;		/* on whose thread it is: that which has found it not posted */
	struct loop_work step;		/* its next one is THEN, ... */
	struct loop_msg msg;		/* ... or the first round, if the clerk had to pass on its place (JOB) */
	struct clerk_job job;
	struct dm_req req;		/* what it waits for, ... */
	void (*then)(struct cow *c);	/* ... and what follows */
	struct cow_entries copied, written;
	bool alone;			/* nothing waits but what is written now */
	uint64_t zero_at;		/* sectors of the next area that are zeroed */

	/* Of who has the clerk's place. */
	uint8_t *block;			/* one block of an area ... */
	uint32_t block_bytes;
	uint64_t block_at;		/* ... this one, counted over all areas (cow_block.c); UINT64_MAX: none */
	uint64_t committed;		/* entries in `area` */
	uint64_t zeroed, zeroing;	/* the last area that is durably zeroed, or full; and will be after the next flush */
	bool told;			/* that it is invalid is in the header */
	int stuck;			/* a commit was cut short with this error, which is no failure: none begins until it is read anew */
};

/* The store on AT; P: persistent. 0 or -errno and a sentence. Control thread. */
int cow_get(struct cow **out, const struct dm_at *at, bool persistent, struct err *e);
void cow_put(struct cow *c);			/* NULL is harmless */

/* --- control thread: lines come and go (cow_bind.c) --- */

/* What a transient store is, for another program: a header, then its runs of exceptions. */
struct cow_saved {
	uint64_t next_free, runs;
	uint32_t invalid, overflowed;
	struct {
		uint64_t old_chunk, new_chunk, run;
	} at[];
};

/* Who asks for a store to be read. In its owner's memory until the step is over. */
struct cow_bind {
	struct clerk_job job;
	struct cow *cow;
	struct cow_words words;
	uint64_t sectors;		/* of the line */
	uint32_t logical;		/* bytes: the larger logical block of store and origin */
	bool lost;			/* it is transient, and ended with an earlier daemon */
	const struct cow_saved *saved;	/* or it was saved by an earlier program; NULL: neither */
	struct dm_step *step;
	void (*failed)(struct cow_bind *b);	/* before the step ends with an error; any thread */
};

/* Reads it, if nobody has: the step ends, and with success there is one more user. */
void cow_bind(struct cow_bind *b);
void cow_unbind(struct cow *c);			/* one user less */

/* Its device may have another size by now. */
void cow_look(struct cow *c);

/* --- any thread --- */

static inline bool cow_is_valid(const struct cow *c)
{
	return !atomic_load_explicit(&c->invalid, memory_order_acquire);
}

static inline uint64_t cow_chunk(const struct cow *c, uint64_t sector)
{
	return sector >> c->shift;
}

/* Sectors up to the end of the chunk in which SECTOR is. */
static inline uint64_t cow_room(const struct cow *c, uint64_t sector)
{
	return c->chunk - (sector & (c->chunk - 1));
}

static inline bool cow_find(const struct cow *c, uint64_t old_chunk, uint64_t *new_chunk)
{
	return exceptions_find(c->table, old_chunk, new_chunk);
}

static inline _Atomic uint16_t *cow_unsettled(struct cow *c, uint64_t old_chunk)
{
	return &c->unsettled[old_chunk % COW_UNSETTLED];
}

/* May OLD_CHUNK change in the origin, as far as C is concerned? False also if that is only not sure. */
static inline bool cow_has(const struct cow *c, uint64_t old_chunk)
{
	uint64_t new_chunk;

	return cow_find(c, old_chunk, &new_chunk) && !atomic_load_explicit(&c->unsettled[old_chunk % COW_UNSETTLED], memory_order_acquire);
}

/* Does A come before B in an origin's set, of those that have chunks of CHUNK sectors? */
static inline bool cow_comes_before(uint32_t a_chunk, const struct cow *a, uint32_t b_chunk, const struct cow *b)
{
	return a_chunk != b_chunk ? a_chunk > b_chunk : (uintptr_t)a < (uintptr_t)b;
}

/* A free chunk, or false: there is no room. On IO's thread. */
bool cow_allocate(struct cow *c, const struct dm_io *io, uint64_t *new_chunk);

/*
 * E's data is copied: makes it an exception, durably. Of a store that is invalid: waits until that is durable, and fails. On the
 * thread of E->io.
 */
void cow_make(struct cow *c, struct cow_entry *e);

/* It has lost a chunk, because of ERR. */
void cow_invalidate(struct cow *c, int err);
/* There is no room for a write to the snapshot, which is refused: that is all, of a store that says so. */
void cow_overflow(struct cow *c);
void cow_fail_merge(struct cow *c);

/* "16/48 8", in sectors. */
void cow_usage(struct cow *c, uint64_t *allocated, uint64_t *total, uint64_t *metadata);

/* --- of who has the clerk's place (cow_block.c); those that return an error or 0 are for the clerk itself --- */

#define COW_ZERO_SECTORS 128u

extern const uint8_t cow_zeros[];		/* so many sectors */
uint64_t cow_block_of(const struct cow *c, uint64_t area, uint64_t entry);	/* which one has that entry, ... */
uint64_t cow_block_sector(const struct cow *c, uint64_t block);			/* ... and where it begins */
int cow_block_load(struct cow *c, uint64_t area, uint64_t entry);	/* the block with that entry */
int cow_block_write(struct cow *c, uint32_t flags);
struct snap_entry cow_block_get(const struct cow *c, uint64_t entry);
void cow_block_put(struct cow *c, uint64_t entry, struct snap_entry e);
int cow_write_header(struct cow *c, bool valid);
int cow_zero_chunk(struct cow *c, uint64_t chunk);

void cow_commit_init(struct cow *c);
/* E is added to what waits; the commit begins at the end of this turn, unless it is under way. */
void cow_commit(struct cow *c, struct cow_entry *e);

/* --- merging: jobs of the clerk (cow_merge.c) --- */

/*
 * The last exceptions of the store, MOST at most, the last one first: how many, 0 if there is none left, or -errno. They are in
 * one block, so that they can be cleared with one write.
 */
int cow_merge_next(struct cow *c, struct snap_entry *out, unsigned most);
/* These N are in the origin, durably: they are no exceptions any more. 0 or -errno. */
int cow_merge_clear(struct cow *c, unsigned n);

#endif
