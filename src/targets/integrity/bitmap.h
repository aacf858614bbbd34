/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode B. Where the journal would be there is a bitmap: a bit for each so many sectors says that data and tags there may not belong
 * together, so after a crash the tags are computed anew (recalc.c). A write sets the bits of its sectors, durably, before it
 * begins. They are cleared some time after, when data and tags are durable.
 *
 *   disk    what is on the disk
 *   may     where writes may begin without asking the clerk: not more than `disk`
 *   recalc  where tags are not valid: there nothing is verified
 *
 * Clearing: first `may` becomes empty, so that each write from now on asks. Then those that are under way are waited for, in an
 * epoch; then tags and data are flushed. What nobody has asked for meanwhile is cleared on the disk. So a bit is clear only
 * if no write has been under way there since the flush.
 */
#ifndef INTEGRITY_BITMAP_H
#define INTEGRITY_BITMAP_H

#include <pthread.h>

#include "core/kit/clerk.h"
#include "core/kit/epoch.h"
#include "targets/integrity/format.h"

struct ibitmap {
	unsigned log2_bit;		/* sectors for each bit */
	uint64_t provided;		/* sectors */
	size_t bytes;			/* whole blocks of 4 KiB */
	pthread_mutex_t lock;		/* guards what follows */
	uint8_t *disk, *may, *recalc;
	uint8_t *changed;		/* of blocks of `disk`: to be written */
};

/* All clear: 0 or -ENOMEM. */
int ibitmap_new(struct ibitmap **out, const struct iformat *f, unsigned log2_blocks_per_bit);
void ibitmap_free(struct ibitmap *b);	/* NULL is harmless */

/* Any thread. Are all bits of these sectors set in `may`; is one set in `recalc`? */
bool ibitmap_may_write(struct ibitmap *b, uint64_t sector, uint64_t count);
bool ibitmap_is_invalid(struct ibitmap *b, uint64_t sector, uint64_t count);
/* The tags of whole bits in this range are valid again. */
void ibitmap_is_valid(struct ibitmap *b, uint64_t sector, uint64_t count);

/* With SET or without, all bits of these sectors in one of the three; and are all of them as they should be? */
void ibitmap_put(struct ibitmap *b, uint8_t *which, uint64_t sector, uint64_t count, bool set);
bool ibitmap_all(const struct ibitmap *b, const uint8_t *which, uint64_t sector, uint64_t count, bool set);

/* The clerk's; AT: from the superblock on. 0 or -errno. */
int ibitmap_read(struct ibitmap *b, struct clerk *k, const struct dm_at *at);
int ibitmap_write_all(struct ibitmap *b, struct clerk *k, const struct dm_at *at);
/* Marks these sectors in `disk`; ibitmap_write() makes durable what was marked, and then ibitmap_allow() lets them be written. */
void ibitmap_mark(struct ibitmap *b, uint64_t sector, uint64_t count);
int ibitmap_write(struct ibitmap *b, struct clerk *k, const struct dm_at *at);
void ibitmap_allow(struct ibitmap *b, uint64_t sector, uint64_t count);
/* Clearing: `may` becomes empty; and then what is not in it again is cleared in `disk`, up to LIMIT (a sector). */
void ibitmap_stop_writes(struct ibitmap *b);
void ibitmap_clear(struct ibitmap *b, uint64_t limit);

#endif
