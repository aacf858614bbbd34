/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads and writes of the file store: they succeed completely or fail, however many steps the kernel needs. A read that
 * meets the end of the file, and a write beyond it, fail: the file was truncated, and its data is gone. The end is
 * checked once per turn of the loop; if the file is truncated between the check and a write, the write extends it
 * again, which the kernel gives no way to prevent.
 */
#include <errno.h>
#include <string.h>

#include "core/path/fault.h"
#include "stores/file.h"

#define RW_BUFFERS 64		/* in one step */

/* Can LEN bytes at DATA be passed to the kernel directly? */
static bool rw_is_aligned(const struct file *f, const void *data, size_t len)
{
	return !f->direct || (((uintptr_t)data & (f->mem_align - 1)) == 0 && len % f->store.limits.logical == 0);
}

static bool rw_all_aligned(const struct file *f, const struct iovec *iov, unsigned n)
{
	unsigned i;

	for (i = 0; f->direct && i < n; i++)
		if (!rw_is_aligned(f, iov[i].iov_base, iov[i].iov_len))
			return false;
	return true;
}

/*
 * With O_DIRECT the next step could not begin inside a block: a transfer only ends there at the end of a truncated
 * file.
 */
static bool rw_is_torn(const struct dm_req *r, ssize_t res)
{
	return ((struct file *)r->store)->direct && res > 0 && (size_t)res % r->store->limits.logical;
}

static void rw_unbounce(struct dm_req *r, ssize_t res)
{
	void *buf = r->aio.buf;

	r->flags &= ~DM_BOUNCED;
	if (res > 0 && r->op == DM_READ)
		vec_put(vec_from(r->data, r->done_bytes), buf, (size_t)res);
	file_bounce_give(file_lane_of(r), buf);
}

/*
 * A durable write has failed. Was it the write, or making it durable? In the latter case the kernel may have reported,
 * for the only time, a loss that concerns other writes, too. So it is tried without: if that succeeds, something is
 * lost, and every flush must report that.
 */
static void rw_tell_apart(struct dm_req *r, int err)
{
	r->aio.flags &= ~(unsigned)AIO_DSYNC;
	r->aio.mode = err;
	aio_submit(r->io->aio, &r->aio);
}

static bool rw_again(ssize_t res)
{
	return res == -EAGAIN || res == -EINTR;
}

static void rw_step(struct dm_req *r, ssize_t res)
{
	if (rw_again(res))
		res = 0;
	else if (res <= 0 || rw_is_torn(r, res))
		return file_end(r, res < 0 ? (int)res : file_cut_short(r));
	r->done_bytes += (uint64_t)res;
	if (r->done_bytes == file_bytes(r->count))
		file_end(r, 0);
	else
		file_rw_next(r);
}

/* What rw_tell_apart() has sent has ended. True: it did reach the file, so LOST it is. */
static bool rw_told_apart(struct dm_req *r, int lost, ssize_t res)
{
	if (!lost || res < 0)
		return false;
	file_lose((struct file *)r->store, lost);
	file_end_lost(r, lost);
	return true;
}

static void rw_done(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);
	int lost = op->mode;

	if (res < 0 && !rw_again(res) && (op->flags & AIO_DSYNC)) {
		rw_tell_apart(r, (int)res);
		return;
	}
	if (lost && rw_again(res)) {	/* it is not known yet */
		aio_submit(r->io->aio, op);
		return;
	}
	if (r->flags & DM_BOUNCED)
		rw_unbounce(r, res);
	if (!rw_told_apart(r, lost, res))
		rw_step(r, res);
}

static unsigned rw_flags(const struct dm_req *r)
{
	const struct file *f = (const struct file *)r->store;

	if (f->in_memory)
		return AIO_MEMORY;
	if (r->op == DM_READ)
		return f->direct ? 0 : AIO_CACHED;
	return r->flags & DM_FUA ? AIO_DSYNC : f->write_flags;
}

/* Takes a buffer of our own for as much of the LEFT bytes at DATA as fits; false: R waits for one, or has ended. */
static bool rw_bounce(struct dm_req *r, struct vec data, size_t left, struct aio_op *op)
{
	op->buf = file_bounce_take(file_lane_of(r), r);
	if (!op->buf)
		return false;
	op->len = left < FILE_BOUNCE_BYTES ? left : FILE_BOUNCE_BYTES;
	r->flags |= DM_BOUNCED;
	if (r->op == DM_WRITE)
		vec_get(data, op->buf, op->len);
	return true;
}

/*
 * The memory for the next step: one buffer, several that are wholly within what is left, or one of our own. False as
 * above.
 */
static bool rw_memory(struct dm_req *r, struct aio_op *op)
{
	const struct file *f = (struct file *)r->store;
	struct vec data = vec_trim(vec_from(r->data, r->done_bytes));
	size_t left = file_bytes(r->count) - r->done_bytes, len, whole;

	op->buf = vec_first(data, left, &len);
	op->len = len;
	if (len < left) {
		op->n_iov = vec_whole(data, left, RW_BUFFERS, &whole);
		if (op->n_iov > 1 && rw_all_aligned(f, data.iov, op->n_iov)) {
			op->iov = data.iov;
			op->len = whole;
			return true;
		}
	}
	return rw_is_aligned(f, op->buf, len) || rw_bounce(r, data, left, op);
}

void file_rw_next(struct dm_req *r)
{
	struct file_lane *lane = file_lane_of(r);

	r->aio = (struct aio_op){ .kind = r->op == DM_READ ? AIO_READ : AIO_WRITE, .fd = lane->fd, .flags = rw_flags(r),
				  .off = file_bytes(r->sector) + r->done_bytes, .done = rw_done };
	if (rw_memory(r, &r->aio))
		aio_submit(lane->io->aio, &r->aio);
}

/* Data in memory can be provided as pages instead of being copied. */
static bool rw_can_show(struct dm_req *r)
{
	return (r->flags & DM_MAY_SHOW) && ((struct file *)r->store)->in_memory && file_still_there(r);
}

static void rw_show(struct dm_req *r)
{
	r->aio.fd = file_lane_of(r)->fd;
	r->aio.off = file_bytes(r->sector);
	dm_done_shown(r);
}

void file_rw(struct dm_req *r)
{
	r->done_bytes = 0;
	if (r->op == DM_WRITE && !file_still_there(r))
		dm_done(r, -EIO);
	else if (rw_can_show(r))
		rw_show(r);
	else
		file_rw_next(r);
}
