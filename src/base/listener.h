/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket on which clients come in. When no descriptor is left for them, they are let in and out again, or wait in the
 * queue until some come back; nobody spins.
 */
#ifndef BASE_LISTENER_H
#define BASE_LISTENER_H

#include <stdbool.h>

#include "base/loop.h"
#include "base/spare.h"
#include "base/timers.h"

struct listener;

enum listener_room { LISTENER_FULL, LISTENER_ROOM_SOON, LISTENER_ROOM };

struct listener_type {
	void (*welcome)(struct listener *l, int fd);	/* a client has come; takes over FD, which is non-blocking */
	void (*turned_away)(struct listener *l);	/* no descriptor is left: a client was, or waits */
	/* Optional: is there a spare descriptor that those with a privilege may have? */
	enum listener_room (*squeeze)(struct listener *l);
	bool (*privileged)(struct listener *l, int fd);
};

struct listener {
	const struct listener_type *type;
	struct loop *loop;
	struct spare *spare;		/* several listeners may share it */
	struct loop_watch watch;	/* its fd is the socket */
	struct timer pause;		/* until descriptors come back */
};

/* Listens on FD, which is bound, and stays the caller's to close. 0 or -errno. */
int listener_start(struct listener *l, const struct listener_type *type, struct loop *loop, struct spare *spare, int fd);
void listener_stop(struct listener *l);

#endif
