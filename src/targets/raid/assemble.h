/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is made of an array's superblocks, by Linux's rules: the one with the most events is right about the array. Legs without one,
 * and those that the words want rebuilt, are new. If all are new, so is the array. A few are new only if the words say so. A leg that
 * has failed is behind, and lacks what is marked; a new one lacks everything; one that was being rebuilt goes on, also if it has failed.
 *
 * A superblock of the first event says that the array was being made when the machine stopped: before the second one nothing is
 * written to it. So it is new even if some legs have such a superblock already.
 *
 * Superblocks are not believed: what says that the array is another one, or changing its shape, or of a later version, is refused.
 */
#ifndef TARGETS_RAID_ASSEMBLE_H
#define TARGETS_RAID_ASSEMBLE_H

#include "targets/raid/format.h"
#include "targets/raid/raid.h"

#define RSB_FIRST 1u			/* events */

/* Of one leg: what was read of its metadata. */
struct raid_found {
	bool failed;			/* they could not be read */
	bool has;			/* a superblock */
	struct raid_super super;
};

struct raid_verdict {
	bool is_new;			/* the array */
	uint64_t events;		/* 0: none yet */
	uint64_t synchronous;		/* sectors in which good legs are equal, but for what is marked; or RAID_ALL */
	uint64_t size;			/* sectors that the array had, if it was shorter than the line; or RAID_ALL */
};

/* N LEGS, whose state is set. SYNC: the words'. 0, or -EINVAL and a sentence, and the legs are as they were. */
int raid_assemble(struct raid_leg *legs, const struct raid_found *found, unsigned n, enum raid_sync sync, uint64_t sectors,
		  struct raid_verdict *v, struct err *e);

#endif
