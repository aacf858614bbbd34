/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copier copies chunks from one place to others, several at once, for one object. Use it where sectors have to be moved as
 * they are: an old chunk that a snapshot needs, a leg that is resynchronised, a block that is no longer shared. Do not use it
 * for data that a type changes on the way (crypt, parity), nor across objects: each has its own copier, because a copy of an
 * upper object ends only when those below it have, and copies that shared buffers would wait for each other.
 *
 * All that copies need is reserved with the copier, so they cannot fail for want of memory; those that are too many wait in
 * line. What a request waits for goes before what is done in the background, and one of the buffers is always left for it.
 * The throttle is for background copies alone. Every copy ends with done(), on its io thread; on failure it says which place
 * failed and where. A copy does not look whether somebody writes to the chunk meanwhile: its owner holds the cell (cells.h).
 */
#ifndef CORE_COPY_H
#define CORE_COPY_H

#include "core/table/args.h"
#include "core/path/io.h"

#define COPY_PLACES 9u

enum copy_class {
	COPY_WAITED,		/* a request waits for it */
	COPY_BACKGROUND,
	COPY_CLASSES
};

/* In its owner's memory until done(). */
struct copy {
	struct dm_io *io;			/* on whose thread it is done */
	void (*done)(struct copy *c);
	const struct dm_at *from, *to[COPY_PLACES];
	unsigned n_to;
	enum copy_class class;
	uint64_t sector, sectors;		/* which ones, counted from each place */
	uint32_t flags;				/* DM_FUA: the copies are durable at done(); or 0 */
	/* The answer. */
	int err;				/* 0, or -errno ... */
	const struct dm_at *where;		/* ... of this place, ... */
	uint64_t copied;			/* ... in the piece that follows these sectors */
	/* The copier's. */
	struct loop_msg msg;
	struct copier *copier;
	struct copy_slot *slot;
};

struct copier;

/* At most SLOTS (2 or more) copies at once, each in pieces of SECTORS: 0 or -errno and a sentence. Control thread. */
int copier_new(struct copier **out, struct dm_world *w, unsigned slots, uint32_t sectors, struct err *e);
void copier_free(struct copier *all);		/* no copy is under way; NULL is harmless. Control thread */

/* Any thread. */
void copy_start(struct copier *all, struct copy *c);

/* Background copies work PERCENT (1 to 100) of the time. Any thread. */
void copier_throttle(struct copier *all, unsigned percent);
/*
 * They copy at most SECTORS a second (0: any number), except that a piece rests for half a second at most, because a suspend waits
 * for it. Any thread.
 */
void copier_limit(struct copier *all, uint64_t sectors);
unsigned copier_percent(struct copier *all);

/* Since it was made. Any thread. */
struct copy_progress {
	uint64_t sectors, copies, failed;
};
struct copy_progress copier_progress(struct copier *all);

#endif
