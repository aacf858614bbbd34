/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of the target mirror: what its files share. A request's way is in request.c, what becomes of a leg that fails in
 * failures.c, copying in resync.c, the log on a disk in disk_log.c, the words in words.c.
 */
#ifndef TARGETS_MIRROR_MIRROR_H
#define TARGETS_MIRROR_MIRROR_H

#include <errno.h>

#include "core/device/step.h"
#include "core/kit/copy_message.h"
#include "core/path/child.h"
#include "core/path/failed.h"
#include "core/path/held.h"
#include "core/table/target.h"
#include "core/world.h"
#include "targets/mirror/disk_log.h"
#include "targets/mirror/format.h"
#include "targets/mirror/legs.h"
#include "core/kit/sync_regions.h"
#include "targets/mirror/resync.h"

struct mirror_words {
	enum mirror_sync sync;
	uint64_t region;		/* sectors of one */
	bool on_disk;			/* the log is */
	bool handle_errors;		/* what a leg refuses is held until the table is another one */
	bool keep_log;			/* ... not; the others have it, and the log knows */
};

struct mirror {
	const struct dm_target *target;	/* since preresume() */
	struct dm_world *world;
	struct mirror_words words;
	enum mirror_sync begins;	/* words.sync; but what an earlier daemon has left is not known to be equal */
	struct legs legs;
	struct regions regions;
	struct resync resync;
	struct disk_log log;		/* if words.on_disk */
	atomic_bool in_sync;		/* all regions are synchronous, that was an event, and no leg has failed since to write or flush */
	atomic_bool leg_failed;		/* since then */
	atomic_bool was_in_sync;	/* since it was resumed: what is copied now is what a request has left different */
	atomic_bool flush_failed;	/* a leg may have lost what it had reported as written */
	bool begun;			/* it has been active */
	uint8_t *restored;		/* a bit for each region, as an earlier program had them; NULL: there are none */

	pthread_mutex_t lock;		/* guards what follows */
	unsigned failing;		/* writes that not all legs have, and whose regions do not know that yet */
	bool lets_go;			/* nothing is held: it is being suspended, or is ... */
	bool puts_back;			/* ... and what would be held goes back to the gate; else it fails */
	struct dm_req *held;		/* by next; own[1] has the child that was kept for it, or NULL */
};

static inline bool mirror_holds(const struct mirror *m)
{
	return m->words.handle_errors && !m->words.keep_log;
}

/* request.c */
int mirror_map(const struct dm_target *t, struct dm_req *r);
int mirror_flush(const struct dm_target *t, struct dm_req *r);
int mirror_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err);
void mirror_again(struct loop_msg *home);	/* regions.again() */
/* What news of the regions brings about. */
void mirror_news(struct mirror *m, uint64_t region, const struct region_news *news);

/* failures.c; any thread */
void mirror_leg_fails(struct mirror *m, unsigned leg, enum leg_failure how);
/* ... and that was a flush: the legs are not equal before they were made so once more, or the next resume finds that they are. */
void mirror_flush_failed(struct mirror *m);
/* R, all of whose children but C (which may be NULL) have ended, is held: DM_HELD, or what becomes of it at once. */
int mirror_hold(struct mirror *m, struct dm_req *r, struct dm_req *c);
void mirror_let_go(struct mirror *m, bool put_back);	/* from now on nothing is held */
void mirror_holds_again(struct mirror *m);
void mirror_look_whether_synchronous(struct mirror *m);
/*
 * A write did not reach all legs: from the first call on, before these have failed for that, up to the second one, when its region
 * is not synchronous any more, nobody finds that all legs are equal, and forgives them.
 */
void mirror_differs_soon(struct mirror *m);
void mirror_differs(struct mirror *m);

/* saved.c */
int mirror_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e);
int mirror_restore(struct dm_target *t, char *saved, size_t len, struct err *e);

/* words.c */
int mirror_ctr(struct dm_target *t, struct dm_args *a);
void mirror_table(const struct dm_target *t, struct text *out);
void mirror_status(const struct dm_target *t, struct text *out);
void mirror_measure(const struct dm_target *t, struct text *out);

#endif
