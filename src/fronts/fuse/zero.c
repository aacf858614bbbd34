/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fallocate: punching a hole and zeroing, of any byte range; both read as zeros afterwards. The whole blocks in the
 * middle are one request; the rest at both ends is written.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <string.h>

#include "fronts/fuse/server.h"

/* Where the part that starts at io->off ends; *EVEN: it consists of whole blocks. */
static uint64_t zero_piece(const struct fuse_io *io, bool *even)
{
	uint64_t mask = io->block - 1, next = (io->off | mask) + 1;

	*even = !(io->off & mask) && next <= io->end;
	if (*even)
		return io->end & ~mask;
	return next < io->end ? next : io->end;
}

static void zero_submit(struct fuse_io *io)
{
	bool even;
	uint64_t end = zero_piece(io, &even);

	io->len = end - io->off;
	if (even) {
		fuse_io_submit_write(io, DM_ZEROES, io->off, io->len);
		return;
	}
	memset(io->data, 0, io->room);
	fuse_io_submit_write(io, DM_WRITE, io->off, io->len);
}

static bool zero_finish(struct fuse_io *io)
{
	if (io->err)
		return fuse_io_end(io, io->err);
	io->off += io->len;
	return io->off < io->end || fuse_io_end(io, 0);
}

/* 0, or the error: there is nothing to allocate, and nothing beyond the end. */
static int zero_check(int mode, uint64_t off, uint64_t *len, uint64_t size)
{
	int what = mode & ~FALLOC_FL_KEEP_SIZE;

	if (what != FALLOC_FL_PUNCH_HOLE && what != FALLOC_FL_ZERO_RANGE)
		return EOPNOTSUPP;
	if (off >= size)
		return mode & FALLOC_FL_KEEP_SIZE ? 0 : ENOSPC;
	if (*len > size - off && !(mode & FALLOC_FL_KEEP_SIZE))
		return ENOSPC;
	if (*len > size - off)
		*len = size - off;
	return 0;
}

void fuse_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_of(req, fi);
	uint64_t size = file ? atomic_load(&file->file->size) : 0, at = (uint64_t)off, bytes = (uint64_t)len;
	int err = zero_check(mode, at, &bytes, size);
	struct fuse_io *io;

	(void)ino;
	if (!file)
		return;
	if (err || at >= size) {
		fuse_reply_err(req, err);
		return;
	}
	io = fuse_io_new(req, file, 2 * (size_t)atomic_load(&file->file->block));
	if (!io)
		return;
	io->off = at;
	io->end = at + bytes;
	io->flags = mode & FALLOC_FL_ZERO_RANGE ? DM_KEEP : 0;
	io->submit = zero_submit;
	io->finish = zero_finish;
	fuse_io_go(io);
}
