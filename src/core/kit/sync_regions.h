/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions of a line that keeps the same on several legs, and the writes that are under way in them. Use them where copies have to
 * be equal and a background copy makes them so (mirror, raid1): they know which regions are, let writes that overlap pass one after
 * the other, and close a region to writes while it is copied. Do not use them for chunks that go somewhere else (core/kit/cells.h). A
 * region is in one of these states; the names that Linux's mirror has for them are in brackets:
 *
 *   synchronous            all legs are equal, or will be when the writes under way have ended [clean, dirty]
 *   not synchronous        one leg has what counts; a mirror's writes go there alone [nosync]
 *   being copied           the same, and writes wait until that is over [recovering]
 *
 *   synchronous --a write that did not reach all legs--> not synchronous --copy--> being copied --over--> synchronous
 *                                                              ^----------------failed----'
 *
 * Beside that, with a log on a disk, a region is *marked* or not: as long as it is not, its bit in the log says clean. A
 * synchronous region is marked durably before it is written to. One that is not synchronous is always marked.
 *
 * Invariants: a region that is being copied has no write under way when the copy begins. A region is unmarked only if it is
 * synchronous, no write is under way in it, and all legs were flushed after the last one had ended. Of two writes that overlap,
 * the later one begins when the earlier one has ended, so that all legs have the same data when all is quiet.
 *
 * A region's word and the writes in it are guarded by the lock of its bucket; nothing is called under it. Writes are linked by
 * what belongs to them while they are held (dm_req.next, own[1], home), so there is no memory to run out of.
 */
#ifndef CORE_SYNC_REGIONS_H
#define CORE_SYNC_REGIONS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "core/path/io.h"

#define REGION_SYNC (1u << 31)
#define REGION_COPIED (1u << 30)	/* it is being copied, or will be when its writes have ended */
#define REGION_MARKED (1u << 29)
#define REGION_MARKING (1u << 28)	/* the log is asked to mark it, and writes wait for that */
#define REGION_USED (1u << 27)		/* since regions_age() */
#define REGION_OLD (1u << 26)		/* not used between the last two calls of regions_age() */
#define REGION_WRITES 0xffffffu		/* so many are under way */

struct region_bucket {
	_Alignas(64) pthread_mutex_t lock;
	struct dm_req *active;		/* by next and own[1]; in no order */
	struct dm_req *waiting, **last;	/* by next; in the order of their arrival */
};

struct regions {
	uint64_t n;
	unsigned shift;			/* a region has 1 << SHIFT sectors */
	bool marks;			/* there is a log on a disk */
	_Atomic uint32_t *of;
	_Atomic uint64_t synchronous;	/* so many are */
	struct region_bucket *buckets;
	/* For a write that had to wait: its verdict is what regions_enter() would have said, or -errno, and it has not entered. */
	void (*again)(struct loop_msg *home);
};

/* N regions of 1 << SHIFT sectors, none of them synchronous or marked. 0, or -errno and a sentence. */
int regions_new(struct regions *g, uint64_t n, unsigned shift, struct err *e);
void regions_free(struct regions *g);

static inline uint64_t region_of(const struct regions *g, uint64_t sector)
{
	return sector >> g->shift;
}

static inline bool region_is_synchronous(const struct regions *g, uint64_t region)
{
	return atomic_load_explicit(&g->of[region], memory_order_relaxed) & REGION_SYNC;
}

/* Before the first request: REGION is synchronous, and perhaps marked; or neither, but marked. */
void region_begins(struct regions *g, uint64_t region, bool synchronous);

/* What a write may do. */
enum region_may {
	REGION_WAITS,		/* it is held; regions.again() comes on its io thread */
	REGION_ALL,		/* it goes to all legs */
	REGION_FIRST,		/* it goes to the first one */
};

/* What has become of a region when something there was over: for the caller, who has no lock any more. */
struct region_news {
	struct loop_msg *awake;	/* writes that may go on: regions_wake() */
	struct dm_req *mark;	/* a write for whose region the log has to be marked, or NULL */
	bool quiet;		/* the copy can begin */
};

/* R, which lies in one region, wants to begin. */
enum region_may regions_enter(struct regions *g, struct dm_req *r, struct region_news *news);
/* R, which was told REGION_ALL or REGION_FIRST, is over. TORN: the legs may differ now. */
void regions_leave(struct regions *g, struct dm_req *r, bool torn, struct region_news *news);
/* TO, which has R's sectors, stands there for R from now on, and leaves when it is over. */
void regions_pass(struct regions *g, struct dm_req *r, struct dm_req *to);
void regions_wake(struct regions *g, struct loop_msg *awake);

/*
 * REGION is to be copied: false, it is synchronous, or being copied already, or (IF_QUIET) writes are under way there. NEWS->quiet: at
 * once; else that is said later.
 */
bool region_copy(struct regions *g, uint64_t region, bool if_quiet, struct region_news *news);
/* REGION is to be copied or compared, whatever it is: false, that is done already. The rest as above. */
bool region_take(struct regions *g, uint64_t region, bool if_quiet, struct region_news *news);
/* That is over. OK: it is synchronous now. */
void region_copied(struct regions *g, uint64_t region, bool ok, struct region_news *news);
/* ... and it is what it was. */
void region_untouched(struct regions *g, uint64_t region, struct region_news *news);

/* It is marked in the log, or the log has failed. */
void region_marked(struct regions *g, uint64_t region, struct region_news *news);
/* It could not be, because of ERR, which is no failure of the log: R, for which that was wanted, has this as verdict. */
void region_not_marked(struct regions *g, struct dm_req *r, int err, struct region_news *news);

/*
 * Unmarking, in two steps: which regions have not been written to between the last two calls (NOW: since they were last written
 * to) are old; if all legs have been flushed since then, CLEAN is called for each that still is, and it is not marked any more.
 */
struct region_ages { bool old, marked; };	/* some are old; some remain that are marked and may be unmarked later */
struct region_ages regions_age(struct regions *g, bool now);
void regions_unmark(struct regions *g, void (*clean)(void *arg, uint64_t region), void *arg);

/* No write is under way. Those that are marked, or all if there is no log on a disk, are not synchronous any more. */
void regions_distrust(struct regions *g);

#endif
