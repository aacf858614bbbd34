/* SPDX-License-Identifier: BSD-2-Clause */
/* Space in the file store: discard, zeroes, and extents. */
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

/*
 * On a block device this must be the description that claimed it: the kernel drops the range's pages from its cache,
 * and if some are dirty, only the owner may do that.
 */
static int space_fd(const struct dm_req *r)
{
	const struct file *f = file_lane_of(r)->file;

	return f->regular ? file_lane_of(r)->fd : f->lanes[0].fd;
}

static void space_submit(struct dm_req *r, struct aio_op op)
{
	op.fd = space_fd(r);
	op.off = file_bytes(r->sector);
	op.len = file_bytes(r->count);
	r->aio = op;
	aio_submit(r->io->aio, &r->aio);
}

static bool space_unsupported(ssize_t res)
{
	return res == -EOPNOTSUPP || res == -ENOTTY || res == -ENOSYS;
}

/* A discard that is not supported succeeds: its content is undefined afterwards. */
static void discard_done(struct aio_op *op, ssize_t res)
{
	file_end(container(op, struct dm_req, aio), space_unsupported(res) ? 0 : (int)res);
}

static ssize_t discard_block_device(struct aio_op *op)
{
	uint64_t range[2] = { op->off, op->len };

	return ioctl(op->fd, BLKDISCARD, range) ? -errno : 0;
}

void file_discard(struct dm_req *r)
{
	if (!file_still_there(r))
		dm_done(r, -EIO);
	else if (file_lane_of(r)->file->regular)
		space_submit(r, (struct aio_op){ .kind = AIO_FALLOCATE, .done = discard_done,
						 .mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE });
	else
		space_submit(r, (struct aio_op){ .kind = AIO_CALL, .call = discard_block_device, .done = discard_done });
}

static void zeroes_write(struct dm_req *r);

static void zeroes_written(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);

	if (res == -EAGAIN || res == -EINTR)
		res = 0;
	else if (res <= 0)
		return file_end(r, res ? (int)res : file_cut_short(r));
	r->done_bytes += (uint64_t)res;
	if (r->done_bytes == file_bytes(r->count))
		file_end(r, 0);
	else
		zeroes_write(r);
}

/* Writes zeros, from r->done_bytes bytes on. */
static void zeroes_write(struct dm_req *r)
{
	uint64_t left = file_bytes(r->count) - r->done_bytes;

	r->aio = (struct aio_op){ .kind = AIO_WRITE, .fd = file_lane_of(r)->fd, .buf = (void *)(uintptr_t)zeros,
				  .len = left < ZEROS_LEN ? left : ZEROS_LEN,
				  .off = file_bytes(r->sector) + r->done_bytes, .done = zeroes_written };
	aio_submit(r->io->aio, &r->aio);
}

static void zeroes_by(struct dm_req *r, int how);

/*
 * Punching a hole fails if it cannot be done fast. So does ZERO_RANGE on a file system, but a block device then writes
 * zeros itself. One that has failed to punch a hole gets these also for a request that was to be fast: see below.
 */
static void zeroes_done(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);
	bool refuse = file_lane_of(r)->file->regular && r->flags & DM_FAST;

	if (!space_unsupported(res)) {
		file_end(r, (int)res);
	} else if (op->mode & FALLOC_FL_PUNCH_HOLE) {
		zeroes_by(r, FALLOC_FL_ZERO_RANGE);
	} else if (refuse || !op->mode) {
		file_end(r, -EOPNOTSUPP);
	} else {
		r->done_bytes = 0;
		zeroes_write(r);
	}
}

/*
 * The kernel drops what its cache has of the range before it asks the disk. If the disk then cannot do it, what was written
 * there is gone, or reads as zeros: whoever asks again is refused before that (mode 0), and the first gets his zeros, slowly.
 */
static ssize_t zeroes_of_block_device(struct aio_op *op)
{
	if (file_measure_zeroes(file_lane_of(container(op, struct dm_req, aio))->file))
		return fallocate(op->fd, op->mode, (off_t)op->off, (off_t)op->len) ? -errno : 0;
	op->mode = 0;
	return -EOPNOTSUPP;
}

static void zeroes_by(struct dm_req *r, int how)
{
	bool ask = how == FALLOC_FL_PUNCH_HOLE && !file_lane_of(r)->file->regular && r->flags & DM_FAST;

	space_submit(r, (struct aio_op){ .kind = ask ? AIO_CALL : AIO_FALLOCATE, .call = zeroes_of_block_device,
					 .mode = how | FALLOC_FL_KEEP_SIZE, .done = zeroes_done });
}

void file_zeroes(struct dm_req *r)
{
	bool regular = file_lane_of(r)->file->regular;

	if (!file_still_there(r))
		dm_done(r, -EIO);
	else if (!(r->flags & DM_KEEP))
		zeroes_by(r, FALLOC_FL_PUNCH_HOLE);
	else if (!regular && (r->flags & DM_FAST))
		dm_done(r, -EOPNOTSUPP);
	else
		zeroes_by(r, FALLOC_FL_ZERO_RANGE);
}

/*
 * On a helper thread, because the answer may have to be read from the disk. A block (of the store's logical size) that
 * is partly a hole is data. The result is the length of the extent in bytes; op->mode is its state.
 */
static ssize_t extent_ask(struct aio_op *op)
{
	off_t block = container(op, struct dm_req, aio)->store->limits.logical;
	off_t at = (off_t)op->off, end = at + (off_t)op->len, data = lseek(op->fd, at, SEEK_DATA), hole;
	struct stat st;

	op->mode = 0;
	if (data < 0 && errno == ENXIO) {	/* a hole up to the end, unless AT is beyond it */
		if (fstat(op->fd, &st) || st.st_size <= at)
			return -EIO;
		data = end;
	}
	if (data < 0)
		return (ssize_t)op->len;	/* the file system cannot tell */
	if (data >= end || data / block * block > at) {
		op->mode = DM_HOLE | DM_ZERO;
		return (data >= end ? end : data / block * block) - at;
	}
	hole = lseek(op->fd, data, SEEK_HOLE);
	return hole < 0 ? (ssize_t)op->len : (hole + block - 1) / block * block - at;
}

static void extent_done(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);

	if (res > 0) {
		uint64_t n = (uint64_t)res >> DM_SECTOR_SHIFT;

		r->count = n < r->count ? n : r->count;
		r->flags |= (uint32_t)op->mode;
	}
	file_end(r, res < 0 ? (int)res : 0);
}

void file_extent(struct dm_req *r)
{
	if (file_lane_of(r)->file->regular)
		space_submit(r, (struct aio_op){ .kind = AIO_CALL, .call = extent_ask, .done = extent_done });
	else
		dm_done(r, 0);
}
