/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of the control socket: made, guarded by a lock file beside it, and removed at the end. */
#ifndef FRONTS_CONTROL_SOCKET_H
#define FRONTS_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/err.h"

struct control_socket {
	int fd;				/* listens, non-blocking; -1 when closed */
	int lock;			/* -1 of a socket that was handed in */
	struct sockaddr_un at;
	char lock_path[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];
	dev_t dev;			/* the file that was made here ... */
	ino_t ino;			/* ... 0 if none was */
};

/* Listens on PATH; OTHERS: mode 0666, not 0600. 0, or -errno and a sentence, and nothing is left behind. */
int control_socket_new(struct control_socket *s, const char *path, bool others, struct err *e);

/* Takes over FD, which listens on PATH already. */
int control_socket_take(struct control_socket *s, const char *path, int fd, struct err *e);

/* Nobody can connect any more; the lock is kept. */
void control_socket_deafen(struct control_socket *s);

/* Removes what was made here. */
void control_socket_free(struct control_socket *s);

#endif
