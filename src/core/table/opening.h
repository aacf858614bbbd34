/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening the store that a word means, while the control thread goes on. What may block is done on helper threads
 * (base/blocking.h), in calls that touch nothing of the world; what needs the world is decided between them on the
 * control thread:
 *
 *   look (the word as a path) -> which type? -> its start(): [call -> then ...] -> dm_opening_end()
 *
 * A type that opens at once has open() instead, which is called when the store is needed: the opening has only found
 * out that it is of this type. An opening that nobody waits for any more goes on to the end of its call, and what it has
 * opened is closed again. Two that want the same place at the same time: the second waits for the first.
 */
#ifndef CORE_OPENING_H
#define CORE_OPENING_H

#include "base/blocking.h"
#include "core/table/place.h"
#include "core/table/store.h"

/* What is looked for in a file besides; so an opening's `wanted`. */
#define DM_FIND_IMAGE (1u << 0)
#define DM_FIND_LABEL (1u << 1)
#define DM_FIND_PARTS (1u << 2)

struct dm_found {
	const char *image, *how;	/* "a qcow2 image" if its sectors are those of a format, and what shows the disk in it; or NULL */
	struct dm_label label;
	int label_err, parts_err;	/* 1: there is a label. 0 or -errno */
	struct dm_parts *parts;		/* as its label has them; NULL: not asked, or parts_err */
};

struct dm_opening {
	/* The caller's; `ended` comes once, inside dm_opening_start() or later, but not after dm_opening_drop(). */
	void (*ended)(struct dm_opening *o);
	void *owner;
	unsigned wanted;		/* DM_FIND_... */
	bool bulk;			/* one of very many (blocking.h) */

	/* The answer: a failure, or a store (a reference for the caller, who may take it), or a type that opens at once. */
	struct err err;
	struct dm_store *store;
	const struct dm_store_type *type;
	const char *rest;		/* the word that TYPE is given */
	struct dm_place place;
	struct dm_found found;

	/* The type's. */
	struct dm_store_wish wish;	/* for calls, too; but its world and cmd are not. err is `said` */
	struct err said;		/* the failure of a call */
	void *own;			/* looked->forget() frees it */
	bool leads;			/* others may join it */

	/* opening.c's. */
	struct blocking_call call;
	const struct dm_store_type *looked;	/* whose `own` and `said` it is */
	void (*work)(struct dm_opening *o);
	void (*then)(struct dm_opening *o);
	struct timer bound;
	struct list node;		/* in the world's openings */
	struct list joined, joins;	/* who waits for this one; its place among those that wait for another one */
	bool blind;			/* there was no memory to look at the word */
	bool over, dropped;
	char words[];			/* what wish.word and wish.cwd point to */
};

/* Makes one for W, whose strings are copied; NULL: no memory. */
struct dm_opening *dm_opening_new(const struct dm_store_wish *w);
void dm_opening_start(struct dm_opening *o);

/* The caller is done with O, or does not want it any more; what the store field still has is put back. */
void dm_opening_drop(struct dm_opening *o);

/* For the types. WORK is done on a helper thread; then THEN comes on the control thread, unless nobody wants to know. */
void dm_opening_call(struct dm_opening *o, void (*work)(struct dm_opening *o), void (*then)(struct dm_opening *o));
/* The end, with a store and a reference to it, or NULL: the failure is in o->said. */
void dm_opening_end(struct dm_opening *o, struct dm_store *s);
/* Another one of the same type that leads, and of which SAME says that it wants the same place; or NULL. */
struct dm_opening *dm_opening_like(struct dm_opening *o, bool (*same)(const struct dm_opening *a, const struct dm_opening *b));
/* O waits for LEADER: it fails as that does, or o->then() comes once more. */
void dm_opening_join(struct dm_opening *o, struct dm_opening *leader);

#endif
