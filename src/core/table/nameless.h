/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that lose their last name while stores use them: removed, or another one was renamed to theirs. A later daemon could not
 * open them, and with the last descriptor their data would be gone, so a descriptor is kept (kept.h). The kernel says when
 * the number of names changes (inotify(7)). A file is watched once it has been open for a while: most that are opened to be
 * looked at, or for a moment, cost nothing. Control thread.
 */
#ifndef CORE_NAMELESS_H
#define CORE_NAMELESS_H

#include "base/hash.h"
#include "base/list.h"

struct dm_world;

/* One that a store uses. */
struct dm_nameless_file {
	int fd;
	void (*changed)(struct dm_nameless_file *f);	/* the number of its names may be another one; it may not call dm_nameless_remove() */
	/* The world's. */
	struct list node;		/* of those that are not watched yet */
	struct hash_link link;		/* of those that are, by WATCH */
	int watch;			/* -1: it is not */
};

/* Without memory, or for want of watches, F is not watched. */
void dm_nameless_add(struct dm_world *w, struct dm_nameless_file *f);
void dm_nameless_remove(struct dm_world *w, struct dm_nameless_file *f);

/* Looks now, at what is not watched yet, too. */
void dm_nameless_look(struct dm_world *w);

void dm_nameless_end(struct dm_world *w);

#endif
