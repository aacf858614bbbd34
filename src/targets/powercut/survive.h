/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a power cut leaves of a disk with a volatile write cache. Pure functions: no world, no device, no I/O, so that a disk
 * that is running (powercut) and a recording of one share the model and the test of it.
 *
 * The model. A disk takes requests one after the other; that order numbers them. It keeps atomic units: a unit is never
 * torn. A version of a unit is its content after a request that covers some of it, and all requests before that one.
 *   - A flush covers the requests that had ended before it began, and counts once it has ended.
 *   - A request with FUA is durable once it has ended. No other request is durable because of it.
 *   - A request that is under way at the cut may be there, absent or torn.
 *   - Of each unit the newest durable version may survive, or any later one.
 * Discards and zeroes are requests like writes.
 *
 * Which of the allowed states it is, a mode and a seed say:
 *   lost       the durable version of every unit
 *   kept       the last version of every unit
 *   prefix     the requests up to one of them, as if the disk wrote back in order
 *   subset     some requests, each whole
 *   reordered  the disk writes back in an order of its own, and the cut comes in between: an older version may be the last
 *   torn       some requests whole, some in part; every allowed state is one of these
 *   any        one of the above, as the seed says
 *
 * All choices are a hash of the seed and of the number of a request (and of the unit, where a request is torn): the
 * finalizer of splitmix64 (Steele, Lea, Flood, 2014) on 64-bit integers. So they are the same on every machine, need no state,
 * and can be made in any order.
 */
#ifndef POWERCUT_SURVIVE_H
#define POWERCUT_SURVIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum survive_mode {
	SURVIVE_LOST,
	SURVIVE_KEPT,
	SURVIVE_PREFIX,
	SURVIVE_SUBSET,
	SURVIVE_REORDERED,
	SURVIVE_TORN,
	SURVIVE_ANY,
	SURVIVE_MODES
};

/* Its name; and the mode of a name, or SURVIVE_MODES. */
const char *survive_mode_name(enum survive_mode mode);
enum survive_mode survive_mode_find(const char *name);

/* The seed that follows SEED where several cuts are made with one. */
uint64_t survive_next_seed(uint64_t seed);

/* One choice for the whole disk. */
struct survive_draw {
	enum survive_mode mode;		/* never SURVIVE_ANY */
	uint64_t seed;
	uint64_t end;			/* prefix: the requests before this number survive */
	uint64_t below;			/* subset, reordered, torn: those whose toss is below it */
};

/* The requests that are not durable have numbers from OLDEST to NEWEST; without any, both are 0. */
void survive_draw(struct survive_draw *d, enum survive_mode mode, uint64_t seed, uint64_t oldest, uint64_t newest);

/* A request that is not durable. */
struct survive_req {
	uint64_t number;
	uint64_t first, units;		/* that it covers, perhaps in part */
};

/*
 * 0: R does not survive on UNIT. Else the one with the highest rank among those that are newer than the unit's durable version
 * is the version that the unit has; none: the durable one.
 */
uint64_t survive_rank(const struct survive_draw *d, const struct survive_req *r, uint64_t unit);

/* For so many units from UNIT on R has the same rank. */
uint64_t survive_same(const struct survive_draw *d, const struct survive_req *r, uint64_t unit);

/* The rest is for a recording: what became of each request until the cut, and the versions that follow from that. */

#define SURVIVE_NEVER UINT64_MAX

/* Stamps are of one clock, in any unit; of two things at the same time neither is before the other. */
struct survive_op {
	uint64_t first, count;		/* sectors; a flush has none */
	uint64_t began, ended;		/* SURVIVE_NEVER: it did not end */
	bool flush, fua;
};

enum survive_fate {
	SURVIVE_UNBORN,			/* it is a flush, or came after the cut */
	SURVIVE_OPEN,			/* it may be there or not */
	SURVIVE_DURABLE,
};

/* What the flushes before a cut cover: what ended before COVERED. */
struct survive_past {
	uint64_t cut;			/* what has this stamp or a later one did not happen */
	uint64_t covered;
};

struct survive_past survive_past(const struct survive_op *ops, size_t n, uint64_t cut);
enum survive_fate survive_fate(const struct survive_past *p, const struct survive_op *op);

/*
 * Units in a row that share their versions. Version V is that of ops[V - 1]; 0 is what the durable requests alone, in their
 * order, make of the unit.
 */
struct survive_span {
	uint64_t first, units;
	size_t floor;			/* the durable version */
	const size_t *versions;		/* the later ones, in order */
	size_t n;
};

/* The units that open requests cover, in order. Others are as the durable requests leave them. */
struct survive_set {
	const struct survive_op *ops;
	uint32_t unit;			/* sectors */
	uint64_t oldest, newest;	/* numbers of open requests: indices into OPS */
	size_t n_open;
	struct survive_span *spans;
	size_t n;
	size_t *versions;
};

/* OPS stay the caller's, and stay. 0, or -ENOMEM. */
int survive_open(struct survive_set *s, const struct survive_op *ops, size_t n, uint64_t cut, uint32_t unit);
void survive_close(struct survive_set *s);

/* The version of UNIT of SPAN that survives, and in *SAME for how many units of the span from there on. */
size_t survive_version(const struct survive_set *s, const struct survive_draw *d, const struct survive_span *span, uint64_t unit,
		       uint64_t *same);

#endif
