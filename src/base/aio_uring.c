/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File operations through io_uring. They are gathered in a list during a turn of the loop and submitted with one call
 * at its end; what does not fit in the rings waits in the list. The ring's descriptor is readable when there are
 * completions, so the loop watches it.
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/aio_engine.h"

#define URING_ENTRIES 256
#define URING_INFLIGHT (2 * URING_ENTRIES)	/* the capacity of the completion ring */
#define URING_BATCH 64

struct aio_uring {
	struct loop *loop;
	struct io_uring ring;
	struct loop_watch watch;
	struct loop_work flush;
	struct aio_op *first, **last;	/* not in the ring yet */
	unsigned inflight;		/* in the ring or in the kernel */
};

static unsigned uring_len(const struct aio_op *op)
{
	return op->len < AIO_MAX_BYTES ? (unsigned)op->len : AIO_MAX_BYTES;
}

static void uring_prepare(struct io_uring_sqe *sqe, struct aio_op *op)
{
	switch (op->kind) {
	case AIO_READ:
		if (op->iov)
			io_uring_prep_readv(sqe, op->fd, op->iov, op->n_iov, op->off);
		else
			io_uring_prep_read(sqe, op->fd, op->buf, uring_len(op), op->off);
		break;
	case AIO_WRITE:
		if (op->iov)
			io_uring_prep_writev(sqe, op->fd, op->iov, op->n_iov, op->off);
		else
			io_uring_prep_write(sqe, op->fd, op->buf, uring_len(op), op->off);
		sqe->rw_flags = op->flags & AIO_DSYNC ? RWF_DSYNC : 0;
		break;
	case AIO_FSYNC:
		io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC);
		break;
	default:
		io_uring_prep_fallocate(sqe, op->fd, op->mode, (off_t)op->off, (off_t)op->len);
	}
	io_uring_sqe_set_data(sqe, op);
}

/* The results are copied out first: done() may submit, and by then their slots are free. */
static void uring_reap(struct aio_uring *u)
{
	struct io_uring_cqe *cqes[URING_BATCH];
	struct aio_op *ops[URING_BATCH];
	unsigned i, n;

	while ((n = io_uring_peek_batch_cqe(&u->ring, cqes, URING_BATCH))) {
		for (i = 0; i < n; i++) {
			ops[i] = io_uring_cqe_get_data(cqes[i]);
			ops[i]->res = cqes[i]->res;
		}
		io_uring_cq_advance(&u->ring, n);
		u->inflight -= n;
		for (i = 0; i < n; i++)
			ops[i]->done(ops[i], ops[i]->res);
	}
	if ((u->first && u->inflight < URING_INFLIGHT) || io_uring_sq_ready(&u->ring))
		loop_defer(u->loop, &u->flush);		/* if the rings are full, the next completion does it */
}

static void uring_ready(struct loop_watch *w, uint32_t events)
{
	struct aio_uring *u = container(w, struct aio_uring, watch);

	(void)events;
	loop_heard(u->loop, w, 0);	/* requests were counted when they arrived */
	uring_reap(u);
}

static bool uring_poll(struct loop_watch *w)
{
	struct aio_uring *u = container(w, struct aio_uring, watch);
	bool some = io_uring_cq_ready(&u->ring);

	if (some)
		uring_ready(w, EPOLLIN);
	return some;
}

static void uring_enqueue(struct aio_uring *u)
{
	struct io_uring_sqe *sqe;
	struct aio_op *op;

	while ((op = u->first) && u->inflight < URING_INFLIGHT && (sqe = io_uring_get_sqe(&u->ring))) {
		u->first = op->next;
		if (!u->first)
			u->last = &u->first;
		uring_prepare(sqe, op);
		op->gone = true;
		u->inflight++;
	}
}

/*
 * Moves as many waiting operations into the ring as fit, and tells the kernel. The kernel stops at an operation that it
 * refuses at once, and is sometimes short of memory: the rest of the ring is then submitted in the next turn.
 */
static void uring_flush(struct loop_work *work)
{
	struct aio_uring *u = container(work, struct aio_uring, flush);
	int r;

	do {
		uring_enqueue(u);
		r = io_uring_sq_ready(&u->ring) ? io_uring_submit(&u->ring) : 0;
	} while (r > 0);
	uring_reap(u);		/* page cache hits are complete already */
}

bool aio_uring_is_busy(const struct aio_uring *u)
{
	return u->first || u->inflight;
}

void aio_uring_submit(struct aio_uring *u, struct aio_op *op)
{
	op->next = NULL;
	op->gone = false;
	*u->last = op;
	u->last = &op->next;
	loop_defer(u->loop, &u->flush);
}

int aio_uring_new(struct aio_uring **out, struct loop *l, struct err *e)
{
	struct aio_uring *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return err_set(e, -ENOMEM, "no memory for io_uring");
	u->loop = l;
	u->last = &u->first;
	u->flush.run = uring_flush;
	list_init(&u->flush.node);
	r = io_uring_queue_init(URING_ENTRIES, &u->ring, 0);
	if (r) {
		free(u);
		return err_set(e, r, "io_uring is not available: %s (the engine 'pool' always is)",
			       strerror(-r));
	}
	u->watch = (struct loop_watch){ .fd = u->ring.ring_fd, .events = EPOLLIN, .ready = uring_ready, .poll = uring_poll };
	r = loop_watch(l, &u->watch);
	if (r) {
		aio_uring_free(u);
		return err_set(e, r, "cannot watch io_uring: %s", strerror(-r));
	}
	*out = u;
	return 0;
}

void aio_uring_free(struct aio_uring *u)
{
	loop_unwatch(u->loop, &u->watch);
	list_remove(&u->flush.node);
	io_uring_queue_exit(&u->ring);
	free(u);
}
