/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The merging of a snapshot into its origin, in the background. It goes in steps, from the end of the store:
 *
 *   find     which exceptions are the last ones (the store's clerk)
 *   close    writes to these chunks wait from now on; those that were sent to the store before have ended (the epoch of writes)
 *   keep     other snapshots of the origin get their exceptions of the chunks that will change (claims)
 *   copy     from the store to the origin, all chunks of the step at once
 *   flush    the origin: what was copied is durable
 *   clear    the exceptions leave the store, durably (the clerk)
 *   open     the writes that waited are mapped anew, to the origin
 *
 * So at any time a chunk's newest content is where a reader is sent, and a merge that is cut short begins again with the same
 * step. A failure ends the merging, until the line is resumed again; nothing is lost by it. The status says from then on that it has
 * failed, as on Linux, whatever becomes of that.
 */
#ifndef TARGETS_SNAPSHOT_MERGER_H
#define TARGETS_SNAPSHOT_MERGER_H

#include "targets/snapshot/line.h"

/* For L's store. 0 or -errno and a sentence. Control thread. */
int merger_new(struct merger **out, struct snap_line *l, struct err *e);
void merger_free(struct merger *m);		/* it does not run; NULL is harmless */

/* Control thread. */
void merger_start(struct merger *m);
/* Ends after the step that is under way: then S is over. */
void merger_stop(struct merger *m, struct dm_step *s);

/* In map(), before the store is looked at: the write R begins in OLD_CHUNK. True: R waits, because the chunk is being merged. */
bool merger_holds(struct merger *m, struct dm_req *r, uint64_t old_chunk);

#endif
