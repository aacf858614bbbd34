/* SPDX-License-Identifier: BSD-2-Clause */
/* A recorder in memory: it outlives the worlds that a test ends, and fails when it is told to. */
#ifndef TESTS_SUPPORT_RECORDER_H
#define TESTS_SUPPORT_RECORDER_H

#include "core/state/recorder.h"
#include "support/world.h"

struct recorder {
	struct dm_recorder r;
	struct list values, next;	/* what was committed, and the frame that was not yet */
	int fail;			/* -errno of the commits from now on; 0: they succeed ... */
	unsigned after;			/* ... but so many succeed before */
	unsigned frames;		/* committed so far */
	struct journal_wait *waiting;	/* for recorder_sync() */
};

void recorder_init(struct recorder *r);
void recorder_free(struct recorder *r);

/* Whoever waits for the disk goes on: 0, or -errno. */
void recorder_sync(struct fixture *f, struct recorder *r, int code);

/* The committed value, or NULL. */
const char *recorder_value(struct recorder *r, const char *key);
/* All of them, "KEY VALUE" sorted by key, to be freed. */
char *recorder_all(struct recorder *r);

/* F's world, which has no devices, has R's; what could not be brought back is counted. */
unsigned recorder_restore(struct fixture *f, struct recorder *r);

#endif
