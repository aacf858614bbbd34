/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS for connections, by GnuTLS. The keys are read once and shared; each connection has a TLS session of its own on
 * its io thread. Nothing here blocks.
 */
#ifndef FRONTS_NBD_TLS_H
#define FRONTS_NBD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

struct nbd_tls;
struct nbd_tls_conn;

/* CERTS is a directory with ca-cert.pem, server-cert.pem, server-key.pem; PSK a file of USER:HEXKEY lines; one of them. */
int nbd_tls_new(struct nbd_tls **out, const char *certs, const char *psk, bool verify, struct err *e);
void nbd_tls_free(struct nbd_tls *t);

int nbd_tls_begin(struct nbd_tls_conn **out, struct nbd_tls *t, int fd);
void nbd_tls_end(struct nbd_tls_conn *s);	/* sends close_notify if the socket takes it */

/* 0: done. -EAGAIN: call again when the socket is ready. Else the peer is refused, and *WHY is the reason. */
int nbd_tls_handshake(struct nbd_tls_conn *s, const char **why);
bool nbd_tls_wants_write(const struct nbd_tls_conn *s);	/* what the handshake waits for */

ssize_t nbd_tls_recv(struct nbd_tls_conn *s, void *buf, size_t len);	/* as recv(), with -errno */
bool nbd_tls_holds(const struct nbd_tls_conn *s);	/* there are received bytes of which epoll does not know */

/* Takes some of IOV, and returns how many bytes; nbd_tls_flush() must have returned 0 before. */
ssize_t nbd_tls_send(struct nbd_tls_conn *s, const struct iovec *iov, unsigned n);
int nbd_tls_flush(struct nbd_tls_conn *s);	/* 0: everything taken was sent. -EAGAIN: call again when the socket is ready */

#endif
