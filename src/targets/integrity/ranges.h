/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sectors are being read and written: a sector and its tag change at two moments, and nobody may see them between these.
 * So writes that overlap happen one after the other, and reads wait for writes; reads do not wait for each other. Whoever comes
 * waits for all before him that he does not get along with, also for those that wait themselves: so nobody waits for ever.
 *
 * A range lies within one of the chunks in which requests are cut; a lock for each of some chunks guards the ranges in them. It
 * is in its owner's memory, so taking one cannot fail.
 */
#ifndef INTEGRITY_RANGES_H
#define INTEGRITY_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

struct ranges;

struct range {
	uint64_t sector, count;
	bool writes;
	void (*got)(struct range *r);	/* for who waited: on the thread of HOME */
	struct loop *home;
	struct loop_msg msg;		/* from here on: the ranges' */
	struct range *next;
	bool waits;
};

/* 0 or -errno and a sentence. */
int ranges_new(struct ranges **out, struct err *e);
void ranges_free(struct ranges *all);		/* NULL is harmless */

/* True: R has it. False: R->got() comes later. CHUNK: sectors, a power of two, always the same. Any thread. */
bool range_take(struct ranges *all, struct range *r, uint32_t chunk);
void range_give(struct ranges *all, struct range *r, uint32_t chunk);

#endif
