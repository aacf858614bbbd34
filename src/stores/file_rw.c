/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes of the file store: whole or failed, however many steps the kernel takes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stores/file.h"

#define STEP_MAX ((uint64_t)1 << 30)	/* bytes of one operation */

bool file_still_there(struct file *f, struct dm_io *io, uint64_t sector, uint64_t count)
{
	struct file_lane *lane = file_lane_of(f, io);
	struct stat st;

	if (!f->regular)
		return true;
	if (lane->sized_at != io->now) {	/* once a batch */
		if (fstat(lane->fd, &st))
			return false;
		lane->size = (uint64_t)st.st_size;
		lane->sized_at = io->now;
	}
	return (sector + count) << DM_SECTOR_SHIFT <= lane->size;
}

static void rw_next(struct file *f, struct dm_req *r);

static bool bounced(const struct dm_req *r)
{
	return r->aio.buf != r->data + r->scratch;
}

static void rw_end(struct dm_req *r, int err)
{
	dm_io_tick(r->io);
	dm_done(r, err);
}

static void rw_done(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);
	struct file *f = (struct file *)r->store;

	if (bounced(r)) {
		if (res > 0 && r->op == DM_READ)
			memcpy(r->data + r->scratch, op->buf, (size_t)res);
		free(op->buf);
	}
	if (res == -EAGAIN || res == -EINTR) {
		rw_next(f, r);
		return;
	}
	if (res < 0 && (r->flags & DM_FUA))
		file_remember_loss(f, (int)res);
	if (res <= 0) {
		rw_end(r, res ? (int)res : -EIO);	/* nothing came: the file has become shorter */
		return;
	}
	r->scratch += (uint64_t)res;
	if (r->scratch == r->count << DM_SECTOR_SHIFT)
		rw_end(r, 0);
	else
		rw_next(f, r);
}

/* With O_DIRECT the memory must be aligned too; fronts align theirs, and what is not goes through a copy. */
static void *rw_buffer(struct file *f, struct dm_req *r, size_t len)
{
	uint8_t *data = r->data + r->scratch;
	void *copy;

	if (!f->direct || (uintptr_t)data % f->align == 0)
		return data;
	copy = aligned_alloc(f->align, (len + f->align - 1) & ~((size_t)f->align - 1));
	if (copy && r->op == DM_WRITE)
		memcpy(copy, data, len);
	return copy;
}

/* The part from r->scratch bytes on. */
static void rw_next(struct file *f, struct dm_req *r)
{
	uint64_t left = (r->count << DM_SECTOR_SHIFT) - r->scratch;
	size_t len = left < STEP_MAX ? left : STEP_MAX;

	r->aio = (struct aio_op){
		.kind = r->op == DM_READ ? AIO_READ : AIO_WRITE, .fd = file_lane_of(f, r->io)->fd,
		.flags = r->flags & DM_FUA ? AIO_DSYNC : 0, .buf = rw_buffer(f, r, len), .len = len,
		.off = (r->sector << DM_SECTOR_SHIFT) + r->scratch, .done = rw_done,
	};
	if (r->aio.buf)
		aio_submit(r->io->aio, &r->aio);
	else
		dm_done(r, -ENOMEM);
}

void file_rw(struct file *f, struct dm_req *r)
{
	r->scratch = 0;
	if (r->op == DM_WRITE && !file_still_there(f, r->io, r->sector, r->count))
		dm_done(r, -EIO);	/* a write would make the file longer again, with a hole of lost data in it */
	else
		rw_next(f, r);
}
