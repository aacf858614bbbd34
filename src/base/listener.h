/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listening socket. When no descriptor is left, clients are accepted and disconnected, or wait in the queue until
 * descriptors are free again; the loop does not spin.
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
	void (*welcome)(struct listener *l, int fd);	/* a client has connected; takes over FD, which is non-blocking */
	void (*turned_away)(struct listener *l);	/* no descriptor is left: a client was disconnected, or waits */
	/* Optional: is there a spare descriptor for privileged clients? */
	enum listener_room (*squeeze)(struct listener *l);
	bool (*privileged)(struct listener *l, int fd);
};

struct listener {
	const struct listener_type *type;
	struct loop *loop;
	struct spare *spare;		/* several listeners may share it */
	struct loop_watch watch;	/* its fd is the socket */
	struct timer pause;		/* until descriptors are free */
};

/* Listens on FD, which is bound, and which the caller still has to close. 0 or -errno. */
int listener_start(struct listener *l, const struct listener_type *type, struct loop *loop, struct spare *spare, int fd);
void listener_stop(struct listener *l);

/* Whoever connects waits, until ON again. */
void listener_accepts(struct listener *l, bool on);

#endif
