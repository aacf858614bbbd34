/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table in the making: what build.c, the files build_*.c, building.c and args.c share. Control thread.
 *
 * The lines are read twice. Collecting, constructors run only to tell which devices they want: each gets a stand-in, and
 * what they have made is thrown away. Then those words are opened (opening.h), which takes what time it takes. Then the
 * lines are read again, and the table is made. A line that wants a word that nobody has collected is read once more when
 * that is open, too.
 */
#ifndef CORE_BUILD_H
#define CORE_BUILD_H

#include "base/hash.h"
#include "core/table/opening.h"
#include "core/table/table.h"

/* A device word that this build has met: opened once, however many lines say it. */
struct dm_build_word {
	struct hash_link by_word;
	struct list node;		/* in the build's `wanted`, until its opening begins */
	struct list all;		/* in its `all` */
	size_t at;			/* which of the words it is, in the order of the lines */
	bool ready;			/* it was opened, or could not be, or opens at once */
	int code;			/* it could not be: -errno ... */
	char *why;			/* ... and the sentence; NULL: no memory for it */
	const struct dm_store_type *type;	/* what opens it at once, if there is no store yet ... */
	size_t rest;			/* ... the part of the word that this type is given ... */
	struct dm_place place;		/* ... and what the file system says of it */
	struct dm_store *store;		/* a reference of our own ... */
	bool held;			/* ... or the table holds it, ... */
	bool first;			/* ... since this word: in the build's `stores` */
	struct hash_link by_store;
	uint64_t end;			/* the last sector that is used, and one */
	bool stacked;			/* its limits are in the table's ... */
	bool asked;			/* ... and a line is asked as it likes it */
	bool plain;			/* a line that says it has no flush() of its own */
	bool seen;			/* dm_build_guard() has told what image it is */
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
	struct arena *arena;		/* where targets get memory from: the table's, or one for a moment */
	size_t room, stores_room;	/* of table->targets, table->stores */
	bool collecting;
	struct dm_store standin;	/* what a constructor gets then */
	char no_name[1];
	struct list all;		/* dm_build_word.all */
	struct list wanted;		/* dm_build_word.node: to be opened, in order */
	bool wanting;			/* the line wants one that is not open yet */
	size_t n;			/* lines of this reading that were right ... */
	uint64_t end;			/* ... and the sector behind them */
	const struct dm_type *single, *immutable;	/* of those lines: the one with that flag */
	size_t line;			/* the one being read, from 1 */
	const struct dm_type *type;	/* of that line; NULL before its target is known */
	struct hash words;		/* dm_build_word.by_word */
	struct hash stores;		/* its by_store: what the table holds */
	struct text scratch;		/* a changeable copy of a record's params */
	bool failed, checked;
	size_t lines_before, uses_before;	/* bytes of the explanation, before this line */
	const char *explain_sep;	/* between two uses in the explanation of a line */
};

/* dm_build_line() and dm_build_text_line(): the line wants words that are in `wanted` now; give it again when they are open. */
#define DM_BUILD_WAITS 1

/* One line of text; it may be a comment. */
int dm_build_text_line(struct dm_build *b, const char *from, size_t len);
/* The words are collected: from the first line again. */
void dm_build_again(struct dm_build *b);
/* Part of dm_build_end(), which can be long: a step of it, true as long as there is more to do. */
bool dm_build_tidy(struct dm_build *b);

/* The store that WORD means, held by the table: 0 or -errno and a sentence. Collecting, OUT has none. */
int dm_build_store(struct dm_build *b, const char *word, struct dm_build_word **out);
/* From now on WORD means S, whatever else it could. */
int dm_build_know(struct dm_build *b, const char *word, struct dm_store *s);
/* How W is opened; NULL: no memory. */
struct dm_opening *dm_build_opening(struct dm_build *b, const struct dm_build_word *w);
/* The end of O, which was W's. */
void dm_build_opened(struct dm_build_word *w, struct dm_opening *o);
/* Frees one word; false: there is none left. */
bool dm_build_forget_word(struct dm_build *b);

/* Between the parts of the build. */
int dm_build_no_memory(struct dm_build *b);
int dm_build_failed(struct dm_build *b);
int dm_build_read(struct dm_build *b, char *line);
int dm_build_target_line(struct dm_build *b, uint64_t start, uint64_t len, const char *type, char *params);

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
void dm_build_explained(struct dm_build *b);	/* the end of the line */
void dm_build_unexplained(struct dm_build *b);	/* it is read again later */

/* Which ways a flush of the table goes. False without memory. */
bool dm_build_flush(struct dm_build *b);

/* The line that is being read, of type b->type: may it stand there (build_flags.c)? Then it does. */
int dm_build_check_flags(struct dm_build *b);
void dm_build_note_flags(struct dm_build *b);

/* What dm_table_fits() asks of the table, and what its lower devices know of it. False without memory. */
bool dm_build_reaches(struct dm_build *b);
bool dm_build_uses(struct dm_build *b);

#endif
