/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files restore*.c share: the devices that are on their way back. See restore.h. */
#ifndef CORE_RESTORE_ITEM_H
#define CORE_RESTORE_ITEM_H

#include "core/command/do.h"
#include "core/state/handed.h"
#include "core/state/restore.h"
#include "core/state/restore_read.h"

struct restore;

/* One that stands on an item, and waits for it. */
struct restore_above {
	struct restore_above *next;
	struct restore_item *item;
};

/* A region of its counters: the words of its record. */
struct restore_region {
	struct restore_region *next;
	char *words;
	uint64_t id;
	struct dm_region *made;
};

struct restore_item {
	struct restore *all;
	uint32_t minor;
	char *value;			/* of the device, in pieces: `is` points there */
	struct dm_record_device is;
	struct restore_region *regions, **regions_tail;
	struct dm_device *device;	/* NULL: it could not be made */
	unsigned slot;			/* whose table is on its way ... */
	char *table;			/* ... and the value of that */
	struct dm_kept_hold *kept;	/* for its stores */
	struct dm_cmd cmd;		/* that builds and resumes it */
	const struct dm_handed_table *handed;	/* of that table, or NULL */
	char *secret;			/* its words, while it is built; they are wiped */
	bool anew;			/* it is lost because of what its lines kept */
	bool refused;			/* it could not be resumed */
	bool lost;			/* some table of it is */
	unsigned waits;			/* for so many below */
	bool started;
	struct restore_above *above;
	struct list node;		/* in `ready` */
	struct loop_work go_on;
};

struct restore {
	struct dm_world *world;
	struct dm_recorder *recorder;
	struct err *err;
	struct restore_item *items;	/* in the order in which they were made */
	size_t n, room;
	struct restore_item **by_minor;
	struct list ready;
	size_t left, running, lost;
	bool no_memory;
};

/* The value of a table, to be freed; NULL: there is none, or no memory (ALL->no_memory). */
char *restore_table(struct restore *all, uint64_t id);

/*
 * What the lines of a table ID kept in memory: T, built again, has it from now on. 0; or -errno and a sentence: a line has
 * forgotten it, and would begin anew. RECORDER's value of it, or NULL.
 */
struct restore_kept {
	struct dm_recorder *recorder;
	uint64_t id;
	const struct dm_handed_table *handed;
	bool active, altered;		/* it is that of the active slot; the record says that messages have changed it */
};
int restore_saved(struct dm_table *t, const struct restore_kept *k, struct err *e);
const char *restore_saved_value(struct dm_recorder *r, uint64_t id, size_t *len);

/* D is suspended with TABLE, which may be NULL, and always was. Nobody has it open but tables; no front is told. */
void restore_suspended(struct dm_device *d, struct dm_table *table);

/* Disks come first: tables stand on them. Those whose file could not be opened again wait with a table that is lost (lost.h). */
int restore_disks(struct restore *all);

/* The partitions in the VALUE of DISK, which waits, WHY. */
void restore_parts(struct dm_device *disk, const char *value, const char *why);

/* The device has the regions that it had. */
void restore_regions(struct restore_item *i);

/* Brings all items back, and returns when they are. */
void restore_items(struct restore *all);

#endif
