/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers and requests of the io thread that serves files: what is given back is kept, up to a bound, and taken again. */
#ifndef FRONTS_FUSE_POOL_H
#define FRONTS_FUSE_POOL_H

#include <stddef.h>

#define FUSE_POOL_SIZES 3

struct fuse_io;

struct fuse_pool {
	struct fuse_pool_free *free[FUSE_POOL_SIZES];
	size_t idle;		/* bytes in them */
	struct fuse_io *ios;	/* by next */
};

/* A page-aligned buffer of at least LEN bytes, not cleared; NULL when memory ran out. */
void *fuse_pool_take(struct fuse_pool *p, size_t len);
void fuse_pool_give(struct fuse_pool *p, void *buf, size_t len);	/* LEN as it was taken; BUF may be NULL */

/* A request with nothing set, or NULL. */
struct fuse_io *fuse_pool_take_io(struct fuse_pool *p);
void fuse_pool_give_io(struct fuse_pool *p, struct fuse_io *io);

void fuse_pool_free(struct fuse_pool *p);

#endif
