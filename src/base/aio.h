/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asynchronous work on files for one loop. Two engines do the same: `uring`
 * (io_uring), and `pool` (threads over preadv2/pwritev2) where io_uring is
 * forbidden. Operations are gathered during a turn and go out together at its
 * end. Everything here belongs to the loop's thread.
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
	AIO_CALL,	/* call(op) on a helper thread, for what only blocks (BLKDISCARD) */
};

#define AIO_DSYNC 1	/* of AIO_WRITE: durable when done (RWF_DSYNC) */
#define AIO_CACHED 2	/* of AIO_READ: goes through the page cache, so a hit may be read on the spot */
#define AIO_QUICK 4	/* of AIO_WRITE: as a rule a mere copy to the page cache, so one helper thread does for many */
#define AIO_MEMORY 8	/* of AIO_READ, AIO_WRITE, AIO_FSYNC: the file is in memory, so it is done on the spot */
#define AIO_LOCAL 16	/* with AIO_QUICK, or of AIO_FSYNC: its disk waits for nobody here, so it is done on the spot while that is quick */

struct aio_op {
	enum aio_kind kind;
	int fd;
	unsigned flags;			/* AIO_DSYNC, AIO_CACHED, ... */
	int mode;			/* of AIO_FALLOCATE */
	void *buf;
	const struct iovec *iov;	/* not NULL: N_IOV buffers instead of BUF, the caller's until done() */
	uint64_t len, off;		/* bytes; a transfer of more than 1 GiB is done partly */
	ssize_t (*call)(struct aio_op *op);
	void (*done)(struct aio_op *op, ssize_t res);	/* bytes, 0, or -errno; on the loop's thread */
	struct aio_op *next;		/* the engine's */
	ssize_t res;			/* the engine's */
	unsigned n_iov;
	bool gone;			/* the engine's: until it is set the kernel has not heard of the operation */
};

enum aio_engine { AIO_AUTO, AIO_URING, AIO_POOL };

struct aio;

/* AIO_AUTO takes io_uring where the kernel lets us, else the pool. 0, or -errno and a sentence. */
int aio_new(struct aio **out, struct loop *l, enum aio_engine engine, struct err *e);
void aio_free(struct aio *a);	/* once no operation is outstanding; the loop need not turn any more */
const char *aio_name(const struct aio *a);	/* "uring" or "pool" */

/* Never calls done() before it returns. Partial transfers are the caller's to continue. */
void aio_submit(struct aio *a, struct aio_op *op);

#endif
