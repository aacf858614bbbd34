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
	const char *path;	/* of the socket; its folder must exist */
	int fd;			/* a listening socket that was handed in (systemd), else -1; PATH then names it only */
	bool allow_read;	/* users other than root and the owner may connect and ask, but change nothing */
};

/* Listens. 0, or -errno and a sentence (another daemon that listens there is one). */
int control_new(struct control **out, struct dm_world *w, const struct control_opts *o, struct err *e);

/* Cancels what clients wait for, closes them, removes the socket that was made here. */
void control_free(struct control *c);

#endif
