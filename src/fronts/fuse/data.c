/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data: read, write, fsync, and the life of any data request. The file ends as a disk does: reads past the end are
 * short, writes there get ENOSPC. A program that is killed does not wait for a suspended device: its request is
 * answered, and continues without it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fronts/fuse/server.h"

#define DATA_PAGE 4096u
#define DATA_SHOWN_FROM (32u << 10)	/* bytes: copying less is faster than filling a pipe */

struct fuse_io *fuse_io_new(fuse_req_t req, struct fuse_file *file, size_t room)
{
	struct pool *pool = &file->mount->front->pool;
	struct fuse_io *io;

	if (!pool_ready(pool, room)) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	io = pool_take_object(pool);
	*io = (struct fuse_io){ .req = req, .unique = fuse_unique(req), .file = file, .data = room ? pool_take(pool, room) : NULL, .room = room,
				.block = atomic_load(&file->file->block) };
	file->n_ios++;
	return io;
}

void fuse_io_free(struct fuse_io *io)
{
	struct fuse_file *file = io->file;
	struct pool *pool = &file->mount->front->pool;

	if (io->data)
		pool_give(pool, io->data, io->room);
	if (io->cached)
		fuse_read_ended(file);
	pool_give_object(pool, io);
	fuse_file_unref(file);
}

bool fuse_io_end(struct fuse_io *io, int err)
{
	if (!io->answered)
		fuse_reply_err(io->req, err == -ESHUTDOWN ? EIO : -err);
	fuse_io_free(io);
	return false;
}

/* Does a fatal signal wait for thread TID? Only then may a disk fail with EINTR. */
static bool io_killed(pid_t tid)
{
	char path[40], line[256];
	unsigned long long pending = 0;
	bool killed = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT;
	while (!killed && fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %llx", &pending) == 1 || sscanf(line, "ShdPnd: %llx", &pending) == 1)
			killed = pending & (1ull << (9 - 1));
	fclose(f);
	return killed;
}

static void io_interrupted(fuse_req_t req, void *arg)
{
	struct fuse_io *io = arg;

	/* While this is being registered, libfuse still needs REQ. */
	if (io->registering || io->answered || !io_killed(fuse_req_ctx(req)->pid))
		return;
	io->answered = true;
	fuse_reply_err(req, EINTR);
}

void fuse_io_register(struct fuse_io *io)
{
	if (io->registered)
		return;
	io->registered = io->registering = true;
	fuse_req_interrupt_func(io->req, io_interrupted, io);
	io->registering = false;
	if (fuse_req_interrupted(io->req))
		io_interrupted(io->req, io);
}

void fuse_io_go(struct fuse_io *io)
{
	do {
		trampoline_enter(&io->asking);
		io->submit(io);
		if (!trampoline_leave(&io->asking)) {
			fuse_io_register(io);
			return;
		}
	} while (io->finish(io));
}

void fuse_io_done(struct fuse_io *io, int err)
{
	io->err = err;
	if (!trampoline_landed(&io->asking) && io->finish(io))
		fuse_io_go(io);
}

static void io_req_done(struct dm_req *r, int err)
{
	fuse_io_done(container(container(r, struct partial, req), struct fuse_io, partial), err);
}

void fuse_io_submit(struct fuse_io *io, enum dm_op op, uint64_t start, uint64_t end)
{
	struct dm_req *r = &io->partial.req;

	r->op = op;
	r->flags = io->flags | (op == DM_READ && io->len >= DATA_SHOWN_FROM ? DM_MAY_SHOW : 0);
	r->sector = start >> DM_SECTOR_SHIFT;
	r->count = (end - start) >> DM_SECTOR_SHIFT;
	dm_req_buffer(r, io->data, end - start);
	r->done = io_req_done;
	dm_submit(io->file->mount->front->io, io->file->file->device, r);
}

static void io_partial_done(struct partial *p, int err)
{
	fuse_io_done(container(p, struct fuse_io, partial), err);
}

void fuse_io_submit_write(struct fuse_io *io, enum dm_op op, uint64_t off, uint64_t len)
{
	struct partial *p = &io->partial;

	p->op = op;
	p->flags = io->flags;
	p->block = io->block;
	p->off = off;
	p->len = len;
	p->data = io->data;
	p->done = io_partial_done;
	partial_submit(&io->file->file->disk, p);
}

/* How many of the SIZE bytes at OFF are within the device. */
static size_t data_inside(const struct fuse_file *file, off_t off, size_t size)
{
	uint64_t end = atomic_load(&file->file->size), at = (uint64_t)off;

	if (at >= end)
		return 0;
	return size < end - at ? size : (size_t)(end - at);
}

static uint32_t data_block(const struct fuse_file *file)
{
	return atomic_load(&file->file->block);
}

static void read_submit(struct fuse_io *io)
{
	uint64_t mask = io->block - 1;

	fuse_io_submit(io, DM_READ, io->off & ~mask, (io->off + io->len + mask) & ~mask);
}

/* The kernel takes the bytes from the store's file; or they are copied after all. */
static void read_reply_shown(struct fuse_io *io)
{
	const struct aio_op *op = &io->partial.req.aio;
	uint64_t place = partial_place(io->off, io->block);
	off_t at = (off_t)(op->off + place);

	if (fuse_reply_shown(io, op->fd, at))
		return;
	if (pread(op->fd, io->data + place, io->len, at) == (ssize_t)io->len)
		fuse_reply_buf(io->req, (char *)io->data + place, io->len);
	else
		fuse_reply_err(io->req, EIO);
}

/* A page has no errno: in a kernel, who reads one that could not be filled gets EIO. Only direct I/O tells why. */
static int read_error(const struct fuse_io *io)
{
	return io->cached && io->err != -EINTR ? -EIO : io->err;
}

static bool read_finish(struct fuse_io *io)
{
	if (io->err)
		return fuse_io_end(io, read_error(io));
	if (!io->answered && (io->partial.req.flags & DM_SHOWN))
		read_reply_shown(io);
	else if (!io->answered)
		fuse_reply_buf(io->req, (char *)io->data + partial_place(io->off, io->block), io->len);
	fuse_io_free(io);
	return false;
}

/*
 * The kernel reads ahead into its page cache, and if that fails, it asks again for a single page when a program needs
 * it. It does not tell the two apart, but only read-ahead asks for more than a page.
 */
static uint32_t read_flags(const struct fuse_file_info *fi, size_t size)
{
	return size > DATA_PAGE && !(fi->flags & O_DIRECT) ? DM_AHEAD : 0;
}

void fuse_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	uint32_t flags = read_flags(fi, size);
	struct fuse_file *file = fuse_file_of(req, fi);
	struct fuse_io *io;

	(void)ino;
	if (!file)
		return;
	size = data_inside(file, off, size);
	if (!size) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	io = fuse_io_new(req, file, partial_room((uint64_t)off, size, data_block(file)));
	if (!io)
		return;
	io->off = (uint64_t)off;
	io->len = size;
	io->flags = flags;
	io->cached = !(fi->flags & O_DIRECT);
	file->n_ahead += io->cached;
	io->submit = read_submit;
	io->finish = read_finish;
	fuse_io_go(io);
}

