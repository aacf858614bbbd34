/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of one io thread for requests and their data. What is given back is
 * kept, up to a bound, and taken again: a steady load allocates nothing. All
 * threads together have so much and no more; who gets none waits.
 */
#ifndef FRONTS_NBD_POOL_H
#define FRONTS_NBD_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"

#define NBD_POOL_CLASSES 14	/* 4 KiB, 8 KiB, ... 32 MiB */

struct nbd_req;

/* What the pools of all io threads share. */
struct nbd_memory {
	struct budget budget;
	size_t idle_most;		/* bytes that lie idle in one pool */
	atomic_uint hungry;		/* io threads with connections that wait for memory: none lies idle then */
};

struct nbd_pool {
	struct nbd_memory *memory;
	struct nbd_pool_free *free[NBD_POOL_CLASSES];
	size_t idle;			/* bytes in them */
	struct nbd_req *reqs;		/* by next */
	unsigned n_reqs;
};

void nbd_memory_init(struct nbd_memory *m, size_t most, unsigned pools);

/* Sees to it that a request, and LEN bytes (0: none) for its data, can be taken. False: there is no memory now. */
bool nbd_pool_ready(struct nbd_pool *p, size_t len);

/* A page-aligned buffer of at least LEN (1 to NBD_TRANSFER_MAX) bytes, not cleared; NULL when memory ran out. */
void *nbd_pool_take(struct nbd_pool *p, size_t len);
/* LEN as it was taken. True: it was not kept, and somebody waits for memory. */
bool nbd_pool_give(struct nbd_pool *p, void *buf, size_t len);

/* A request with nothing set, or NULL. */
struct nbd_req *nbd_pool_take_req(struct nbd_pool *p);
bool nbd_pool_give_req(struct nbd_pool *p, struct nbd_req *q);	/* as nbd_pool_give() */

void nbd_pool_free(struct nbd_pool *p);

#endif
