/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens the store that a word means, while the control thread continues. What may block is done on helper threads
 * (base/blocking.h), in calls that do not use the world; what needs the world is decided between these calls on the
 * control thread:
 *
 *   look (the word as a path) -> which type? -> its start(): [call -> then ...] -> dm_opening_end()
 *
 * A type that opens at once has open() instead, which is called when the store is needed: the opening only finds out
 * that the word is of this type. An opening that nobody waits for any more continues to the end of its call, and what
 * it has opened is closed again. If two want the same file at the same time, the second waits for the first.
 */
#ifndef CORE_OPENING_H
#define CORE_OPENING_H

#include "base/blocking.h"
#include "core/device/settle.h"
#include "core/table/place.h"
#include "core/table/store.h"

/* What else is looked for in a file; for an opening's `wanted`. */
#define DM_FIND_IMAGE (1u << 0)
#define DM_FIND_LABEL (1u << 1)
#define DM_FIND_PARTS (1u << 2)

struct dm_found {
	const char *image, *how;	/* "a qcow2 image" if it is in such a format, and what can show the disk in it; or NULL */
	struct dm_label label;
	int label_err, parts_err;	/* 1: there is a label. 0 or -errno */
	struct dm_parts *parts;		/* from its partition table; NULL: not wanted, or parts_err */
};

struct dm_opening {
	/* The caller's; done() is called once, inside dm_opening_start() or later, but not after dm_opening_drop(). */
	void (*done)(struct dm_opening *o);
	void *owner;
	unsigned wanted;		/* DM_FIND_... */
	bool bulk;			/* one of very many (blocking.h) */

	/* The result: an error, or a store (a reference that the caller may take), or a type that opens at once. */
	struct err err;
	struct dm_store *store;
	const struct dm_store_type *type;
	const char *rest;		/* the part of the word for TYPE */
	struct dm_place place;
	struct dm_found found;

	/* The type's. */
	struct dm_store_spec spec;	/* also for calls, except its world and cmd; its err is `said` */
	struct err said;		/* the error of a call */
	int kept;			/* what an earlier daemon has kept for it (kept.h), or -1 ... */
	bool nameless;			/* ... under what it is known by, because it has no name */
	int at_hand;			/* the file, found without waiting (at_hand.h): calls are made at once; or -1 */
	unsigned mount;			/* what it is on, if it is at hand: DM_MOUNT_... */
	void *own;			/* looked->forget() frees it */
	bool leads;			/* others may wait for it */

	/* opening.c's. */
	struct blocking_call call;
	const struct dm_store_type *looked;	/* the type to which `own` and `said` belong */
	void (*work)(struct dm_opening *o);
	void (*then)(struct dm_opening *o);
	struct timer bound;
	struct list node;		/* in the world's openings */
	struct list joined, joins;	/* those that wait for this one; its node among those that wait for another one */
	bool no_memory;			/* there was no memory for looking at the word */
	struct dm_settle settle;
	bool settling;
	const struct dm_device *settled;	/* the last one that was waited for, or NULL */
	bool ended, dropped;
	char words[];			/* the memory of spec.word and spec.cwd */
};

/* Creates one for W, whose strings are copied; NULL: no memory. */
struct dm_opening *dm_opening_new(const struct dm_store_spec *w);
void dm_opening_start(struct dm_opening *o);

/* The caller no longer needs O; a reference that is still in its store field is dropped. */
void dm_opening_drop(struct dm_opening *o);

/* For types. Calls WORK on a helper thread, unless the file is at hand, then THEN on the control thread, unless O was dropped. */
void dm_opening_call(struct dm_opening *o, void (*work)(struct dm_opening *o), void (*then)(struct dm_opening *o));
/* Ends O with a store and a reference to it; or NULL: the error is in o->said. */
void dm_opening_end(struct dm_opening *o, struct dm_store *s);
/* Another opening of the same type that leads, and for which SAME says that it wants the same file; or NULL. */
struct dm_opening *dm_opening_like(struct dm_opening *o, bool (*same)(const struct dm_opening *a, const struct dm_opening *b));
/* Calls then() of those in JOINED, which waited for something else (closing.h). */
void dm_openings_go_on(struct list *joined);
/* O waits for LEADER: it fails if that fails, or o->then() is called once more. */
void dm_opening_join(struct dm_opening *o, struct dm_opening *leader);

#endif
