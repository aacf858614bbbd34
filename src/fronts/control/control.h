/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: clients send commands as property lists, one after the
 * other, and get a reply for each (doc/protocol.md). Lives on the control thread.
 */
#ifndef FRONTS_CONTROL_CONTROL_H
#define FRONTS_CONTROL_CONTROL_H

#include <stdbool.h>

#include "base/err.h"

struct control;
struct dm_world;

struct control_opts {
	const char *path;	/* of the socket; its directory must exist */
	int fd;			/* a listening socket that was handed in (systemd), else -1; PATH then names it only */
	unsigned handshake;	/* seconds until a client must have sent its first message, or go on with one; 0: forever */
	bool allow_read;	/* users other than root and the owner may connect and ask, but change nothing */
};

/*
 * Listens. 0, or -errno and a sentence: -EADDRINUSE if a daemon serves PATH already. A socket that a dead daemon left
 * is replaced; PATH.lock, which is there as long as the daemon is, keeps two of them apart.
 */
int control_new(struct control **out, struct dm_world *w, const struct control_opts *o, struct err *e);

/*
 * The daemon is about to end: nobody can connect any more, what clients wait for is cancelled, what they still ask is
 * refused with a sentence. Connections stay: their end is what tells clients that the daemon has ended.
 */
void control_stop(struct control *c);

/*
 * control_stop() if that was not called yet; turns the world's loop until no command is under way; removes the socket
 * that was made here, and closes the connections last.
 */
void control_free(struct control *c);

#endif
