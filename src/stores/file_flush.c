/* SPDX-License-Identifier: BSD-2-Clause */
/* Flushes of the file store. One at a time on each io thread; those that arrive meanwhile share the next one. */
#include "stores/file.h"

static void flush_start(struct file_lane *lane);

static void flush_done(struct aio_op *op, ssize_t res)
{
	struct file_lane *lane = container(op, struct file_lane, flush);
	struct dm_req *r = lane->flushing, *next;
	bool lost;

	if (res < 0)
		file_lose(lane->file, (int)res);
	lost = atomic_load(&lane->file->flush_err);
	lane->flushing = NULL;
	if (lane->waiting)
		flush_start(lane);
	for (; r; r = next) {
		next = r->next;
		if (lost)
			file_end_lost(r, (int)res);
		else
			file_end(r, 0);
	}
}

static void flush_start(struct file_lane *lane)
{
	lane->flushing = lane->waiting;
	lane->waiting = NULL;
	lane->waiting_tail = &lane->waiting;
	lane->flush = (struct aio_op){ .kind = AIO_FSYNC, .fd = lane->fd, .done = flush_done,
				       .flags = lane->file->in_memory ? AIO_MEMORY : lane->file->write_flags & AIO_LOCAL };
	aio_submit(lane->io->aio, &lane->flush);
}

void file_flush(struct dm_req *r)
{
	struct file_lane *lane = file_lane_of(r);

	if (atomic_load(&lane->file->flush_err)) {
		file_end_lost(r, 0);
	} else if (lane->file->store.readonly) {
		dm_done(r, 0);
	} else if (lane->flushing && !lane->flush.gone) {
		r->next = lane->flushing;	/* it was not submitted to the kernel yet, so it covers this one, too */
		lane->flushing = r;
	} else {
		r->next = NULL;
		*lane->waiting_tail = r;
		lane->waiting_tail = &r->next;
		if (!lane->flushing)
			flush_start(lane);
	}
}
