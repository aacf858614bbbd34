/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: clients send commands as property lists, one after the other, and get a reply to each
 * (doc/protocol.md). Runs on the control thread.
 */
#ifndef FRONTS_CONTROL_CONTROL_H
#define FRONTS_CONTROL_CONTROL_H

#include <stdbool.h>

#include "base/err.h"

struct control;
struct dm_world;

struct control_opts {
	const char *path;	/* of the socket; its directory must exist already */
	int fd;			/* a listening socket that was passed in (systemd), else -1; PATH is then only its name */
	unsigned handshake;	/* seconds for a client's first message, and for the rest of one it has begun; 0: no limit */
	bool allow_read;	/* other users may connect and read, but change nothing */
};

/*
 * Listens, but serves nobody before control_serve(). 0, or -errno and a sentence: -EADDRINUSE if a daemon serves PATH
 * already. A socket left by a dead daemon is replaced. PATH.lock, which is held as long as the daemon runs, keeps two daemons apart.
 */
int control_new(struct control **out, struct dm_world *w, const struct control_opts *o, struct err *e);

/* At first whoever connects waits: from now on he is served. */
void control_serve(struct control *c);

/*
 * The daemon is about to end: nobody can connect any more, running commands are cancelled, and new ones are refused
 * with a sentence. Connections stay open: their end tells clients that the daemon has ended.
 */
void control_stop(struct control *c);

/* Calls control_stop() unless that was done, and runs the world's loop until no command is running. */
void control_finish(struct control *c);

/* The same; then the socket is removed, if it was made here, and the connections are closed last. */
void control_free(struct control *c);

#endif
