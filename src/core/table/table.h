/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table: sorted immutable targets, the stores they use, the stacked limits.
 * It is built line by line, validated whole, and never changes afterwards.
 * Built and freed on the control thread; read on every io thread.
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

/* How far a table goes into one of its stores. */
struct dm_reach {
	const struct dm_store *store;
	uint64_t end;			/* sectors */
};

/* A mapped device that a table uses: kept there, too, so that a device finds who stands on it. */
struct dm_use {
	struct list node;		/* in the lower device's `uses` */
	const struct dm_table *table;
	const struct dm_store *store;
};

struct dm_table {
	struct arena arena;		/* private parts and words */
	struct dm_index index;		/* what dm_table_find() searches */
	struct dm_target *targets;
	size_t n;
	uint64_t sectors;		/* the device's size: the end of the last line */
	struct dm_store **stores;	/* each distinct one, in order of first use; one reference each */
	size_t n_stores;
	uint32_t *flushers;		/* a flush goes to these lines, whose types have flush() ... */
	size_t n_flushers;
	struct dm_store **flushed;	/* ... and to these stores: those that other lines use */
	size_t n_flushed;
	struct dm_reach *reaches;	/* one for each word that means a store */
	size_t n_reaches;
	struct dm_use *uses;		/* one for each store that is a mapped device */
	size_t n_uses;
	struct dm_world *world;
	atomic_bool is_active;		/* it may raise events ... */
	_Atomic uint32_t raised;	/* ... and has raised so many that are still to be counted (event.h) */
	const struct dm_device *device;	/* in one of whose slots it is, or NULL */
	struct dm_limits limits;
	bool readonly;
	const struct dm_type *immutable;	/* the type of all its lines, if only such a table may replace this one */
	bool wildcard;			/* it has a line that may replace anything */
	bool hooked;			/* lines of it have hooks (step.h) ... */
	struct dm_walk *walk;		/* ... and how far they are; NULL: it was never resumed */
	bool prepares;			/* lines of it have prepare_status() */
	struct list asks;		/* dm_ask.node: messages and statuses that take time */
	unsigned holds;			/* of those who read it, whatever becomes of its device */
	bool at_rest;			/* it waits for these only, then it is freed */
	struct list retiring;		/* in the world's, on its way to that */
	void (*retired)(void *arg);
	void *retired_arg;
};

/* What the lines mean. */
struct dm_explain {
	struct text lines;	/* for people: a sentence a line */
	struct text uses;	/* for programs, a line each: LINE START LENGTH SECTORS NAME
				 * (comments are no lines; NAME as a word of a table) */
};

/* How lines are to be read. */
struct dm_build_opts {
	const char *cwd;	/* for relative paths; NULL: they are refused */
	bool sizes;		/* 64K and 10M (bytes) are understood beside sectors */
	bool secret;		/* no copy of a line stays behind */
	bool readonly;		/* components are opened for reading only */
	struct dm_cmd *cmd;	/* that brings it, or NULL */
	struct dm_device *device;	/* the table is for this one: it must not lead back to it; may be NULL */
	struct text *warnings;	/* sentences of the label guard, a line each; may be NULL */
	struct dm_explain *explain;	/* may be NULL */
};

struct dm_build;

/*
 * dm_build_begin(), lines in order, dm_build_end(). After a failed line only dm_build_end() may follow; it
 * frees everything and returns the failure. ERR gets "table line N: ...".
 */
int dm_build_begin(struct dm_build **out, struct dm_world *w, const struct dm_build_opts *o, struct err *err);
int dm_build_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, const char *params);
int dm_build_end(struct dm_build *b, struct dm_table **out);

/* At once: no hook of it has ever run. Else see dm_table_retire() (step.h). */
void dm_table_free(struct dm_table *t);

/* Does T, which may be NULL, use DEVICE itself? With READONLY: through a store that was opened so. Control thread. */
bool dm_table_uses(const struct dm_table *t, const struct dm_device *device, bool readonly);

/* The index of the line that holds SECTOR, which must be less than t->sectors. */
static inline size_t dm_table_find(const struct dm_table *t, uint64_t sector)
{
	return dm_index_find(&t->index, t->targets, sector);
}

/* Do its stores still have what it uses? They may have become smaller since it was loaded. 0, or -EINVAL and a sentence. */
int dm_table_fits(const struct dm_table *t, struct err *e);

/* Does T lead to DEVICE through any number of mapped devices and either slot of each? Control thread. */
bool dm_table_reaches(const struct dm_table *t, const struct dm_device *device);

#endif
