/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An epoch says when everything that was mapped before now has ended. A shared object has one; each request that uses what the
 * object says (where a block lies, say) enters it when it is mapped and leaves it when it has ended. Who has changed that
 * waits in the epoch before the old place is used for something else. Use it where a request may still be on its way to the
 * old place although nobody can be sent there any more: a read through a snapshot that went to the origin, a block that is
 * remapped, discarded or no longer shared. Do not use it to keep two requests off one chunk (that is a cell, core/kit/cells.h) or
 * to free a table (that is a round, core/path/round.h). Whoever waits must not itself be in the epoch, or it waits for itself.
 *
 * Entering and leaving are an addition each on the request's own io thread. There are two generations: a wait lets every io
 * thread go on with the other one, and is over when none has a request of the old one; threads that sleep are not woken for
 * it. One such turn is under way at a time; those that begin to wait meanwhile share the next one.
 */
#ifndef CORE_EPOCH_H
#define CORE_EPOCH_H

#include "base/err.h"
#include "core/path/io.h"

struct epoch;

/* In its owner's memory until done(), which comes on the thread of HOME. */
struct epoch_wait {
	void (*done)(struct epoch_wait *w);
	struct loop *home;
	struct loop_msg msg;		/* the epoch's from here on */
};

/* 0 or -errno and a sentence. Control thread. */
int epoch_new(struct epoch **out, struct dm_world *w, struct err *e);
/* Nobody is in it or waits. NULL is harmless. Control thread. */
void epoch_free(struct epoch *e);

/* On IO's thread: the generation, which the request keeps for epoch_leave(). */
unsigned epoch_enter(struct epoch *e, const struct dm_io *io);
void epoch_leave(struct epoch *e, const struct dm_io *io, unsigned generation);

/* Any thread: W->done() comes when all that entered before this call have left. */
void epoch_wait(struct epoch *e, struct epoch_wait *w);

#endif
