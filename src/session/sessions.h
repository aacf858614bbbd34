/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of sessions: the first command `session` starts the holder (holder.h), a process that creates and
 * keeps the namespaces in which the devices look as on Linux. All sessions of this daemon share them. Control thread.
 */
#ifndef SESSION_SESSIONS_H
#define SESSION_SESSIONS_H

#include <stdbool.h>

#include "base/err.h"

struct dm_world;
struct fuse_front;
struct sessions;

/* Adds itself to the world's fronts. FUSE serves /dev there. SECONDS: for programs to finish by themselves at the end. */
int sessions_new(struct sessions **out, struct dm_world *w, struct fuse_front *fuse, unsigned seconds, struct err *e);

/*
 * Once, at the end of the start: goes on with the session of a daemon that died, if its holder was kept (base/keep.h), and
 * FUSE serves its /dev again.
 */
void sessions_restore(struct sessions *s);

/*
 * Refuses the commands that wait for a session, and ends what the sessions' programs have left (ending.h). Then calls
 * THEN, perhaps at once, with 0 or a sentence about what was lost. The command `shutdown` begins with the same.
 */
void sessions_end(struct sessions *s, void (*then)(void *arg, const struct err *e), void *arg);

/* Stops waiting for programs. False: no session is being ended. */
bool sessions_stop_waiting(struct sessions *s);

/* After sessions_end(): ends the holder, then calls THEN. FUSE may still be needed for that. */
void sessions_stop(struct sessions *s, void (*then)(void *arg), void *arg);

/*
 * Waits for holders that have not ended yet. After fuse_front_free(), which answers everything for which they may wait.
 */
void sessions_free(struct sessions *s);

#endif
