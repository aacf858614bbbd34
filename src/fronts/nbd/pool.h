/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of one io thread for requests and their data. What is given back is
 * kept, up to a bound, and taken again: a steady load allocates nothing.
 */
#ifndef FRONTS_NBD_POOL_H
#define FRONTS_NBD_POOL_H

#include <stddef.h>
#include <stdint.h>

#define NBD_POOL_CLASSES 14	/* 4 KiB, 8 KiB, ... 32 MiB */

struct nbd_req;

struct nbd_pool {
	struct nbd_pool_free *free[NBD_POOL_CLASSES];
	size_t idle;			/* bytes in them */
	struct nbd_req *reqs;		/* by next */
	unsigned n_reqs;
};

/* A page-aligned buffer of at least LEN (1 to NBD_TRANSFER_MAX) bytes, not cleared; NULL when memory ran out. */
void *nbd_pool_take(struct nbd_pool *p, size_t len);
void nbd_pool_give(struct nbd_pool *p, void *buf, size_t len);	/* LEN as it was taken */

/* A request with nothing set, or NULL. */
struct nbd_req *nbd_pool_take_req(struct nbd_pool *p);
void nbd_pool_give_req(struct nbd_pool *p, struct nbd_req *q);

void nbd_pool_free(struct nbd_pool *p);

#endif
