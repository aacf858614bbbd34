/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared objects: live state that several lines use and that outlives a table: a pool, an origin's exceptions, a cow
 * store. An object is found by its kind and the store that it is about, exists once for both, and is there as long as a line
 * holds it. Use one where a reload or a second device must find what an earlier line knows. Do not use one for what a line
 * can read from its words, nor for what belongs to one line alone: that is its private part.
 *
 * A line holds its object from its constructor to its destructor, and binds to it (reads metadata, checks that its words fit)
 * in preresume: while a new table is only loaded, the old one is still at work. The object holds its store, so it can finish
 * its I/O whatever becomes of the tables. Control thread; what io threads read of an object changes under a leaf lock of the
 * object's own, or by a round.
 */
#ifndef CORE_SHARED_H
#define CORE_SHARED_H

#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"

struct dm_shared;
struct dm_store;
struct dm_world;

struct dm_shared_kind {
	const char *name;		/* for sentences: "a pool" */
	size_t size;			/* of the object, whose first member is struct dm_shared */
	/* Reserves what the object needs (clerk, cells, copier), no I/O; the object is zeroed. 0 or -errno and a sentence. */
	int (*begin)(struct dm_shared *s, struct err *e);
	void (*end)(struct dm_shared *s);	/* the last hold is gone: frees what begin() took; also after begin() failed */
};

struct dm_shared {
	const struct dm_shared_kind *kind;
	struct dm_world *world;
	struct dm_store *store;
	unsigned holds;
	struct dm_shared_key {
		const struct dm_shared_kind *kind;
		const void *end;	/* what the store leads to */
	} key;
	struct hash_link by_key;
};

/* The object for STORE, made if there is none: 0 and one more hold, or -errno and a sentence. */
int dm_shared_get(struct dm_shared **out, const struct dm_shared_kind *kind, struct dm_store *store, struct err *e);
void dm_shared_put(struct dm_shared *s);	/* NULL is harmless */

/* The object if there is one, without a hold; or NULL. */
struct dm_shared *dm_shared_find(const struct dm_shared_kind *kind, const struct dm_store *store);

#endif
