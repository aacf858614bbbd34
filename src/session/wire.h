/* SPDX-License-Identifier: BSD-2-Clause */
/* What processes of a session say to each other while it is set up, over a socket that keeps messages apart. */
#ifndef SESSION_WIRE_H
#define SESSION_WIRE_H

#include <stdint.h>

#include "base/err.h"

enum wire_kind {
	WIRE_MOUNTED,	/* holder: with the descriptor of a FUSE that is to be served now */
	WIRE_SERVED,	/* daemon: it is */
	WIRE_READY,	/* holder: programs can come; `user_ns` */
	WIRE_FILTERED,	/* program: with the listener of its filter; the supervisor answers as the daemon does */
	WIRE_FAILED,	/* either: `err` says why; this is the end */
};

struct wire {
	uint32_t kind;
	uint32_t user_ns;
	struct err err;
};

/* FD goes along if it is not below 0. 0 or -errno. */
int wire_send(int socket, const struct wire *m, int fd);

/* The next message, and the descriptor that came with it, or -1. 0, -EAGAIN, or -EPIPE: nobody is there any more. */
int wire_receive(int socket, struct wire *m, int *fd);

#endif