static void write_submit(struct fuse_io *io)
{
	fuse_io_submit_write(io, DM_WRITE, io->off, io->len);
}

static bool write_finish(struct fuse_io *io)
{
	if (io->err)	/* the table became read-only while it waited: a failed write, as in the kernel */
		return fuse_io_end(io, io->err == -EROFS ? -EIO : io->err);
	if (io->cut)
		return fuse_io_end(io, -ENOSPC);
	if (!io->answered)
		fuse_reply_write(io->req, io->len);
	fuse_io_free(io);
	return false;
}

void fuse_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_of(req, fi);
	size_t wanted = size;
	struct fuse_io *io;

	(void)ino;
	if (!file)
		return;
	if (!size) {
		fuse_reply_write(req, 0);
		return;
	}
	size = data_inside(file, off, size);
	if (!size) {
		fuse_reply_err(req, ENOSPC);
		return;
	}
	io = fuse_io_new(req, file, partial_room((uint64_t)off, size, data_block(file)));
	if (!io)
		return;
	io->off = (uint64_t)off;
	io->len = size;
	memcpy(io->data + partial_place(io->off, io->block), buf, size);
	io->cut = size < wanted && (fi->flags & O_DIRECT);	/* the kernel would turn a short answer into EIO */
	if (fi->flags & O_DIRECT && fi->flags & O_DSYNC)
		io->flags = DM_FUA;	/* as on a block device of Linux; the fsync comes by itself */
	io->submit = write_submit;
	io->finish = write_finish;
	fuse_io_go(io);
}

static void fsync_submit(struct fuse_io *io)
{
	fuse_io_submit(io, DM_FLUSH, 0, 0);
}

static bool fsync_finish(struct fuse_io *io)
{
	return fuse_io_end(io, io->err ? -EIO : 0);
}

void fuse_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_of(req, fi);
	struct fuse_io *io = file ? fuse_io_new(req, file, 0) : NULL;

	(void)ino;
	(void)datasync;
	if (!io)
		return;
	io->submit = fsync_submit;
	io->finish = fsync_finish;
	fuse_io_go(io);
}
