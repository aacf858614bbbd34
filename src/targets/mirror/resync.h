/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the legs of a mirror equal: regions that are not synchronous are copied from the first leg to all others, several at a
 * time, in the order of their sectors. It begins when the line is resumed, and once more where a request was cut short; a region
 * whose copy fails is left alone until the next resume.
 */
#ifndef TARGETS_MIRROR_RESYNC_H
#define TARGETS_MIRROR_RESYNC_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/kit/copy.h"

struct dm_step;
struct mirror;

#define RESYNC_AT_ONCE 4u

/* One region at a time, on its own io thread. */
struct rebuild {
	struct mirror *mirror;
	struct copy copy;
	struct loop_msg msg;		/* it looks for a region, or copies the one that it has */
	_Atomic uint64_t region;	/* that it has, or REBUILD_NONE; set before that is told to the regions */
	bool failed;			/* a leg did not take it */
	bool busy;			/* resync.lock */
};

struct resync {
	struct copier *copier;
	pthread_mutex_t lock;		/* guards what follows, and rebuild.busy */
	uint64_t next;			/* the regions before it have been looked at */
	unsigned busy;
	bool stopped;
	struct dm_step *step;		/* waits until none is busy */
	struct rebuild rebuilds[RESYNC_AT_ONCE];
};

/* 0 or -errno and a sentence. Control thread. */
int resync_new(struct mirror *m, struct err *e);
void resync_free(struct mirror *m);

/* From the first region on. */
void resync_start(struct mirror *m);
/* Ends S when nothing is being copied any more. */
void resync_stop(struct mirror *m, struct dm_step *s);

/* Region REGION may have to be copied; or: it has no writes any more, and whoever waited for that copies it. Any thread. */
void resync_region(struct mirror *m, uint64_t region);
void resync_is_quiet(struct mirror *m, uint64_t region);

#endif
