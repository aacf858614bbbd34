/* SPDX-License-Identifier: BSD-2-Clause */
/* SEEK_DATA and SEEK_HOLE: the device is asked for one extent after another. A hole is what reads as zeros. */
#include <errno.h>
#include <unistd.h>

#include "fronts/fuse/server.h"

#define SEEK_ASKS 4096u		/* after that we answer that data reaches to the end, which is never wrong */

static void seek_submit(struct fuse_io *io)
{
	fuse_io_submit(io, DM_EXTENT, io->off & ~(uint64_t)(DM_SECTOR - 1), io->end);
}

static bool seek_tell(struct fuse_io *io, uint64_t at)
{
	if (!io->answered)
		fuse_reply_lseek(io->req, (off_t)at);
	fuse_io_free(io);
	return false;
}

static bool seek_finish(struct fuse_io *io)
{
	const struct dm_req *r = &io->partial.req;
	bool hole = r->flags & DM_ZERO;

	if (io->err || !r->count)
		return fuse_io_end(io, io->err ? io->err : -EIO);
	if (hole == (io->whence == SEEK_HOLE))
		return seek_tell(io, io->off);
	io->off = (io->off & ~(uint64_t)(DM_SECTOR - 1)) + (r->count << DM_SECTOR_SHIFT);
	if (io->off < io->end && ++io->asks < SEEK_ASKS)
		return true;
	if (io->whence == SEEK_HOLE)
		return seek_tell(io, io->end);
	return io->off < io->end ? seek_tell(io, io->off) : fuse_io_end(io, -ENXIO);
}

void fuse_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_of(req, fi);
	uint64_t size = file ? atomic_load(&file->file->size) : 0;
	struct fuse_io *io;

	(void)ino;
	if (!file)
		return;
	if (whence != SEEK_DATA && whence != SEEK_HOLE) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (off < 0 || (uint64_t)off >= size) {
		fuse_reply_err(req, ENXIO);
		return;
	}
	io = fuse_io_new(req, file, 0);
	if (!io)
		return;
	io->off = (uint64_t)off;
	io->end = size;
	io->whence = whence;
	io->submit = seek_submit;
	io->finish = seek_finish;
	fuse_io_go(io);
}
