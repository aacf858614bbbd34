/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state: what a disk shows after a cut. Everything before the epoch of the cut is there. Of the candidates each piece, that is
 * one write's part of one atomic unit, is there or lost; a discard is one piece. Pieces that are there take effect in the order
 * of the log, so a unit shows its durable version or any later one.
 *
 * Its name is what --play takes:
 *
 *   CUT                 nothing is lost
 *   CUT-all             all candidates are lost
 *   after               no cut: the disk when its file system had been unmounted
 *   CUT-LIST            these are lost: numbers of candidates from 1 on, N, N-M, or N.U: only unit U of it; separated by commas
 */
#ifndef CRASH_STATE_H
#define CRASH_STATE_H

#include "base/text.h"
#include "crash/history.h"

/* The pieces of a cut, in the order of the log. */
struct piece_of_cut {
	uint32_t write;			/* index in history.writes */
	uint32_t candidate;		/* which one it is of the cut, from 1 */
	uint32_t part;			/* which unit of the write, from 1; 0: all of it is one piece */
	uint64_t sector, count;
};

struct pieces {
	struct piece_of_cut *at;
	size_t n;
	uint32_t candidates;
};

struct state {
	const struct history *history;
	const struct history_cut *cut;
	struct pieces pieces;
	bool *lost;			/* of each piece */
};

int pieces_of(struct pieces *p, const struct history *h, const struct history_cut *c, struct err *e);
void pieces_free(struct pieces *p);

/* Nothing is lost. */
int state_new(struct state *s, const struct history *h, const struct history_cut *c, struct err *e);
/* From its name. */
int state_parse(struct state *s, const struct history *h, const char *name, struct err *e);
void state_free(struct state *s);

void state_name(const struct state *s, struct text *out);

/* How many writes are lost, in whole or in part. */
size_t state_lost_writes(const struct state *s);

/*
 * What is lost may be anything: it becomes what the model allows. A unit shows all that was written to it before a piece that is there, so
 * an older piece is not lost.
 */
int state_settle(struct state *s, struct err *e);

/* Loses what the seed says (targets/powercut/survive.h). 0 or -ENOMEM and a sentence. */
int state_draw(struct state *s, uint64_t seed, struct err *e);

#endif
