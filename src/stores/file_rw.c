/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads and writes of the file store: whole or failed, however many steps the
 * kernel takes. A read that finds the end, and a write that would lie behind it,
 * fail: the file has become shorter, and what it held is gone. The end is asked
 * once a turn of the loop; a file cut between the question and the write is made
 * longer again by it, for which the kernel offers no remedy.
 */
#include <errno.h>
#include <string.h>

#include "core/fault.h"
#include "stores/file.h"

static bool rw_bounced(const struct dm_req *r)
{
	return r->aio.buf != r->data + r->scratch;
}

static bool rw_is_aligned(const struct file *f, const void *data)
{
	return !f->direct || ((uintptr_t)data & (f->mem_align - 1)) == 0;
}

/* With O_DIRECT the next step could not begin inside a block: only the end of a shortened file stops there. */
static bool rw_is_torn(const struct dm_req *r, ssize_t res)
{
	return ((struct file *)r->store)->direct && res > 0 && (size_t)res % r->store->limits.logical;
}

static void rw_unbounce(struct dm_req *r, ssize_t res)
{
	void *buf = r->aio.buf;

	if (res > 0 && r->op == DM_READ)
		memcpy(r->data + r->scratch, buf, (size_t)res);
	r->aio.buf = NULL;
	file_bounce_give(file_lane_of(r), buf);
}

/*
 * A durable write has failed. Was it the write, or making it durable? The latter may have used up the kernel's one
 * report of a loss that is not only this writer's. So it is tried without: if that goes well, something is lost, and
 * every flush must say so.
 */
static void rw_tell_apart(struct dm_req *r, int err)
{
	r->aio.flags &= ~(unsigned)AIO_DSYNC;
	r->aio.mode = err;
	aio_submit(r->io->aio, &r->aio);
}

static void rw_step(struct dm_req *r, ssize_t res)
{
	if (res == -EAGAIN || res == -EINTR)
		res = 0;
	else if (res <= 0 || rw_is_torn(r, res))
		return file_end(r, res < 0 ? (int)res : file_cut_short(r));
	r->scratch += (uint64_t)res;
	if (r->scratch == file_bytes(r->count))
		file_end(r, 0);
	else
		file_rw_next(r);
}

static void rw_done(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);
	int lost = op->mode;

	if (res < 0 && res != -EAGAIN && res != -EINTR && (op->flags & AIO_DSYNC)) {
		rw_tell_apart(r, (int)res);
		return;
	}
	if (rw_bounced(r))
		rw_unbounce(r, res);
	if (lost && res >= 0) {
		file_lose((struct file *)r->store, lost);
		dm_why(r->io, "it is written but could not be made durable: %s", strerror(-lost));
		file_end(r, lost);
		return;
	}
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

void file_rw_next(struct dm_req *r)
{
	struct file_lane *lane = file_lane_of(r);
	uint8_t *data = r->data + r->scratch;
	uint64_t len = file_bytes(r->count) - r->scratch;
	void *buf = data;

	if (!rw_is_aligned(lane->file, data)) {
		buf = file_bounce_take(lane, r);
		if (!buf)
			return;
		len = len < FILE_BOUNCE_BYTES ? len : FILE_BOUNCE_BYTES;
		if (r->op == DM_WRITE)
			memcpy(buf, data, len);
	}
	r->aio = (struct aio_op){ .kind = r->op == DM_READ ? AIO_READ : AIO_WRITE, .fd = lane->fd, .flags = rw_flags(r),
				  .buf = buf, .len = len, .off = file_bytes(r->sector) + r->scratch, .done = rw_done };
	aio_submit(lane->io->aio, &r->aio);
}

/* What is in memory anyway can be copied from there by whoever wants it. */
static bool rw_can_show(struct dm_req *r)
{
	return (r->flags & DM_MAY_SHOW) && ((struct file *)r->store)->in_memory && file_still_there(r);
}

static void rw_show(struct dm_req *r)
{
	r->flags |= DM_SHOWN;
	r->aio.fd = file_lane_of(r)->fd;
	r->aio.off = file_bytes(r->sector);
	dm_done(r, 0);
}

void file_rw(struct dm_req *r)
{
	r->scratch = 0;
	if (r->op == DM_WRITE && !file_still_there(r))
		dm_done(r, -EIO);
	else if (rw_can_show(r))
		rw_show(r);
	else
		file_rw_next(r);
}
