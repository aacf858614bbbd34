/* SPDX-License-Identifier: BSD-2-Clause */
/* What handover.c saves of a connection, and handover_take.c reads. */
#ifndef FRONTS_NBD_HANDOVER_H
#define FRONTS_NBD_HANDOVER_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct nbd_conn;

enum { NBD_HANDED_NO_ZEROES = 1,
       NBD_HANDED_STRUCTURED = 2,
       NBD_HANDED_META = 4,
       NBD_HANDED_TLS_NEEDED = 8 };

/* A line, and what it says about the bytes that follow. */
struct nbd_handed {
	int fd;
	unsigned tcp, phase, bits, flags;
	uint32_t major, minor, min_block, preferred_block;
	uint64_t size;
	size_t skip_at;
	uint32_t skipped;
	size_t name, meta, in, out; /* lengths */
};

#define NBD_HANDED_LINE "connection fd=%d tcp=%u phase=%u bits=%u device=%" PRIu32 ":%" PRIu32 " size=%" PRIu64 \
			" blocks=%" PRIu32 ",%" PRIu32 " flags=%u skip=%zu,%" PRIu32 " lengths=%zu,%zu,%zu,%zu\n"
#define NBD_HANDED_SCAN "connection fd=%d tcp=%u phase=%u bits=%u device=%" SCNu32 ":%" SCNu32 " size=%" SCNu64 \
			" blocks=%" SCNu32 ",%" SCNu32 " flags=%u skip=%zu,%" SCNu32 " lengths=%zu,%zu,%zu,%zu\n%n"

/* What a client has sent to an earlier program, and has no answer yet: it is received once more, before what the socket has. */
struct nbd_early {
	size_t at, len;
	size_t skip_at; /* where a WRITE begins that is refused; its data is not here, for ... */
	uint32_t skipped; /* ... so many bytes of it were discarded already */
	uint8_t bytes[];
};

/* Like readv(): fills IOV from what is early, and frees it at its end. */
ssize_t nbd_early_recv(struct nbd_conn *c, const struct iovec *iov, int n);

/* A WRITE was taken from rx, and is refused: how much of its data was discarded before? */
uint32_t nbd_early_skipped(struct nbd_conn *c);

#endif
