/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a Unix socket on which this process listens: created here, perhaps with a lock file beside it, and
 * removed at the end. A dead socket of this user or root is replaced, but nothing else. It may be kept (keep.h): clients
 * that connect after this process has died wait for the next one, which continues with the same socket.
 */
#ifndef BASE_OWN_SOCKET_H
#define BASE_OWN_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/err.h"

struct own_socket {
	int fd;				/* listens, non-blocking; -1 when closed */
	int lock;			/* -1: there is none */
	struct sockaddr_un at;
	char lock_path[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];
	dev_t dev;			/* the file that was created here ... */
	ino_t ino;			/* ... 0 if none was */
	const char *keep;		/* as in the options */
};

#define OWN_SOCKET_NONE ((struct own_socket){ .fd = -1, .lock = -1 })

struct own_socket_opts {
	const char *name;	/* "NBD": the socket's name, for messages */
	const char *path;
	bool lock;		/* PATH.lock keeps two servers apart, even while one of them is ending */
	bool others;		/* mode 0666, not 0600 */
	const char *keep;	/* the name under which it is kept, a literal, or NULL; -lock is added for the lock */
};

/* Listens. 0, or -errno and a sentence (-EADDRINUSE: another server does); on failure nothing is left behind. */
int own_socket_new(struct own_socket *s, const struct own_socket_opts *o, struct err *e);

/* Takes over FD, which listens on O's path already. */
int own_socket_take(struct own_socket *s, const struct own_socket_opts *o, int fd, struct err *e);

/* Nobody can connect any more, and the socket is not kept any longer; the lock is. */
void own_socket_deafen(struct own_socket *s);

/* Is a server that was on the socket PATH, with a lock, on its way out? The second waits for its end. */
bool own_socket_is_ending(const char *path);
void own_socket_await_end(const char *path);

/* Removes what was created here. */
void own_socket_free(struct own_socket *s);

#endif
