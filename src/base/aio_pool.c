/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files through a few threads, for machines that forbid io_uring and for calls
 * that it has not. Threads start as work comes in. A thread takes one operation
 * at a time; finished ones gather in a list that the loop takes whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/aio_engine.h"

#define POOL_THREADS 8

struct aio_pool {
	struct loop *loop;
	pthread_mutex_t lock;		/* guards everything below */
	pthread_cond_t more;
	struct aio_op *first, **last;	/* to do */
	struct aio_op *over, **over_last;	/* done, for the loop */
	bool told;			/* `news` is on its way to the loop */
	bool stop;
	unsigned idle, queued, n;	/* threads that wait, operations that wait, threads */
	pthread_t threads[POOL_THREADS];
	struct loop_msg news;
};

static ssize_t pool_rw(struct aio_op *op)
{
	struct iovec iov = { .iov_base = op->buf, .iov_len = op->len };
	ssize_t r;

	if (op->kind == AIO_READ)
		r = preadv2(op->fd, &iov, 1, (off_t)op->off, 0);
	else
		r = pwritev2(op->fd, &iov, 1, (off_t)op->off, op->flags & AIO_DSYNC ? RWF_DSYNC : 0);
	return r < 0 ? -errno : r;
}

static ssize_t pool_carry_out(struct aio_op *op)
{
	switch (op->kind) {
	case AIO_READ:
	case AIO_WRITE:
		return pool_rw(op);
	case AIO_FSYNC:
		return fdatasync(op->fd) ? -errno : 0;
	case AIO_FALLOCATE:
		return fallocate(op->fd, op->mode, (off_t)op->off, (off_t)op->len) ? -errno : 0;
	default:
		return op->call(op);
	}
}

/* On the loop's thread: all that is over by now. */
static void pool_news(struct loop_msg *m)
{
	struct aio_pool *p = container(m, struct aio_pool, news);
	struct aio_op *op, *next;

	pthread_mutex_lock(&p->lock);
	op = p->over;
	p->over = NULL;
	p->over_last = &p->over;
	p->told = false;
	pthread_mutex_unlock(&p->lock);
	for (; op; op = next) {
		next = op->next;
		op->done(op, op->res);
	}
}

static struct aio_op *pool_take(struct aio_pool *p)
{
	struct aio_op *op;

	p->idle++;
	while (!p->first && !p->stop)
		pthread_cond_wait(&p->more, &p->lock);
	p->idle--;
	op = p->first;
	if (op) {
		p->first = op->next;
		if (!p->first)
			p->last = &p->first;
		p->queued--;
	}
	return op;
}

static void pool_give(struct aio_pool *p, struct aio_op *op)
{
	op->next = NULL;
	*p->over_last = op;
	p->over_last = &op->next;
	if (!p->told)
		loop_post(p->loop, &p->news);
	p->told = true;
}

static void *pool_main(void *arg)
{
	struct aio_pool *p = arg;
	struct aio_op *op;

	pthread_mutex_lock(&p->lock);
	while ((op = pool_take(p))) {
		pthread_mutex_unlock(&p->lock);
		op->res = pool_carry_out(op);
		pthread_mutex_lock(&p->lock);
		pool_give(p, op);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* One thread more, if all are at work and there may be more. With none at all the operation would wait for ever, so it is done here. */
static void pool_grow(struct aio_pool *p)
{
	sigset_t all, old;

	if (p->queued <= p->idle || p->n == POOL_THREADS)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!pthread_create(&p->threads[p->n], NULL, pool_main, p))
		p->n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (p->n == 0) {
		struct aio_op *op = p->first;

		p->first = NULL;
		p->last = &p->first;
		p->queued = 0;
		op->res = pool_carry_out(op);
		pool_give(p, op);
	}
}

void aio_pool_submit(struct aio_pool *p, struct aio_op *op)
{
	op->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = op;
	p->last = &op->next;
	p->queued++;
	pool_grow(p);
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
}

int aio_pool_new(struct aio_pool **out, struct loop *l, struct err *e)
{
	struct aio_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(e, -ENOMEM, "no memory for a thread pool");
	p->loop = l;
	p->last = &p->first;
	p->over_last = &p->over;
	p->news.run = pool_news;
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
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
	free(p);
}
