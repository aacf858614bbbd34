/* SPDX-License-Identifier: BSD-2-Clause */
/* The two engines of aio.h, as aio.c sees them. */
#ifndef BASE_AIO_ENGINE_H
#define BASE_AIO_ENGINE_H

#include "base/aio.h"

/* The kernel transfers less than 2 GiB at once, and io_uring has 32-bit lengths. Continuing is up to the caller. */
#define AIO_MAX_BYTES (1u << 30)

struct aio_pool;
struct aio_uring;

struct aio {
	struct loop *loop;
	uint64_t quick_turn;		/* the turn of the last quick write */
	struct aio_pool *pool;		/* always there: AIO_CALL needs it; its threads start on demand */
	struct aio_uring *uring;	/* NULL: everything goes to the pool */
};

static inline bool aio_is_quick(const struct aio_op *op)
{
	return op->kind == AIO_WRITE && (op->flags & (AIO_QUICK | AIO_DSYNC)) == AIO_QUICK;
}

int aio_pool_new(struct aio_pool **out, struct loop *l, struct err *e);
void aio_pool_free(struct aio_pool *p);
/* Would a quick operation have to wait for slow ones? */
bool aio_pool_is_busy(const struct aio_pool *p);
void aio_pool_submit(struct aio_pool *p, struct aio_op *op);

int aio_uring_new(struct aio_uring **out, struct loop *l, struct err *e);
void aio_uring_free(struct aio_uring *u);
/* Is any operation of it in flight? */
bool aio_uring_is_busy(const struct aio_uring *u);
void aio_uring_submit(struct aio_uring *u, struct aio_op *op);

#endif
