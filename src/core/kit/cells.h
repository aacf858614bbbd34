/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cells: one thing at a time happens to a chunk. Whoever wants a chunk brings a cell; the first one holds the chunk, the
 * others wait in line, each on its own io thread. Use cells where a request has to keep others off while it copies, allocates
 * or computes for a chunk. Do not use them for what every request passes on its way (a mapping that is known needs no cell),
 * nor against requests that were sent on before the cell was taken: they are waited for in an epoch (core/kit/epoch.h).
 *
 * A holder ends in one of two ways: cell_give() makes the next in line the holder; cell_open() lets all that wait go on at
 * once, because what they waited for has happened (the chunk is copied). Whoever needs two chunks takes the one with the
 * lower number first, with cells_take_both(); of two objects, the upper one's first. Presuspend calls cells_turn_away(): who waits
 * is let go with CELL_BACK, to be put back (or to go on), and so is whoever would have to wait from then on.
 *
 * One small lock for each bucket guards its chunks; no function is called under it. A cell is in its owner's memory, so
 * taking a chunk cannot fail.
 */
#ifndef CORE_CELLS_H
#define CORE_CELLS_H

#include "base/err.h"
#include "base/loop.h"

struct cells;

enum cell_verdict {
	CELL_HELD,	/* the chunk is its own now: it ends with cell_give() or cell_open() */
	CELL_OPEN,	/* the holder is through, and the chunk is free: it goes on, or takes it anew */
	CELL_BACK,	/* nobody waits any more: it does not hold the chunk */
};

struct cell {
	void (*got)(struct cell *c, enum cell_verdict v);	/* for who waits: later, on the thread of HOME */
	struct loop *home;
	uint64_t chunk;
	struct loop_msg msg;		/* from here on: the cells' */
	uint8_t verdict;		/* that is on its way */
	struct cell *next;		/* in the bucket, of holders; or in line */
	struct cell *line, **last;	/* of a holder: who waits for the chunk */
};

/* 0 or -errno and a sentence. BUCKETS: a power of two, some for each chunk that may be held at a time. Control thread. */
int cells_new(struct cells **out, unsigned buckets, struct err *e);
void cells_free(struct cells *all);	/* none is held; NULL is harmless. Any thread */

/* CELL_HELD or CELL_BACK at once; -EINPROGRESS: it is in line, and got() says the rest. On any thread. */
int cell_take(struct cells *all, struct cell *c);

/* C is a holder, and is its owner's again when this returns. Any thread. */
void cell_give(struct cells *all, struct cell *c);
void cell_open(struct cells *all, struct cell *c);

/* From now on nobody waits: see above. Holders keep what they have. Any thread. */
void cells_turn_away(struct cells *all);
void cells_let_wait(struct cells *all);		/* as before, from now on */

/* Two chunks for one owner, of the same number or not. */
struct cell_pair {
	struct cell low, high;			/* LOW alone, if both are the same chunk */
	struct cells *all;
	void (*got)(struct cell_pair *p, enum cell_verdict v);	/* with CELL_OPEN or CELL_BACK it holds neither */
};

/* As cell_take(), for chunks A and B. */
int cells_take_both(struct cells *all, struct cell_pair *p, uint64_t a, uint64_t b, struct loop *home);
void cells_give_both(struct cell_pair *p);
void cells_open_both(struct cell_pair *p);

#endif
