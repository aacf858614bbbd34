/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line of the target integrity is, and who knows what:
 *
 *   words.c    the words of the line            format.c   what is on the disks
 *   begin.c    the superblock, when it is resumed          hash.c     digests
 *   request.c  the way of a request             ranges.c   requests that overlap
 *   tags.c     tags in memory                   journal*.c the journal, and seal.c how it is signed and encrypted
 *   sync.c     what the clerk does: flushes, commits, the end
 *   bitmap.c   mode B                               recalc.c   tags that are computed anew
 *
 * All I/O beside that of requests is the clerk's. What it has found when the line was resumed (the superblock, where everything is)
 * does not change until the line is suspended; whoever prints it takes the lock.
 */
#ifndef TARGETS_INTEGRITY_H
#define TARGETS_INTEGRITY_H

#include <stdatomic.h>

#include "core/device/step.h"
#include "core/kit/clerk.h"
#include "core/kit/compute.h"
#include "core/kit/reserve.h"
#include "core/table/target.h"
#include "targets/integrity/bitmap.h"
#include "targets/integrity/format.h"
#include "targets/integrity/hash.h"
#include "targets/integrity/journal.h"
#include "targets/integrity/ranges.h"
#include "targets/integrity/seal.h"
#include "targets/integrity/tags.h"

#define INTEGRITY_CUT 256u		/* sectors of a request; a longer one is cut */
#define INTEGRITY_TAG_BYTES 16384u	/* its tags, at most */
#define INTEGRITY_FILLER 0xf6		/* each byte of the tag of a block that was discarded */

/* The words. */
struct integrity_words {
	char mode;			/* 'D', 'J', 'B', 'R' */
	unsigned tag_size, block;	/* bytes; sectors */
	uint32_t journal_sectors;	/* 0: by the size of the device when it is formatted */
	uint32_t interleave, buffer_sectors, watermark, commit_ms, clear_ms;
	unsigned log2_bit;		/* sectors for each bit of the bitmap */
	bool recalculate, reset;	/* RESET: from the first sector on, whatever was reached */
	bool discard, fix_padding, fix_hmac, legacy;
	char *hash_name, *crypt_name, *mac_name;	/* without the keys; NULL: none */
};

struct integrity {
	struct integrity_words words;
	const struct dm_target *target;
	struct dm_world *world;
	struct dm_at data, meta;	/* of the whole data device; from the superblock on */
	bool has_meta;			/* they are two devices */
	uint64_t start;
	struct ihash hash, mac;
	struct seal_cipher cipher;

	/* What was found; a preresume changes it under the lock. */
	pthread_mutex_t lock;
	bool bound, recalcs_itself;	/* a recalculation that this line was resumed with, also before it was handed over */
	struct iformat f;
	struct iformat_sb sb;
	uint32_t cut;			/* sectors: a power of two; requests are cut at its multiples */

	struct clerk *clerk;
	struct tags *tags;
	struct ranges *ranges;
	struct reserve *jobs;
	struct jring *journal;		/* mode J */
	struct ibitmap *bitmap;		/* mode B */
	struct epoch *epoch;		/* its writes */
	uint8_t *sector;		/* 4096 bytes for the superblock */

	atomic_uint_least64_t mismatches;

	/* recalc.c. Where tags are not valid from; UINT64_MAX: all are. The rest is the clerk's */
	atomic_uint_least64_t recalc_at;
	struct {
		struct clerk_job job;
		struct range range;
		bool works, has_range;
		int failed;
		struct dm_step *stopping;	/* a presuspend that waits */
		uint8_t *data, *tags;	/* of a range */
	} recalc;

	/* sync.c */
	struct clerk_job sync;
	struct dm_step *step;		/* of the hook that is running */
	struct clerk_job hook;
	struct timer timer;
	struct loop_msg arm;
	atomic_bool armed, runs;
	pthread_mutex_t sync_lock;	/* guards what follows */
	struct loop_msg *wanted, **last;	/* requests that wait for a flush, by dm_req.home */
	struct loop_msg *marks, **last_mark;	/* those that wait for a bit */
	bool posted, drain, commit, tags_full, clear;
	struct epoch_wait cleared;	/* the bitmap is being cleared (the clerk's): */
	struct clerk_job clear_job;
	bool clearing;
	struct dm_step *ending;		/* a postsuspend that waits for that */
};

/* words.c: for dm_type. */
int integrity_words_read(struct dm_target *t, struct dm_args *a);
struct iformat integrity_devices(const struct integrity *it);	/* as large as they are now */
struct iformat_new integrity_new(const struct integrity *it);	/* what one would be that is formatted now */
void integrity_table(const struct dm_target *t, struct text *out);
void integrity_status(const struct dm_target *t, struct text *out);
void integrity_measure(const struct dm_target *t, struct text *out);

/* begin.c: reads the superblock, or makes one, and the journal. A job of the clerk: it->step. */
void integrity_begin(struct clerk *c, struct clerk_job *j);
void integrity_go_on(struct clerk *c, struct clerk_job *j);	/* after an end that was given up */
int integrity_bitmap_again(struct integrity *it, struct err *e);	/* begin_bitmap.c */
void integrity_journal_io(const struct integrity *it, struct jring_io *io);
void integrity_unbind(struct integrity *it);
int integrity_seal_new(struct integrity *it, struct seal **out, struct err *e);	/* the journal's; 0 or -errno and a sentence */
/* In a job: writes SB. 0, or -errno and a sentence. */
int integrity_sb_write(struct integrity *it, const struct iformat_sb *sb, struct err *e);

/* recalc.c. The presuspend ends the step. */
void integrity_recalc_resume(struct integrity *it);
void integrity_recalc_presuspend(struct integrity *it, struct dm_step *s);

/* request.c: for dm_type. */
int integrity_map(const struct dm_target *t, struct dm_req *r);
int integrity_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);
int integrity_requests_new(struct integrity *it, struct err *e);
void integrity_synced(struct dm_req *r, int err);	/* what R has waited for; on its io thread */

/* The tag of a block at SECTOR whose bytes are at DATA. */
void integrity_tag(const struct integrity *it, struct ihash_state *s, uint64_t sector, struct vec data, uint8_t *tag);

/* sync.c. R, which is held, waits until all that was written is durable. DRAIN: and in its place. */
void integrity_want_sync(struct integrity *it, struct dm_req *r, bool drain);
void integrity_want_mark(struct integrity *it, struct dm_req *r);	/* until its bits are set */
void integrity_journal_is_low(void *arg);
void integrity_tags_are_full(void *arg);
void integrity_is_used(struct integrity *it);		/* something is to be committed, or cleared, after a while */
int integrity_flush(const struct dm_target *t, struct dm_req *r);
void integrity_sync_init(struct integrity *it);
void integrity_sync_free(struct integrity *it);
void integrity_sync_resume(struct integrity *it);
void integrity_sync_presuspend(struct integrity *it);
void integrity_end(struct clerk *c, struct clerk_job *j);	/* postsuspend: it->step */

#endif
