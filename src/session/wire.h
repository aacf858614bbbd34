/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages that processes of a session exchange while it is set up and ended, over a socket that preserves message
 * boundaries.
 */
#ifndef SESSION_WIRE_H
#define SESSION_WIRE_H

#include <stdint.h>

#include "base/err.h"

enum wire_kind {
	WIRE_MOUNTED,	/* holder: with the descriptor of a FUSE that is to be served now */
	WIRE_SERVED,	/* daemon: it is */
	WIRE_READY,	/* holder: programs can enter; `user_ns` */
	WIRE_FILTERED,	/* program: with the listener of its filter; the supervisor answers like the daemon does */
	WIRE_FAILED,	/* any: `err` is the reason; the last message */
	WIRE_END,	/* daemon, to the ender: `seconds`; with the mount namespace that is to end */
	WIRE_USER_NS,	/* daemon, to the ender, before that: with its user namespace, if it has one of its own */
	WIRE_STOP_WAITING,	/* daemon, to the ender: stop waiting */
	WIRE_FREEZE,	/* daemon, to the freezer: of device `major`:`minor`; with the mount namespace. WIRE_USER_NS comes before it */
	WIRE_FROZEN,	/* freezer: `count` file systems are frozen; or `err`, and none is */
	WIRE_THAW,	/* daemon, to the freezer */
	WIRE_THAWED,	/* freezer: they are thawed; the last message */
	WIRE_ENDED,	/* ender: nothing uses the session; `err` says what had to be killed */
};

struct wire {
	uint32_t kind;
	uint32_t user_ns;
	uint32_t seconds;
	uint32_t major, minor, count;
	struct err err;
};

/* FD is passed along if it is not below 0. 0 or -errno. */
int wire_send(int socket, const struct wire *m, int fd);

/*
 * Receives the next message, and the descriptor that came with it, or -1. 0, -EAGAIN, or -EPIPE: the other end is gone.
 */
int wire_receive(int socket, struct wire *m, int *fd);

#endif
