/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts entries on the device of a log (format.h). Entries follow each other without a gap, so many of them go there in one
 * write. It is the clerk's, and waits.
 */
#ifndef TARGETS_LOG_WRITES_PEN_H
#define TARGETS_LOG_WRITES_PEN_H

#include "core/kit/clerk.h"
#include "targets/log_writes/blocks.h"

struct pen {
	struct dm_at at;
	uint32_t sector_size;
	uint8_t *sheet;		/* what is not on the device yet ... */
	size_t used;		/* ... and how many bytes that are */
	uint64_t sector;	/* where it goes */
	bool begun;		/* the superblock of an older log is gone */
};

int pen_begin(struct pen *p, const struct dm_at *at, struct err *e);	/* 0 or -errno and a sentence */
void pen_end(struct pen *p);

/* The first time: an older log on the device is none any more. 0 or -errno. */
int pen_begin_log(struct pen *p, struct clerk *c);
/* B becomes the entry at SECTOR, which follows the one before. 0 or -errno. */
int pen_entry(struct pen *p, struct clerk *c, uint64_t sector, const struct block *b, const struct block_memory *m);
/* All so far is on the device, then the superblock. */
int pen_super(struct pen *p, struct clerk *c, uint64_t entries);
/* All so far is on the device. */
int pen_finish(struct pen *p, struct clerk *c);

#endif
