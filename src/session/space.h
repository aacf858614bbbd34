/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of sessions: the first command `session` starts the holder (holder.h), a process that creates and
 * keeps the namespaces in which the devices look as on Linux. All sessions of this daemon share them. Control thread.
 */
#ifndef SESSION_SPACE_H
#define SESSION_SPACE_H

#include <stdbool.h>

#include "base/err.h"

struct dm_world;
struct fuse_front;
struct space;

/* Adds itself to the world's fronts. FUSE serves /dev there. SECONDS: for programs to finish by themselves at the end. */
int space_new(struct space **out, struct dm_world *w, struct fuse_front *fuse, unsigned seconds, struct err *e);

/*
 * Whoever waits for a session is refused, and what the sessions' programs have left is brought to an end (ending.h); then
 * THEN is called, perhaps at once, with 0 or a sentence about what was lost. The command `shutdown` begins with the same.
 */
void space_end(struct space *s, void (*then)(void *arg, const struct err *e), void *arg);

/* Waits for no program any more. False: no end is under way. */
bool space_hurry(struct space *s);

/* Behind space_end(): the holder ends. THEN comes when it has; that may still need FUSE. */
void space_stop(struct space *s, void (*then)(void *arg), void *arg);

/* Waits for a holder that would not end. Behind fuse_front_free(), which answers all that it may wait for. */
void space_free(struct space *s);

#endif
