/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushes of the file store. One at a time on each io thread; those that arrive meanwhile share the next one. A failure
 * is reported to all who wait, and to all later ones: the kernel drops the pages that it could not write.
 */
#include <string.h>

#include "core/path/fault.h"
#include "core/state/record_lost.h"
#include "stores/file.h"

bool file_lose(struct file *f, int err)
{
	int none = 0;

	return atomic_compare_exchange_strong(&f->flush_err, &none, err);	/* the first error is the one to report */
}

void file_fail(struct dm_store *s, int err)
{
	file_lose((struct file *)s, err);
}

static void flush_recorded(struct loop_msg *msg)
{
	struct file_lane *lane = container(msg, struct file_lane, recorded);
	struct dm_req *r = lane->failed, *next;

	lane->failed = NULL;
	for (; r; r = next) {
		next = r->next;
		file_end(r, atomic_load(&lane->file->flush_err));
	}
}

/* Nobody hears of it before a later daemon would know. */
static bool flush_lost(struct file_lane *lane, struct dm_req *r, int err)
{
	if (!file_lose(lane->file, err))
		return false;
	lane->failed = r;
	lane->recorded.run = flush_recorded;
	return dm_store_lost(&lane->file->store, err, lane->io->loop, &lane->recorded);
}

/* It was not this flush that failed, but an earlier one. */
static void flush_why(const struct dm_req *r, int err)
{
	dm_why(r->io, "an earlier flush failed (%s) and data was lost; the error is cleared when the file is opened again",
	       strerror(-err));
}

static void flush_start(struct file_lane *lane);

static void flush_done(struct aio_op *op, ssize_t res)
{
	struct file_lane *lane = container(op, struct file_lane, flush);
	struct dm_req *r = lane->flushing, *next;
	bool later = res < 0 && flush_lost(lane, r, (int)res);
	int err = atomic_load(&lane->file->flush_err);

	lane->flushing = NULL;
	if (lane->waiting)
		flush_start(lane);
	for (; !later && r; r = next) {
		next = r->next;
		if (err && res >= 0)
			flush_why(r, err);
		file_end(r, err);
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
	int err = atomic_load(&lane->file->flush_err);

	if (err || lane->file->store.readonly) {
		if (err)
			flush_why(r, err);
		dm_done(r, err);
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
