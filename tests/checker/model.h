/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sectors of a volume may contain. Each has one writer, whose requests are numbered; what a write brings carries its
 * number. So a sector may contain what the last write that was answered with success brought, or any later one, whether it
 * failed or is under way; and after a power cut, what the last one brought that was durable, or any later one.
 */
#ifndef TESTS_CHECKER_MODEL_H
#define TESTS_CHECKER_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/path/req.h"

#define AREA 16u		/* sectors of one writer */

struct model_sector {
	_Atomic uint64_t sure;		/* it is from this write, or a later one */
	_Atomic uint64_t durable;	/* and so after a power cut */
	_Atomic uint64_t issued;	/* the last one that was sent */
	_Atomic uint64_t zeroes, discard;	/* the last ones of these kinds */
	/* Clients have stopped when these change. */
	const uint8_t *before;		/* what it had before anything was written, */
	uint64_t reset;			/* as if that had been this write */
	bool zeros;			/* its line reads as zeros whatever is written */
};

struct model_area {
	unsigned number;		/* of the writer: in the stamps */
	uint64_t start;			/* the sector of the volume that is its first */
	_Atomic uint64_t write;		/* the last number; the writer's */
	struct model_sector at[AREA];
};

/* From a moment on: what was sure at that time. */
struct model_view {
	uint64_t least[AREA];
};

void model_init(struct model_area *a, unsigned number, uint64_t start);
/* Sector I contains BEFORE now, which stays there; nothing that was written until now is there. */
void model_reset(struct model_area *a, unsigned i, const uint8_t *before, bool zeros);
/* Only what is durable is sure. */
void model_lose(struct model_area *a);
void model_see(const struct model_area *a, struct model_view *v);
void model_see_durable(const struct model_area *a, struct model_view *v);

/* The writer: OP is about to be sent; for a WRITE, DATA is filled in. Then its answer. */
void model_begin(struct model_area *a, enum dm_op op, unsigned first, unsigned n, uint8_t *data);
void model_end(struct model_area *a, enum dm_op op, bool fua, unsigned first, unsigned n, int err);
/* Everything in V is durable. */
void model_flushed(struct model_area *a, const struct model_view *v);

/* Is DATA of N sectors from FIRST on what it may be, after V? Else it is found; WHO has read it. */
bool model_check(struct model_area *a, const struct model_view *v, unsigned first, unsigned n, const uint8_t *data, const char *who);
/* The writer, no request is under way: what it read stays. */
void model_settle(struct model_area *a, unsigned first, unsigned n, const uint8_t *data);

#endif
