/* SPDX-License-Identifier: BSD-2-Clause */
/* What is recorded of a device and of a table, as text: record.h has the keys, restore_read.c reads it again. */
#ifndef CORE_RECORD_TEXT_H
#define CORE_RECORD_TEXT_H

#include <stdbool.h>

#include "base/text.h"
#include "core/state/record.h"

/* A device as its record has it: what a transition that is not decided yet would change is as it was. */
struct dm_view {
	struct dm_table *slots[DM_SLOTS];
	bool there;		/* else it is being made and not decided yet, or its removal is decided */
	bool suspended;
};

void dm_view_device(struct dm_view *v, const struct dm_device *d);
void dm_record_device_text(const struct dm_device *d, const struct dm_view *v, struct text *out);

void dm_record_disk_text(const struct dm_device *d, const struct dm_table *t, struct text *out);	/* T is its table */

/* A line for each store: what it is known by, and its word. */
void dm_record_stores_text(const struct dm_table *t, struct text *out);
#define DM_RECORD_LINES "lines\n"	/* follows them: behind it are the lines of the table */
void dm_record_lines_text(const struct dm_table *t, struct text *out);	/* these, with their keys, if they have any */
void dm_record_table_text(const struct dm_table *t, struct text *out);

#endif
