/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the lines of a table keep in memory beside their words (dm_type.save, restore), as one value: for each line that has
 * something "LINE BYTES\n", so many bytes, and "\n". It is in the record, under saved/ID, if the types say so; and all of it
 * is passed to another program that takes the devices over (handed.h).
 */
#ifndef CORE_SAVED_H
#define CORE_SAVED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct dm_table;
struct dm_world;

/* A value of the record has at most so many bytes, and so many more for each line: it is written at each change. */
#define DM_SAVED_MOST 65536u
#define DM_SAVED_MOST_LINE 128u

/*
 * A line of T, whose type is DM_TARGET_RECORDED, keeps something else by now, without a message: that is recorded soon, and before the
 * control thread answers anybody else. Any thread, any hook but dtr(); needs no memory.
 */
void dm_saved_changed(struct dm_table *t);

/* The rest is the control thread's. Adds the value of T to OUT: of all lines, or of those that are recorded. 0, or -errno and a sentence. */
int dm_saved_text(const struct dm_table *t, bool recorded, struct text *out, struct err *e);

/* The lines of T, which was just built, get VALUE. 0, or -errno and a sentence. */
int dm_saved_restore(struct dm_table *t, const char *value, size_t len, struct err *e);

/* What dm_saved_changed() has told of is recorded now. */
void dm_saved_flush(struct dm_world *w);

void dm_saved_init(struct dm_world *w);

#endif
