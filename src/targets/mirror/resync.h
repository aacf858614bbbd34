/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the legs of a mirror equal: regions that are not synchronous are copied from the first leg to all others, several at a
 * time, in the order of their sectors, small neighbours in one copy (core/kit/sweep.h). It begins when the line is resumed, and once
 * more where a request was cut short. A copy of several regions that fails is made again one by one; a region whose copy fails is left
 * alone until the next resume.
 */
#ifndef TARGETS_MIRROR_RESYNC_H
#define TARGETS_MIRROR_RESYNC_H

#include "core/kit/copy.h"
#include "core/kit/sweep.h"

struct mirror;

struct rebuild {
	struct sweep_hand hand;
	struct copy copy;
	bool failed;			/* a leg did not take it */
};

struct resync {
	struct copier *copier;
	struct sweep sweep;
	struct rebuild rebuilds[SWEEP_HANDS];
};

/* 0 or -errno and a sentence. Control thread. */
int resync_new(struct mirror *m, struct err *e);
void resync_free(struct mirror *m);

#endif
