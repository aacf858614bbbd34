/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table being built: shared by build.c, build_*.c, building.c and args.c. Control thread.
 *
 * The lines are read twice. While collecting, constructors are run only to find out which devices they want: each gets
 * a stand-in, and their results are thrown away. Then the devices are opened (opening.h), which may take time. Then the
 * lines are read again, and the table is created. If a line then wants a word that was not collected, it is read once
 * more when that is open as well.
 */
#ifndef CORE_BUILD_H
#define CORE_BUILD_H

#include <errno.h>

#include "base/hash.h"
#include "core/table/opening.h"
#include "core/table/table.h"

/* A device word of this build: opened once, however many lines contain it. */
struct dm_build_word {
	struct hash_link by_word;
	struct list node;		/* in the build's `wanted` until its opening starts */
	struct list all;		/* in its `all` */
	size_t at;			/* its number among the words, in the order of the lines */
	bool ready;			/* it was opened, could not be opened, or opens at once */
	int code;			/* could not be opened: -errno ... */
	char *why;			/* ... and the sentence; NULL: there was no memory for it */
	const struct dm_store_type *type;	/* what opens it at once, as long as there is no store ... */
	size_t rest;			/* ... the part of the word for this type ... */
	struct dm_place place;		/* ... and what the file system says about it */
	struct dm_store *store;		/* our own reference ... */
	bool held;			/* ... or the table has it, ... */
	bool first;			/* ... first for this word: in the build's `stores` */
	struct hash_link by_store;
	uint64_t end;			/* the end of the used sectors */
	bool stacked;			/* its limits were stacked into the table's ... */
	bool asked;			/* ... and also its hints, for a line without its own */
	bool plain;			/* used by a line without a flush() of its own */
	bool written;			/* used by a line that may write to it */
	bool seen;			/* dm_build_guard() has warned about its image format */
	const char *image, *how;	/* as in dm_found */
	int label_err;
	struct dm_label label;
	char word[];
};

struct dm_build {
	struct dm_world *world;
	struct dm_build_opts o;
	struct err *err;
	struct dm_table *table;
	struct arena *arena;		/* where targets allocate memory: the table's, or a temporary one */
	size_t room, stores_room;	/* of table->targets, table->stores */
	bool collecting;
	struct dm_store standin;	/* the store that constructors get then */
	char no_name[1];
	struct list all;		/* dm_build_word.all */
	struct list wanted;		/* dm_build_word.node: to be opened, in order */
	bool wanting;			/* the line wants one that is not open yet */
	bool reads;			/* the line only reads the one that it wants now */
	size_t n;			/* lines of this pass that were right ... */
	uint64_t end;			/* ... and the sector after them */
	const struct dm_type *single, *immutable;	/* among those lines: the one with that flag */
	size_t line;			/* the current one, from 1 */
	const struct dm_type *type;	/* of that line; NULL before it is known */
	struct hash words;		/* dm_build_word.by_word */
	struct hash stores;		/* its by_store: the stores of the table */
	struct text scratch;		/* a writable copy of a record's params: wiped, because there may be a key where none is expected */
	bool failed, checked;
	size_t lines_before, uses_before;	/* lengths of the explanation before this line */
	const char *explain_sep;	/* separates two uses in the explanation of a line */
};

/*
 * dm_build_line() and dm_build_text_line(): the line wants words that are now in `wanted`; pass it again when they are
 * open.
 */
#define DM_BUILD_WAITS 1

/* One line of text; it may be a comment. */
int dm_build_text_line(struct dm_build *b, const char *from, size_t len);
/* The words are collected: starts again from the first line. */
void dm_build_again(struct dm_build *b);
/* A step of dm_build_end(), which may take long: true as long as there is more to do. */
bool dm_build_tidy(struct dm_build *b);

/*
 * The store that WORD means; the table gets the reference. 0, or -errno and a sentence. While collecting, OUT has no
 * store.
 */
int dm_build_store(struct dm_build *b, const char *word, struct dm_build_word **out);
/* From now on WORD means S, whatever else it could mean. */
int dm_build_know(struct dm_build *b, const char *word, struct dm_store *s);
/* An opening for W; NULL: no memory. */
struct dm_opening *dm_build_opening(struct dm_build *b, const struct dm_build_word *w);
/* O, which was W's, has ended. */
void dm_build_opened(struct dm_build_word *w, struct dm_opening *o);
/* Frees one word; false: none is left. */
bool dm_build_forget_word(struct dm_build *b);

/* Shared between the parts of the build. */
static inline int dm_build_no_memory(struct dm_build *b)
{
	return err_set(b->err, -ENOMEM, "no memory for a table of %zu lines", b->line);
}

bool dm_build_waits(struct dm_build *b);	/* the line that failed is to be read again once what it wants is open */
int dm_build_failed(struct dm_build *b);
char *dm_build_scratch(struct dm_build *b, const char *from, size_t len);	/* a writable copy of LEN bytes; NULL: no memory */
int dm_build_target_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, char *params);

/* W's capabilities limit every table that uses it; its hints apply only if a line has none of its own (hints). */
void dm_build_stack(struct dm_build *b, struct dm_build_word *w);
/* At the end: the lines' own hints. */
void dm_build_hints(struct dm_build *b);

/*
 * Warns if a line maps W's store from sector OFFSET on and that is hardly intended: sectors used by a disk label (the
 * label guard), or an image in a special format (once).
 */
void dm_build_guard(struct dm_build *b, struct dm_build_word *w, uint64_t offset);

/* For `check`: "sectors 0 to 10239 (5 MiB): linear", followed by what dm_arg_at() adds. */
void dm_build_explain(struct dm_build *b, uint64_t start, uint64_t len);
void dm_build_explained(struct dm_build *b);	/* the end of the line */
void dm_build_unexplained(struct dm_build *b);	/* it will be read again */

/* Determines the ways of the table's flushes. False: no memory. */
bool dm_build_flush(struct dm_build *b);
bool dm_build_spares(struct dm_build *b);

/* May the current line, of type b->type, be in this table (build_flags.c)? The second records that it is. */
int dm_build_check_flags(struct dm_build *b);
void dm_build_note_flags(struct dm_build *b);

/* What dm_table_fits() needs, and what the lower devices know about the table. False: no memory. */
bool dm_build_reaches(struct dm_build *b);
bool dm_build_uses(struct dm_build *b);

#endif
