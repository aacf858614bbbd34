/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a mirror on a disk (format.h): what is written there, and what becomes of it when that fails. When it is marked and
 * unmarked is core/kit/marks.h's.
 *
 * When the log fails, it stays so until the line is resumed again; the bits on the disk then say less than is true, so nothing
 * may be written to regions that are not marked (request.c decides what becomes of such writes). A log that could not be read is
 * marked everywhere, on the disk as well if that can be: else its bits are not believed when they can be read again.
 */
#ifndef TARGETS_MIRROR_DISK_LOG_H
#define TARGETS_MIRROR_DISK_LOG_H

#include <stdatomic.h>

#include "core/kit/clerk.h"
#include "core/kit/marks.h"
#include "targets/mirror/legs.h"

struct dm_step;
struct mirror;

struct disk_log {
	struct dm_at at;		/* the device; the log begins at its first sector */
	struct mirror *mirror;
	struct clerk *clerk;
	atomic_bool failed;		/* it cannot be read or written */
	atomic_bool flush_failed;	/* ... or not made durable */

	struct marks marks;

	/* The clerk's. */
	struct clerk_job begin;
	uint32_t block;			/* bytes: it is written in multiples of them */
	size_t bytes;
	uint8_t *log;			/* what is on the device ... */
	uint8_t *changed;		/* ... but for these blocks */
	bool stale;			/* it could not be read once, and was not written since: what it says is older than what happened */
	bool beginning;			/* its failure is an event when the line is resumed */
	struct dm_step *asked;		/* the control thread's: of the job that it has posted */
};

/* Of LOG on AT for M, with BLOCK bytes at a time. 0 or -errno and a sentence. Control thread. */
int disk_log_new(struct disk_log *log, struct mirror *m, const struct dm_at *at, struct err *e);
void disk_log_free(struct disk_log *log);

/* Reads it, tells the regions of M what it says, and writes it; ends S. What fails is only told (failed). Control thread. */
void disk_log_begin(struct disk_log *log, struct dm_step *s);
void disk_log_resume(struct disk_log *log);

#endif
