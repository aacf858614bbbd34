/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two engines behind aio.h look like to aio.c. */
#ifndef BASE_AIO_ENGINE_H
#define BASE_AIO_ENGINE_H

#include "base/aio.h"

/* The kernel moves less than 2 GiB at once, and io_uring counts in 32 bits: what is more is the caller's to continue. */
#define AIO_MAX_BYTES (1u << 30)

struct aio_pool;
struct aio_uring;

struct aio {
	struct loop *loop;
	uint64_t quick_turn;		/* when the last quick write came */
	struct aio_pool *pool;		/* always: AIO_CALL goes there; its threads start when they are needed */
	struct aio_uring *uring;	/* NULL: everything goes to the pool */
};

static inline bool aio_is_quick(const struct aio_op *op)
{
	return op->kind == AIO_WRITE && (op->flags & (AIO_QUICK | AIO_DSYNC)) == AIO_QUICK;
}

int aio_pool_new(struct aio_pool **out, struct loop *l, struct err *e);
void aio_pool_free(struct aio_pool *p);
/* Would a quick operation have to wait behind slow ones? */
bool aio_pool_is_busy(const struct aio_pool *p);
void aio_pool_submit(struct aio_pool *p, struct aio_op *op);

int aio_uring_new(struct aio_uring **out, struct loop *l, struct err *e);
void aio_uring_free(struct aio_uring *u);
/* Is anything of it under way? */
bool aio_uring_is_busy(const struct aio_uring *u);
void aio_uring_submit(struct aio_uring *u, struct aio_op *op);

#endif
