/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads what record_text.c has written: strings of its own, which the readers point into and change. */
#ifndef CORE_RESTORE_READ_H
#define CORE_RESTORE_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "core/command/command.h"
#include "core/state/record.h"

struct dm_record_table {
	bool readonly, secret;
	const char *stores;	/* the lines of its stores ... */
	size_t stores_len;
	const char *lines;	/* ... and those of the table, as text */
};

/* VALUE is not changed, and used as long as R is. */
void dm_record_read_table(struct dm_record_table *r, const char *value);

struct dm_record_device {
	const char *name, *uuid;	/* as the kernel has them; "": none */
	uint64_t number;
	bool suspended, readonly, locked, loaded, lived, deferred;
	bool altered;		/* the active table, by messages */
	uint32_t event_nr, read_ahead;
	uint64_t active_since, last_event;
	struct dm_geometry geometry;
	uint64_t tables[DM_SLOTS];
};

/* Calls REGION with what follows the word, for each region. VALUE is changed. 0, or -EINVAL and a sentence. */
int dm_record_read_device(struct dm_record_device *r, char *value, void (*region)(void *arg, char *words), void *arg, struct err *e);

#endif
