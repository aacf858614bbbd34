/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushes of the file store. One at a time on each io thread; those that come
 * meanwhile share the next one. A failure is told to everyone who waits, and to
 * everyone who asks later: the kernel forgets the pages it could not write.
 */
#include <errno.h>

#include "stores/file.h"

void file_remember_loss(struct file *f, int err)
{
	if (err == -EIO)
		atomic_store(&f->flush_err, err);
}

static void flush_start(struct file_lane *lane, struct dm_io *io);

static void flush_done(struct aio_op *op, ssize_t res)
{
	struct file_lane *lane = container(op, struct file_lane, flush);
	struct dm_req *r = lane->flushing, *next;
	struct dm_io *io = r->io;
	int err;

	if (res < 0)
		atomic_store(&lane->file->flush_err, (int)res);
	err = atomic_load(&lane->file->flush_err);
	lane->flushing = lane->waiting;
	lane->waiting = NULL;
	lane->waiting_tail = &lane->waiting;
	if (lane->flushing)
		flush_start(lane, io);
	dm_io_tick(io);
	for (; r; r = next) {
		next = r->next;
		dm_done(r, err);
	}
}

static void flush_start(struct file_lane *lane, struct dm_io *io)
{
	lane->flush = (struct aio_op){ .kind = AIO_FSYNC, .fd = lane->fd, .done = flush_done };
	aio_submit(io->aio, &lane->flush);
}

void file_flush(struct file *f, struct dm_req *r)
{
	struct file_lane *lane = file_lane_of(f, r->io);
	int err = atomic_load(&f->flush_err);

	if (err || f->store.readonly) {
		dm_done(r, err);
		return;
	}
	r->next = NULL;
	if (lane->flushing) {
		*lane->waiting_tail = r;
		lane->waiting_tail = &r->next;
	} else {
		lane->flushing = r;
		flush_start(lane, r->io);
	}
}
