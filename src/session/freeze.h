/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of freezing: a freezer (freezer.h) for each device that has a file system to freeze. Control
 * thread.
 */
#ifndef SESSION_FREEZE_H
#define SESSION_FREEZE_H

#include "core/world.h"
#include "session/ending.h"

struct freezes {
	struct dm_front front;
	struct dm_world *world;
	const struct endings *sessions;
	struct list all;		/* freeze.node */
};

/* Adds itself to the world's fronts. */
void freezes_init(struct freezes *s, struct dm_world *w, const struct endings *sessions);
/* Frozen file systems are thawed, but that is not waited for. */
void freezes_free(struct freezes *s);

#endif
