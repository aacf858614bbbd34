/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asynchronous file operations for one loop. There are two engines: `uring` (io_uring), and where that is forbidden,
 * `pool` (threads that use preadv2/pwritev2). Operations are gathered during a turn and submitted together at its end.
 * Everything here belongs to the loop's thread.
 */
#ifndef BASE_AIO_H
#define BASE_AIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/loop.h"

enum aio_kind {
	AIO_READ,
	AIO_WRITE,
	AIO_FSYNC,	/* fdatasync */
	AIO_FALLOCATE,	/* mode, off, len */
	AIO_CALL,	/* calls call(op) on a helper thread, for what can only block (BLKDISCARD) */
};

#define AIO_DSYNC 1	/* of AIO_WRITE: durable when it is done (RWF_DSYNC) */
#define AIO_CACHED 2	/* of AIO_READ: goes through the page cache, so a hit may be read synchronously */
#define AIO_QUICK 4	/* of AIO_WRITE: usually only a copy to the page cache, so one helper thread does many */
#define AIO_MEMORY 8	/* of AIO_READ, AIO_WRITE, AIO_FSYNC: the file is in memory, so it is done synchronously */
#define AIO_LOCAL 16	/* with AIO_QUICK, or of AIO_FSYNC: the disk does not need this thread, so it is done synchronously */

struct aio_op {
	enum aio_kind kind;
	int fd;
	unsigned flags;			/* AIO_DSYNC, AIO_CACHED, ... */
	int mode;			/* of AIO_FALLOCATE */
	void *buf;
	const struct iovec *iov;	/* not NULL: N_IOV buffers instead of BUF, which must stay valid until done() */
	uint64_t len, off;		/* bytes; of a transfer of more than 1 GiB only a part is done */
	ssize_t (*call)(struct aio_op *op);
	void (*done)(struct aio_op *op, ssize_t res);	/* bytes, 0, or -errno; on the loop's thread */
	struct aio_op *next;		/* the engine's */
	ssize_t res;			/* the engine's */
	unsigned n_iov;
	bool gone;			/* the engine's: whether the kernel has been told about the operation */
};

enum aio_engine { AIO_AUTO, AIO_URING, AIO_POOL };

struct aio;

/* AIO_AUTO uses io_uring if the kernel allows it, else the pool. 0, or -errno and a sentence. */
int aio_new(struct aio **out, struct loop *l, enum aio_engine engine, struct err *e);
void aio_free(struct aio *a);	/* only when no operation is in flight; the loop need not run any more */
const char *aio_name(const struct aio *a);	/* "uring" or "pool" */

/* Never calls done() before it returns. Continuing partial transfers is up to the caller. */
void aio_submit(struct aio *a, struct aio_op *op);

#endif
