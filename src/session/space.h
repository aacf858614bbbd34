/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of sessions: the first command `session` starts the holder
 * (holder.h), a process that makes the namespaces in which the devices are seen as
 * on Linux, and keeps them. Every session of this daemon is in them. Control thread.
 */
#ifndef SESSION_SPACE_H
#define SESSION_SPACE_H

#include "base/err.h"

struct dm_world;
struct fuse_front;
struct space;

/* Adds itself to the world's fronts. FUSE serves /dev there. */
int space_new(struct space **out, struct dm_world *w, struct fuse_front *fuse, struct err *e);

/*
 * Whoever waits for a session is refused, and the holder ends. THEN comes when it has: what was mounted in its namespaces
 * alone is written back and unmounted, which needs FUSE.
 */
void space_stop(struct space *s, void (*then)(void *arg), void *arg);

/* Waits for a holder that would not end. Behind fuse_front_free(), which answers all that it may wait for. */
void space_free(struct space *s);

#endif
