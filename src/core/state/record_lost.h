/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushes that have failed: data that was written is lost, and a later daemon, which opens the file anew, would not know.
 * So the failure is recorded with the store, under what it is known by, until nobody uses it any more.
 */
#ifndef CORE_RECORD_LOST_H
#define CORE_RECORD_LOST_H

#include <stdbool.h>

#include "base/journal.h"
#include "base/loop.h"

struct dm_store;
struct dm_table;

/* One io thread's message that a flush has failed. */
struct dm_loss {
	int err;
	struct loop *loop;		/* the io thread's */
	void (*then)(struct loop_msg *msg);	/* there, when it is recorded: whoever has asked for the flush can be told. MSG is `msg` */
	struct loop_msg msg;
	struct journal_wait wait;	/* for the disk of the record */
	struct dm_store *store;		/* set by dm_store_lost() */
};

/*
 * A flush of S has failed, on an io thread: that is recorded, the first time, then comes L->then(). Each thread that knows of
 * it has an L of its own, and answers nobody before. False: it does not come, and nothing is recorded.
 */
bool dm_store_lost(struct dm_store *s, struct dm_loss *l);
/* The last user of S has closed it. */
void dm_store_forget_lost(struct dm_store *s);
/* T was brought back: its stores fail as they did. */
void dm_stores_lost_again(const struct dm_table *t);

#endif
