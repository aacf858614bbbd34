/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing an engine: see aio.h. */
#include "base/aio.h"

#include <errno.h>
#include <stdlib.h>

#include "base/aio_engine.h"

static int aio_start(struct aio *a, struct loop *l, enum aio_engine engine, struct err *e)
{
	int r = aio_pool_new(&a->pool, l, e);

	if (r || engine == AIO_POOL)
		return r;
	r = aio_uring_new(&a->uring, l, e);
	return engine == AIO_AUTO ? 0 : r;	/* where io_uring is forbidden the pool does everything */
}

int aio_new(struct aio **out, struct loop *l, enum aio_engine engine, struct err *e)
{
	struct aio *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return err_set(e, -ENOMEM, "no memory for a file engine");
	a->loop = l;
	r = aio_start(a, l, engine, e);
	if (r) {
		aio_free(a);
		return r;
	}
	*out = a;
	return 0;
}

void aio_free(struct aio *a)
{
	if (a->uring)
		aio_uring_free(a->uring);
	if (a->pool)
		aio_pool_free(a->pool);
	free(a);
}

const char *aio_name(const struct aio *a)
{
	return a->uring ? "uring" : "pool";
}

/*
 * A flush waits for the disk on another thread in any case, and one of our helper threads is woken sooner than one of
 * io_uring's. On many file systems io_uring also passes buffered writes to a thread of its own, one after the other;
 * the pool may do them at once on this thread. If it cannot, io_uring is faster for a single write per turn; if there
 * are more, a helper thread does them in series in half the time.
 */
static bool aio_prefers_pool(struct aio *a, struct aio_op *op)
{
	uint64_t turn = loop_turn_number(a->loop), last = a->quick_turn;

	if (op->flags & AIO_MEMORY)
		return true;
	if (op->kind == AIO_FSYNC) {
		if (aio_uring_is_busy(a->uring))	/* its completions may need this thread */
			op->flags &= ~(unsigned)AIO_LOCAL;
		return !aio_pool_is_busy(a->pool);
	}
	if (!aio_is_quick(op))
		return op->kind == AIO_CALL;
	a->quick_turn = turn;
	return ((op->flags & AIO_LOCAL) || last == turn) && !aio_pool_is_busy(a->pool);
}

void aio_submit(struct aio *a, struct aio_op *op)
{
	if (a->uring && !aio_prefers_pool(a, op))
		aio_uring_submit(a->uring, op);
	else
		aio_pool_submit(a->pool, op);
}
