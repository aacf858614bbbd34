/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that are to be made, and lists of them: cow_commit.c makes them durable. */
#ifndef TARGETS_SNAPSHOT_COW_ENTRIES_H
#define TARGETS_SNAPSHOT_COW_ENTRIES_H

#include <stdint.h>

#include "core/path/io.h"

/* An exception that is to be made: its data is copied, not yet durable. In its owner's memory until done(). */
struct cow_entry {
	uint64_t old_chunk, new_chunk;
	void (*done)(struct cow_entry *e);	/* on IO's thread: it is in the table, or ERR says why not */
	struct dm_io *io;
	int err;
	struct cow_entry *next;		/* the store's, from here on */
	struct loop_msg msg;
	struct loop_work work;		/* instead of MSG, where IO's thread itself tells it */
};

struct cow_entries {
	struct cow_entry *first, **last;
};

void entries_init(struct cow_entries *all);
void entries_add(struct cow_entries *all, struct cow_entry *e);
/* In the order of their chunks in the store, in which they will be looked for and merged. */
void entries_sort_in(struct cow_entries *all, struct cow_entry *e);
struct cow_entry *entries_take(struct cow_entries *all);		/* the first one, or NULL */
void entries_move(struct cow_entries *to, struct cow_entries *from);	/* all, to the end */

/* Calls done() of ALL, with ERR, on their threads: soon, but not now. On HERE's thread, or that of none (NULL). */
void entries_tell(struct dm_io *here, struct cow_entries *all, int err);

#endif
