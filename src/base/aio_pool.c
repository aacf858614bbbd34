/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File operations on a few threads, for machines that forbid io_uring and for calls that it does not have. What a turn
 * of the loop has gathered is passed to the threads at its end, under one lock; threads start as work arrives. Finished
 * operations are gathered in a list, which the loop takes as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/aio_engine.h"
#include "base/clock.h"
#include "base/spot.h"
#include "base/thread.h"

#define POOL_THREADS 8
#define POOL_SERIES 16		/* quick operations that are reported together */

struct pool_queue {
	struct aio_op *first, **last;
	unsigned n, quick;		/* in all, and those that are usually quick */
};

struct aio_pool {
	/* The loop's thread. */
	struct loop *loop;
	struct loop_work flush;
	struct pool_queue gathered;
	unsigned n;			/* running threads */
	unsigned slow;			/* operations in flight that may occupy a thread for long */
	struct spot spot;		/* for writes to the page cache */
	struct loop_call here;		/* see pool_flush_here() */
	struct aio_op *flushing;	/* by that call */
	pthread_t threads[POOL_THREADS];

	pthread_mutex_t lock;		/* guards what follows */
	pthread_cond_t more;
	struct pool_queue todo, over;
	unsigned idle;
	bool told;			/* `news` is on its way to the loop */
	bool stop;
	struct loop_msg news;
};

static void queue_init(struct pool_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->n = q->quick = 0;
}

static void queue_add(struct pool_queue *q, struct aio_op *op)
{
	op->next = NULL;
	*q->last = op;
	q->last = &op->next;
	q->n++;
	q->quick += aio_is_quick(op);
}

static struct aio_op *queue_take(struct pool_queue *q)
{
	struct aio_op *op = q->first;

	if (!op)
		return NULL;
	q->first = op->next;
	if (!q->first)
		q->last = &q->first;
	q->n--;
	q->quick -= aio_is_quick(op);
	return op;
}

/* Appends all of FROM to TO. */
static void queue_move(struct pool_queue *to, struct pool_queue *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	to->n += from->n;
	to->quick += from->quick;
	queue_init(from);
}

static ssize_t pool_transfer(const struct aio_op *op, int flags)
{
	struct iovec one = { op->buf, op->len < AIO_MAX_BYTES ? op->len : AIO_MAX_BYTES };
	const struct iovec *iov = op->iov ? op->iov : &one;
	int n = op->iov ? (int)op->n_iov : 1;
	ssize_t r;

	if (op->kind == AIO_READ)
		r = preadv2(op->fd, iov, n, (off_t)op->off, flags);
	else
		r = pwritev2(op->fd, iov, n, (off_t)op->off, flags);
	return r < 0 ? -errno : r;
}

static ssize_t pool_carry_out(struct aio_op *op)
{
	switch (op->kind) {
	case AIO_READ:
		return pool_transfer(op, 0);
	case AIO_WRITE:
		return pool_transfer(op, op->flags & AIO_DSYNC ? RWF_DSYNC : 0);
	case AIO_FSYNC:
		return fdatasync(op->fd) ? -errno : 0;
	case AIO_FALLOCATE:
		return fallocate(op->fd, op->mode, (off_t)op->off, (off_t)op->len) ? -errno : 0;
	default:
		return op->call(op);
	}
}

/* On the loop's thread: ends what is done by now. */
static void pool_news(struct loop_msg *m)
{
	struct aio_pool *p = container(m, struct aio_pool, news);
	struct pool_queue over;
	struct aio_op *op;

	queue_init(&over);
	pthread_mutex_lock(&p->lock);
	queue_move(&over, &p->over);
	p->told = false;
	pthread_mutex_unlock(&p->lock);
	while ((op = queue_take(&over))) {
		p->slow -= !aio_is_quick(op);
		op->done(op, op->res);
	}
}

/* With the lock held. */
static void pool_over(struct aio_pool *p, struct pool_queue *over)
{
	queue_move(&p->over, over);
	if (!p->told)
		loop_post(p->loop, &p->news);
	p->told = true;
}

static struct aio_op *pool_take(struct aio_pool *p)
{
	p->idle++;
	while (!p->todo.first && !p->stop)
		pthread_cond_wait(&p->more, &p->lock);
	p->idle--;
	return queue_take(&p->todo);
}

