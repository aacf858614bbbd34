/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NBD server: every mapped device is an export with its name. Listening and opening devices happen on the control
 * thread; each connection lives on one io thread.
 */
#ifndef FRONTS_NBD_NBD_H
#define FRONTS_NBD_NBD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct nbd;
struct text;
struct dm_world;

struct nbd_opts {
	const char *unix_path;	/* of the Unix socket, or NULL for none */
	int unix_fd;		/* a listening Unix socket that was passed in, else -1 */
	const char *tcp;	/* ADDRESS:PORT, [v6]:PORT or :PORT (every address), or NULL; port 0: a free one */
	const char *tls_certs;	/* directory with ca-cert.pem, server-cert.pem, server-key.pem, or NULL */
	const char *tls_psk;	/* file of USER:HEXKEY lines, or NULL */
	bool tls_verify;	/* with certificates: a client must show one that the CA signed */
	bool insecure;		/* plain text is allowed on an address that is not loopback */
	bool allow_others;	/* the Unix socket's mode is 0666, not 0600 */
	size_t memory;		/* bytes for all requests and their data; 0: NBD_MEMORY */
	unsigned connections;	/* at the same time; 0: NBD_CONNECTIONS */
	unsigned handshake;	/* seconds within which a client must have finished the handshake; 0: no limit */
};

#define NBD_MEMORY ((size_t)192 << 20)
#define NBD_MEMORY_LEAST ((size_t)64 << 20)
#define NBD_CONNECTIONS 1024u
#define NBD_HANDSHAKE 10u

/* Listens and adds itself to the world's fronts. 0, or -errno and a sentence. */
int nbd_new(struct nbd **out, struct dm_world *w, const struct nbd_opts *o, struct err *e);

/*
 * Closes the listeners, lets connections finish the requests they have begun, closes them and their devices, then calls
 * THEN on the control thread. A client that does not read its answers is disconnected after a few seconds. Requests
 * that are held by a suspended device are waited for, unless dm_world_release() was called: then they get
 * NBD_ESHUTDOWN.
 */
void nbd_stop(struct nbd *n, void (*then)(void *arg), void *arg);
void nbd_free(struct nbd *n);	/* after nbd_stop() */

/*
 * For a program that replaces this one. First connections with TLS, which cannot be handed over, are ended: they finish what they
 * have begun. Then, while all devices stand still: THEN is called when all connections stand still as well.
 */
void nbd_end_tls(struct nbd *n);
void nbd_hand_over(struct nbd *n, void (*then)(void *arg), void *arg);
/* After that: adds what the other program needs to TO, for nbd_take_over(). Its descriptors are passed on by execve(2). 0 or -errno. */
int nbd_handed_over(const struct nbd *n, struct text *to);
/* All goes on here. */
void nbd_hand_back(struct nbd *n);
/* In the other program, when the devices are there. A connection that cannot go on is closed. -EINVAL: SAVED is damaged. */
int nbd_take_over(struct nbd *n, const char *saved, size_t len, struct err *e);
/* Or else: the descriptors in SAVED are passed on once more. */
void nbd_handed_on(const char *saved, size_t len);

#endif
