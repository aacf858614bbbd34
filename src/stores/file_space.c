/* SPDX-License-Identifier: BSD-2-Clause */
/* Space in the file store: discard, zeroes, and where the holes are. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdalign.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stores/file.h"

#define ZEROS_LEN (128u * 1024u)

static alignas(4096) const unsigned char zeros[ZEROS_LEN];

static uint64_t bytes(uint64_t sectors)
{
	return sectors << DM_SECTOR_SHIFT;
}

static void space_end(struct dm_req *r, int err)
{
	dm_io_tick(r->io);
	dm_done(r, err);
}

static void space_submit(struct file *f, struct dm_req *r, enum aio_kind kind, int mode,
			 void (*done)(struct aio_op *op, ssize_t res))
{
	r->aio = (struct aio_op){ .kind = kind, .fd = file_lane_of(f, r->io)->fd, .mode = mode, .off = bytes(r->sector),
				  .len = bytes(r->count), .done = done };
	aio_submit(r->io->aio, &r->aio);
}

static bool unsupported(ssize_t res)
{
	return res == -EOPNOTSUPP || res == -ENOTTY || res == -ENOSYS;
}

/* A discard that cannot be done has been done: nobody may rely on what is there now. */
static void discard_done(struct aio_op *op, ssize_t res)
{
	space_end(container(op, struct dm_req, aio), unsupported(res) ? 0 : (int)res);
}

static ssize_t discard_block_device(struct aio_op *op)
{
	uint64_t range[2] = { op->off, op->len };

	return ioctl(op->fd, BLKDISCARD, range) ? -errno : 0;
}

void file_discard(struct file *f, struct dm_req *r)
{
	if (!file_still_there(f, r->io, r->sector, r->count)) {
		dm_done(r, -EIO);
	} else if (f->regular) {
		space_submit(f, r, AIO_FALLOCATE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, discard_done);
	} else {
		r->aio = (struct aio_op){ .kind = AIO_CALL, .fd = file_lane_of(f, r->io)->fd, .off = bytes(r->sector),
					  .len = bytes(r->count), .call = discard_block_device, .done = discard_done };
		aio_submit(r->io->aio, &r->aio);
	}
}

static void write_zeros(struct file *f, struct dm_req *r);

static void zeros_written(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);
	struct file *f = (struct file *)r->store;

	if (res == -EAGAIN || res == -EINTR)
		res = 0;
	else if (res <= 0) {
		space_end(r, res ? (int)res : -EIO);
		return;
	}
	r->scratch += (uint64_t)res;
	if (r->scratch == bytes(r->count))
		space_end(r, 0);
	else
		write_zeros(f, r);
}

/* By hand, where the file system cannot do better: from r->scratch bytes on. */
static void write_zeros(struct file *f, struct dm_req *r)
{
	uint64_t left = bytes(r->count) - r->scratch;

	r->aio = (struct aio_op){ .kind = AIO_WRITE, .fd = file_lane_of(f, r->io)->fd, .buf = (void *)(uintptr_t)zeros,
				  .len = left < ZEROS_LEN ? left : ZEROS_LEN, .off = bytes(r->sector) + r->scratch,
				  .done = zeros_written };
	aio_submit(r->io->aio, &r->aio);
}

static void zeroes_done(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);

	if (!unsupported(res)) {
		space_end(r, (int)res);
	} else if (r->flags & DM_FAST) {
		space_end(r, -EOPNOTSUPP);
	} else {
		r->scratch = 0;
		write_zeros((struct file *)r->store, r);
	}
}

void file_zeroes(struct file *f, struct dm_req *r)
{
	int how = r->flags & DM_KEEP ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;

	if (file_still_there(f, r->io, r->sector, r->count))
		space_submit(f, r, AIO_FALLOCATE, how | FALLOC_FL_KEEP_SIZE, zeroes_done);
	else
		dm_done(r, -EIO);
}

/* How many sectors from OFF on are a hole; 0 if there is data, and then *DATA says how many are that. */
static uint64_t hole_sectors(int fd, off_t off, uint64_t count, uint64_t *data)
{
	off_t next = lseek(fd, off, SEEK_DATA), end;

	if (next < 0)
		return errno == ENXIO ? count : (*data = count, 0);
	if (next - off >= (off_t)DM_SECTOR)
		return (uint64_t)(next - off) >> DM_SECTOR_SHIFT;
	end = lseek(fd, next, SEEK_HOLE);
	*data = end < 0 ? count : ((uint64_t)(end - off) + DM_SECTOR - 1) >> DM_SECTOR_SHIFT;
	return 0;
}

void file_extent(struct file *f, struct dm_req *r)
{
	uint64_t data = r->count, hole = 0, n;

	if (f->regular)
		hole = hole_sectors(file_lane_of(f, r->io)->fd, (off_t)bytes(r->sector), r->count, &data);
	n = hole ? hole : data;
	if (n < r->count)
		r->count = n;
	if (hole)
		r->flags |= DM_HOLE | DM_ZERO;
	dm_done(r, 0);
}