/* Quick operations are done in series: waking the loop for each would cost more than the operation. */
static void *pool_main(void *arg)
{
	struct aio_pool *p = arg;
	struct pool_queue over;
	struct aio_op *op;

	thread_serves_disks();
	queue_init(&over);
	pthread_mutex_lock(&p->lock);
	while ((op = pool_take(p))) {
		bool quick = aio_is_quick(op);

		pthread_mutex_unlock(&p->lock);
		op->res = pool_carry_out(op);
		queue_add(&over, op);
		pthread_mutex_lock(&p->lock);
		if (!quick || over.n == POOL_SERIES || !p->todo.first || !aio_is_quick(p->todo.first))
			pool_over(p, &over);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static bool pool_start_thread(struct aio_pool *p)
{
	bool started = !thread_start(&p->threads[p->n], "dmuse-aio", 0, pool_main, p);

	p->n += started;
	return started;
}

/* With the lock held, when no thread can be started: everything is done here. */
static void pool_do_all(struct aio_pool *p)
{
	struct pool_queue over;
	struct aio_op *op;

	queue_init(&over);
	while ((op = queue_take(&p->todo))) {
		op->res = pool_carry_out(op);
		queue_add(&over, op);
	}
	pool_over(p, &over);
}

/*
 * With the lock held: starts threads for the queue, one for each operation that may take long, and one for all quick
 * ones, which would only get in each other's way.
 */
static void pool_engage(struct aio_pool *p)
{
	unsigned want = p->todo.n - p->todo.quick + (p->todo.quick ? 1 : 0), have = p->idle;

	while (have < want && p->n < POOL_THREADS && pool_start_thread(p))
		have++;
	if (!p->n)
		pool_do_all(p);
	else if (want > 1)
		pthread_cond_broadcast(&p->more);
	else
		pthread_cond_signal(&p->more);
}

#define POOL_SPOT_BYTES (256u << 10)	/* more would keep others waiting */

/* False: it was not done, because the last slow one is too recent. */
static bool pool_write_here(struct aio_pool *p, struct aio_op *op)
{
	uint64_t began = clock_now(&clock_monotonic);

	if (!spot_is_open(&p->spot, began))
		return false;
	op->res = pool_carry_out(op);
	spot_took(&p->spot, began, clock_now(&clock_monotonic));
	return true;
}

/* Perhaps this is not the loop's thread any more: it only touches the operation. */
static void pool_call_here(struct loop_call *c)
{
	struct aio_pool *p = container(c, struct aio_pool, here);

	p->flushing->res = pool_carry_out(p->flushing);
}

static void pool_done_here(struct loop_call *c)
{
	struct aio_pool *p = container(c, struct aio_pool, here);
	struct aio_op *op = p->flushing;

	p->flushing = NULL;
	p->slow--;
	op->done(op, op->res);
}

/*
 * A flush for the only client of this thread, with nothing else in flight: the thread would sleep until it is over, so
 * it may as well do the flush itself. Passing it to another thread and being woken again can take as long as the flush
 * of a fast disk. A client that arrives meanwhile waits a millisecond or two until another thread has taken over the
 * loop; from then on flushes are passed on.
 */
static bool pool_flush_here(struct aio_pool *p, struct aio_op *op)
{
	if (op->kind != AIO_FSYNC || !(op->flags & AIO_LOCAL) || p->flushing || p->slow > 1)
		return false;
	p->flushing = op;
	if (loop_call_here(p->loop, &p->here))
		return true;
	p->flushing = NULL;
	return false;
}

/*
 * Does what is in memory, writes to the page cache, and reads that hit it. Everything else is left to the threads; so
 * is a read that fails here, which will fail again there.
 */
static bool pool_hit(struct aio_pool *p, struct aio_op *op)
{
	if ((op->flags & AIO_MEMORY) && op->len <= POOL_SPOT_BYTES) {
		op->res = pool_carry_out(op);
		return true;
	}
	if (aio_is_quick(op) && (op->flags & AIO_LOCAL) && op->len <= POOL_SPOT_BYTES)
		return pool_write_here(p, op);
	if (op->kind != AIO_READ || !(op->flags & AIO_CACHED))
		return false;
	op->res = pool_transfer(op, RWF_NOWAIT);
	return op->res > 0;
}

static void pool_flush(struct loop_work *w)
{
	struct aio_pool *p = container(w, struct aio_pool, flush);
	struct pool_queue hits, rest;
	struct aio_op *op;

	queue_init(&hits);
	queue_init(&rest);
	while ((op = queue_take(&p->gathered))) {
		op->gone = true;
		if (!pool_flush_here(p, op))
			queue_add(pool_hit(p, op) ? &hits : &rest, op);
	}
	if (rest.first) {
		pthread_mutex_lock(&p->lock);
		queue_move(&p->todo, &rest);
		pool_engage(p);
		pthread_mutex_unlock(&p->lock);
	}
	while ((op = queue_take(&hits))) {
		p->slow -= !aio_is_quick(op);
		op->done(op, op->res);
	}
}

void aio_pool_submit(struct aio_pool *p, struct aio_op *op)
{
	op->gone = false;
	p->slow += !aio_is_quick(op);
	queue_add(&p->gathered, op);
	loop_defer(p->loop, &p->flush);
}

bool aio_pool_is_busy(const struct aio_pool *p)
{
	return p->slow >= POOL_THREADS;
}

int aio_pool_new(struct aio_pool **out, struct loop *l, struct err *e)
{
	struct aio_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(e, -ENOMEM, "no memory for a thread pool");
	p->loop = l;
	p->flush.run = pool_flush;
	list_init(&p->flush.node);
	queue_init(&p->gathered);
	queue_init(&p->todo);
	queue_init(&p->over);
	p->news.run = pool_news;
	p->here = (struct loop_call){ .call = pool_call_here, .done = pool_done_here };
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	*out = p;
	return 0;
}

void aio_pool_free(struct aio_pool *p)
{
	unsigned i;

	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->n; i++)
		pthread_join(p->threads[i], NULL);
	list_remove(&p->flush.node);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
	free(p);
}
