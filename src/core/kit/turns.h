/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns: held requests have a chunk to themselves, one after the other: a cell (core/kit/cells.h) and memory (core/kit/reserve.h) for
 * each of them. Use turns where a request must copy, allocate or compute before it can go on, and requests for the same chunk
 * must not do that at the same time. A request whose chunk needs no such work does not take a turn. Whoever has a turn looks
 * first whether the one before has done the work already. A request that has a turn does not get children, with which it would
 * end (core/path/child.h): a type that needs both takes a cell.
 *
 * A turn ends by itself sooner or later, so a device with requests that wait for theirs can be suspended.
 */
#ifndef CORE_TURNS_H
#define CORE_TURNS_H

#include "core/kit/cells.h"
#include "core/path/held.h"

struct turns;

/* The head of the type's own struct for such a request. */
struct turn {
	struct dm_req *req;
	struct turns *all;
	struct cell cell;		/* cell.chunk: of which chunk it is */
};

/*
 * At most N requests wait or work at a time; more are in line for that. SIZE: of the struct that begins with struct turn.
 * GOT: the request has the chunk to itself, on its io thread; the rest of the struct is not cleared. 0 or -errno and a sentence.
 * Control thread.
 */
int turns_new(struct turns **out, unsigned n, size_t size, void (*got)(struct turn *t), struct err *e);
void turns_free(struct turns *all);	/* no request has or waits for a turn; NULL is harmless. Control thread */

/* In map(): R wants a turn on CHUNK. Returns DM_HELD; GOT may have been called. */
int turn_take(struct turns *all, struct dm_req *r, uint64_t chunk);

/* The turn is over and its request goes on with VERDICT, as with dm_go_on(). Any thread. */
void turn_end(struct turn *t, int verdict);

/*
 * From now on nobody waits for a turn: whoever does, and whoever would have to, is put back to the gate. For presuspend with
 * noflush; whoever has a turn keeps it. resume() lets them wait again. Any thread.
 */
void turns_turn_away(struct turns *all);
void turns_let_wait(struct turns *all);

#endif
