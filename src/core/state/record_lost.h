/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushes that have failed: data that was written is lost, and a later daemon, which opens the file anew, would not know.
 * So the failure is recorded with the store, under what it is known by, until nobody uses it any more.
 */
#ifndef CORE_RECORD_LOST_H
#define CORE_RECORD_LOST_H

#include <stdbool.h>

struct dm_store;
struct loop;
struct loop_msg;
struct dm_table;

/*
 * The first flush of S has failed with ERR, on an io thread: it is recorded, then THEN is posted to LOOP, and whoever has
 * asked for the flush can be told. Once for a store. False: THEN is not posted. THEN may be NULL.
 */
bool dm_store_lost(struct dm_store *s, int err, struct loop *loop, struct loop_msg *then);
/* The last user of S has closed it. */
void dm_store_forget_lost(struct dm_store *s);
/* T was brought back: its stores fail as they did. */
void dm_stores_lost_again(const struct dm_table *t);

#endif
