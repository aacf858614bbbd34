/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's side of a session's end: an ender (ender.h) for each session that was started, and what it reports.
 * Everything else goes on meanwhile, because programs that finish their work need answers. Control thread.
 */
#ifndef SESSION_ENDING_H
#define SESSION_ENDING_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"
#include "session/loss.h"

struct dm_world;

struct endings {
	struct dm_world *world;
	unsigned seconds;		/* for programs to finish by themselves */
	struct list sessions;		/* ending.node */
	unsigned n;			/* running enders */
	struct loss loss;
	struct err err;			/* the first error */
	void (*then)(void *arg);
	void *arg;
};

void endings_init(struct endings *s, struct dm_world *w, unsigned seconds);

/* From now on there is a session in the namespaces of process HOLDER. They are kept until endings_free(). */
void endings_add(struct endings *s, pid_t holder, bool user_ns);

/* The namespaces of each session that began since then, the ended ones, too: programs and mounts may be left there. USER -1: the daemon's own. */
void endings_each(const struct endings *s, void (*each)(void *arg, int mnt, int user), void *arg);

/*
 * Ends everything in them. THEN is called when that is over, perhaps at once, and S's err says what was lost. Only
 * once.
 */
void endings_start(struct endings *s, void (*then)(void *arg), void *arg);

/* Stops waiting for programs: what is left is ended now. */
void endings_stop_waiting(struct endings *s);

void endings_free(struct endings *s);

#endif
