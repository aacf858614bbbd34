/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a daemon's devices: the journal in which it is kept, from the opening to the end. */
#ifndef CMD_SERVE_STATE_H
#define CMD_SERVE_STATE_H

#include "cmd/state_recorder.h"

struct dm_world;
struct handover;

struct serve_state {
	struct dm_world *world;
	const char *path;
	struct journal *journal;	/* NULL: nothing is kept */
	struct state_recorder recorder;
	bool durable;
};

/*
 * PATH may be NULL. After the control socket: of two daemons in one directory the second has been refused by then. W gets the
 * major number of the devices that are in it.
 */
int serve_state_open(struct serve_state *s, struct dm_world *w, const char *path, bool durable, struct err *e);

/*
 * The devices of an earlier daemon are there again, with what it has handed over (HANDED, or NULL). The fronts have to be there, and
 * nobody is served yet.
 */
int serve_state_restore(struct serve_state *s, const struct handover *handed, struct err *e);

/*
 * OPTIONS, with which this daemon was started, are recorded. TELL: a daemon that was killed may have had others, and nobody has
 * started this one with them again: the log says which.
 */
void serve_state_options(struct serve_state *s, const char *options, bool tell);

/* Devices end with their daemon, unless their state is durable, or the daemon has never SERVED. */
void serve_state_end(struct serve_state *s, bool served);

#endif
