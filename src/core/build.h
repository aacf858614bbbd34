/* SPDX-License-Identifier: BSD-2-Clause */
/* A table in the making: what build.c, the files build_*.c and args.c share. Control thread. */
#ifndef CORE_BUILD_H
#define CORE_BUILD_H

#include "base/hash.h"
#include "core/table.h"

/* A device word that this build has met: opened once, however many lines say it. */
struct dm_build_word {
	struct hash_link by_word;
	struct dm_store *store;		/* the table holds it */
	uint64_t end;			/* the last sector that is used, and one */
	bool asked;			/* a line is asked as it likes it: that is in the table's limits */
	bool plain;			/* a line that says it has no flush() of its own */
	bool seen;			/* dm_build_guard() has asked whether it is an image */
	bool probed;			/* ... and for a label */
	uint64_t label_safe;		/* 0: no label */
	char label_kind[16];
	char word[];
};

struct dm_build {
	struct dm_world *world;
	uint64_t walk;			/* its stores bear this mark */
	struct dm_build_opts o;
	struct err *err;
	struct dm_table *table;
	size_t room;			/* of table->targets */
	size_t line;			/* the one being read, from 1 */
	const struct dm_type *type;	/* of that line; NULL before its target is known */
	struct hash words;		/* dm_build_word.by_word */
	struct text scratch;		/* a changeable copy of a record's params */
	bool failed;
	const char *explain_sep;	/* between two uses in the explanation of a line */
};

/* The store that WORD means, held by the table: 0 or -errno and a sentence. */
int dm_build_store(struct dm_build *b, const char *word, struct dm_build_word **out);
/* From now on WORD means S, whatever else it could. */
int dm_build_know(struct dm_build *b, const char *word, struct dm_store *s);

/* What W can do counts for every table on it; how it likes to be asked only where a line does not know better (hints). */
void dm_build_stack(struct dm_build *b, struct dm_build_word *w);
/* At the end: how the lines themselves like to be asked. */
void dm_build_hints(struct dm_build *b);

/*
 * Warns if a line maps W's store from sector OFFSET on and that can hardly be meant: sectors that a disk label claims (the
 * label guard), or an image in a format of its own (once).
 */
void dm_build_guard(struct dm_build *b, struct dm_build_word *w, uint64_t offset);

/* For `check`: "sectors 0 to 10239 (5 MiB): linear" and what dm_arg_at() adds. */
void dm_build_explain(struct dm_build *b, uint64_t start, uint64_t len);

/* Which ways a flush of the table goes. False without memory. */
bool dm_build_flush(struct dm_build *b);

/* What dm_table_fits() asks of the table, and what its lower devices know of it. False without memory. */
bool dm_build_reaches(struct dm_build *b);
bool dm_build_uses(struct dm_build *b);

#endif
