/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metadata of an array: superblocks and bitmaps, which are the same on all legs but for what a superblock says of its own leg. A
 * clerk reads them when the line is resumed for the first time, and writes them when something has changed; the bits are marked and
 * unmarked by core/kit/marks.h. A leg whose metadata cannot be written is dead. If that is the last one, nothing is written any
 * more to regions that are not marked (`lost`).
 */
#ifndef TARGETS_RAID_METADATA_H
#define TARGETS_RAID_METADATA_H

#include <stdatomic.h>

#include "core/kit/clerk.h"
#include "core/kit/marks.h"

struct array;
struct dm_step;

struct metadata {
	struct clerk *clerk;
	struct marks marks;
	atomic_bool lost;
	/* The clerk's. */
	struct clerk_job begin, again, record;
	struct dm_step *asked;		/* the control thread's: of the job that it has posted */
	uint32_t block;			/* bytes: all is written in multiples of them */
	size_t bytes;			/* of the bitmap */
	uint8_t *bitmap;		/* what is on all legs ... */
	uint8_t *changed;		/* ... but for these blocks */
	uint8_t *super;			/* of one leg; a block */
	uint64_t events, cleared;
	bool unwritten;			/* metadata_write() was cut short */
	/* Set by the control thread, which then has them recorded; the clerk reads them. */
	_Atomic uint64_t synchronous;
};

/* 0 or -errno and a sentence. Control thread. */
int metadata_new(struct array *a, struct err *e);
void metadata_free(struct metadata *m);

/* Reads them and assembles the array, or S ends with a sentence. Control thread. */
void metadata_begin(struct array *a, struct dm_step *s);
/* The line is resumed once more: legs that have failed are tried again. Ends S. Control thread. */
void metadata_again(struct array *a, struct dm_step *s);
/* What has become of the legs and the array is to be written. Any thread. */
void metadata_record(struct array *a);
/* No write is under way: unmarks all that can be. Ends S. Control thread. */
void metadata_settle(struct array *a, struct dm_step *s);

/* The clerk's. All legs that are written to are flushed; false: one of them could not be, and is not dead for that. */
bool metadata_flush_legs(struct array *a);
/* The clerk's. All that has changed, on all legs that are written to. 0; or an error that is no failure of one: it was cut short. */
int metadata_write(struct array *a);
void metadata_job_begin(struct clerk *c, struct clerk_job *j);
void metadata_job_again(struct clerk *c, struct clerk_job *j);

#endif
