/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table: sorted immutable targets, the stores they use, the stacked limits. It is built line by line, validated as a
 * whole, and never changes afterwards. Built and freed on the control thread; read on every io thread.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/text.h"
#include "core/table/index.h"
#include "core/table/limits.h"
#include "core/table/target.h"

struct dm_cmd;
struct dm_device;
struct dm_world;

/* How far a table uses one of its stores. */
struct dm_reach {
	const struct dm_store *store;
	uint64_t end;			/* sectors */
};

/* A mapped device that a table uses: also in a list of that device, so that it finds its users. */
struct dm_use {
	struct list node;		/* in the lower device's `uses` */
	const struct dm_table *table;
	const struct dm_store *store;
	bool reads;		/* only that: Linux would have opened it read-only */
};

struct dm_table {
	struct arena arena;		/* private parts and words */
	struct dm_index index;		/* for dm_table_find() */
	struct dm_target *targets;
	size_t n;
	uint64_t sectors;		/* the device's size: the end of the last line */
	struct dm_store **stores;	/* each of them once, in order of first use; one reference each */
	size_t n_stores;
	uint32_t *flushers;		/* a flush goes to these lines, whose types have flush() ... */
	size_t n_flushers;
	struct dm_store **flushed;	/* ... and to these stores: those of the other lines */
	size_t n_flushed;
	struct dm_spares *spares;	/* for children of requests (spare.h); NULL: its lines have none */
	struct dm_reach *reaches;	/* one for each word that means a store */
	size_t n_reaches;
	struct dm_use *uses;		/* one for each store that is a mapped device */
	size_t n_uses;
	struct dm_world *world;
	atomic_bool is_active;		/* it may raise events ... */
	_Atomic uint32_t raised;	/* ... and has raised so many that are not counted yet (event.h) */
	const struct dm_device *device;	/* in one of whose slots it is, or NULL */
	struct dm_limits limits;
	bool readonly;
	bool secret;			/* its lines have keys: they are nowhere else */
	uint64_t record;		/* its number in the record (state/record.h); 0: it was never recorded */
	bool altered;			/* messages have changed what its lines keep beside their words, and save() does not know it */
	bool saves, records;		/* some of its lines have save(); are DM_TARGET_RECORDED: then ... */
	bool saved;			/* ... the record has what they keep ... */
	atomic_bool unsaved;		/* ... but they keep something else by now */
	struct dm_lost *lost;		/* it stands for one that could not be built again (state/lost.h); else NULL */
	const struct dm_type *immutable;	/* the type of all its lines, if only a table of this type may replace this one */
	bool wildcard;			/* it has a line that may replace anything */
	bool hooked;			/* some of its lines have hooks (step.h) ... */
	struct dm_walk *walk;		/* ... and this is their state; NULL: it was never resumed */
	bool prepares;			/* some of its lines have prepare_status() */
	struct list asks;		/* dm_ask.node: unfinished messages and statuses */
	unsigned holds;			/* references of those who read it, whatever happens to its device */
	bool at_rest;			/* it waits only for these, then it is freed */
	struct list retiring;		/* in the world's list, until then */
	void (*retired)(void *arg);
	void *retired_arg;
};

/* What the lines mean. */
struct dm_explain {
	struct text lines;	/* for people: one sentence per line */
	struct text uses;	/* for programs, a line each: LINE START LENGTH SECTORS NAME
				 * (comments are no lines; NAME as a word of a table) */
};

/* How lines are to be read. */
struct dm_build_opts {
	const char *cwd;	/* for relative paths; NULL: they are refused */
	bool sizes;		/* 64K and 10M (bytes) are allowed as well as sectors */
	bool secret;		/* no copy of a line may be left in memory */
	bool readonly;		/* devices are opened read-only */
	bool lost;		/* all lines stand for others: state/lost.h */
	struct dm_cmd *cmd;	/* the table's command, or NULL */
	struct dm_device *device;	/* the table is for this device, and must not lead back to it; may be NULL */
	struct text *warnings;	/* the label guard's warnings, one per line; may be NULL */
	struct dm_explain *explain;	/* may be NULL */
};

struct dm_build;

/*
 * dm_build_begin(), the lines in order, dm_build_end(). After a line has failed, only dm_build_end() may follow; it
 * frees everything and returns the error. ERR gets "table line N: ...".
 */
int dm_build_begin(struct dm_build **out, struct dm_world *w, const struct dm_build_opts *o, struct err *err);
int dm_build_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, const char *params);
int dm_build_end(struct dm_build *b, struct dm_table **out);

/* Frees it at once: none of its hooks may ever have run. Otherwise see dm_table_retire() (step.h). */
void dm_table_free(struct dm_table *t);

/* Does T, which may be NULL, use DEVICE directly, and only read it (READS), or not only? Control thread. */
bool dm_table_uses(const struct dm_table *t, const struct dm_device *device, bool reads);

/* The index of the line for SECTOR, which must be less than t->sectors. */
static inline size_t dm_table_find(const struct dm_table *t, uint64_t sector)
{
	return dm_index_find(&t->index, t->targets, sector);
}

/*
 * Do its stores still have the sectors it uses? They may have shrunk since it was loaded. 0, or -EINVAL and a sentence.
 */
int dm_table_fits(const struct dm_table *t, struct err *e);

/* Does T lead to DEVICE through any number of mapped devices and either slot of each? Control thread. */
bool dm_table_reaches(const struct dm_table *t, const struct dm_device *device);

#endif
