/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on a block device's data other than read and write: discarding, zeroing and flushing, by ioctl and by
 * fallocate; and which requests a block device refuses. On the io thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>

#include "base/process.h"
#include "fronts/fuse/dev_call.h"

static bool range_writes(const struct fuse_file *file)
{
	return (file->info.flags & O_ACCMODE) != O_RDONLY;
}

static void range_submit(struct fuse_io *io)
{
	fuse_io_submit_write(io, (enum dm_op)io->whence, io->off, io->len);
}

static int range_errno(int err)
{
	return err == -EROFS ? -EPERM : err;
}

/* As on Linux: of a device that takes discards, one that is not carried out after all is no failure. */
static bool is_needless(const struct fuse_io *io)
{
	return io->whence == DM_DISCARD && io->err == -EOPNOTSUPP;
}

static bool range_finish(struct fuse_io *io)
{
	if (io->err && !is_needless(io))
		return fuse_io_end(io, range_errno(io->err));
	if (!io->answered)
		fuse_reply_ioctl(io->req, 0, NULL, 0);
	fuse_io_free(io);
	return false;
}

static bool fallocate_finish(struct fuse_io *io)
{
	return fuse_io_end(io, range_errno(io->err));
}

/*
 * The kernel is told to drop its cached pages of the range, after writing those that a program has mapped; only then
 * the operation begins. The kernel may need us for that, so it is asked on a thread of its own; and so it may for reading the range
 * from the caller's memory, which may even be mapped from this device.
 */
struct range_stale {
	struct fuse_job job;
	struct loop_msg msg;
	struct fuse_io *io;
	unsigned cmd;			/* its argument points to the range; 0: that is known */
	pid_t tid;
	uint64_t arg;
	uint64_t off, len;
	int err;
};

/* On the io thread. */
static void stale_go(struct loop_msg *msg)
{
	struct range_stale *s = container(msg, struct range_stale, msg);
	struct fuse_io *io = s->io;

	if (s->err || io->answered)	/* answered: its program was killed, so nobody waits for it */
		fuse_io_end(io, s->err ? s->err : -EINTR);
	else
		fuse_io_go(io);
	free(s);
}

static void stale_over(struct fuse_job *job)
{
	struct range_stale *s = container(job, struct range_stale, job);

	s->msg.run = stale_go;
	loop_post(s->io->file->mount->front->io->loop, &s->msg);
}

/* As the kernel checks: 0 or -errno. */
static int range_check(const struct fuse_node *n, unsigned cmd, uint64_t off, uint64_t len)
{
	bool readonly = atomic_load(&n->readonly);
	uint64_t size = atomic_load(&n->size), mask = atomic_load(&n->block) - 1;

	if (cmd == BLKDISCARD && !atomic_load(&n->discards))
		return -EOPNOTSUPP;
	if (readonly && cmd == BLKDISCARD)
		return -EPERM;		/* both checked before the range; BLKZEROOUT checks the range first */
	if (!len || off > size || len > size - off || ((off | len) & mask))
		return -EINVAL;
	return readonly ? -EPERM : cmd == BLKSECDISCARD ? -EOPNOTSUPP : 0;
}

/* Reads and checks the two numbers that the argument points to. */
static int stale_range(struct range_stale *s)
{
	uint64_t range[2];
	int r = process_peek(AT_FDCWD, s->tid, s->arg, range, sizeof(range));

	if (r)
		return r;
	s->off = s->io->off = range[0];
	s->len = s->io->len = range[1];
	return range_check(s->io->file->file, s->cmd, s->off, s->len);
}

static void stale_run(struct fuse_job *job)
{
	struct range_stale *s = container(job, struct range_stale, job);
	const struct fuse_file *file = s->io->file;

	if (s->cmd)
		s->err = stale_range(s);
	if (!s->err)
		fuse_lowlevel_notify_inval_inode(file->mount->session, file->file->id, (off_t)s->off, (off_t)s->len);
}

/* On the control thread. */
static void stale_begin(struct loop_msg *msg)
{
	struct range_stale *s = container(msg, struct range_stale, msg);
	int r;

	s->job.run = stale_run;
	s->job.done = stale_over;
	r = fuse_job_start(&s->job, s->io->file->mount->front);
	if (!r)
		return;		/* S belongs to the job, which may be over */
	s->err = r;
	stale_over(&s->job);
}

/* Starts IO when no page of its range is cached any more. CMD: the range is where ARG points to; 0: it is all. */
static void range_go_fresh(struct fuse_io *io, unsigned cmd, uint64_t arg)
{
	struct range_stale *s = calloc(1, sizeof(*s));

	if (!s) {
		fuse_io_end(io, -ENOMEM);
		return;
	}
	*s = (struct range_stale){ .msg.run = stale_begin, .io = io, .cmd = cmd, .arg = arg, .tid = fuse_req_ctx(io->req)->pid };
	fuse_io_register(io);	/* which may answer it */
	loop_post(io->file->mount->front->world->loop, &s->msg);
}

static struct fuse_io *range_new(fuse_req_t req, struct fuse_file *file, enum dm_op op, uint32_t flags,
				 uint64_t off, uint64_t len)
{
	struct fuse_io *io = fuse_io_new(req, file, 0);

	if (!io)
		return NULL;
	io->whence = op;
	io->flags = flags;
	io->off = off;
	io->len = len;
	io->submit = range_submit;
	io->finish = range_finish;
	return io;
}

static void range_ask(fuse_req_t req, unsigned cmd, uint64_t arg, struct fuse_file *file)
{
	struct fuse_io *io;

	if (!range_writes(file)) {
		fuse_reply_err(req, EBADF);
		return;
	}
	io = range_new(req, file, cmd == BLKZEROOUT ? DM_ZEROES : DM_DISCARD, cmd == BLKZEROOUT ? DM_KEEP : 0, 0, 0);
	if (io)
		range_go_fresh(io, cmd, arg);
}

static void flush_submit(struct fuse_io *io)
{
	fuse_io_submit(io, DM_FLUSH, 0, 0);
}

/* BLKFLSBUF: everything written becomes durable, and the page cache is dropped. */
static void flush_ask(fuse_req_t req, struct fuse_file *file)
{
	struct fuse_io *io;

	if (!dev_may_control(file->mount->view, fuse_req_ctx(req)->pid)) {
		fuse_reply_err(req, EACCES);
		return;
	}
	io = range_new(req, file, DM_FLUSH, 0, 0, 0);
	if (!io)
		return;
	io->submit = flush_submit;
	range_go_fresh(io, 0, 0);
}

bool dev_range(fuse_req_t req, unsigned cmd, uint64_t arg, struct fuse_file *file)
{
	if (!file->file)
		return false;
	if (cmd == BLKDISCARD || cmd == BLKSECDISCARD || cmd == BLKZEROOUT)
		range_ask(req, cmd, arg, file);
	else if (cmd == BLKFLSBUF)
		flush_ask(req, file);
	else
		return false;
	return true;
}

/* What a block device answers to fallocate: 0 or a positive errno. */
static int fallocate_check(const struct fuse_node *n, int mode, uint64_t off, uint64_t *len)
{
	int what = mode & ~FALLOC_FL_KEEP_SIZE;
	uint64_t size = atomic_load(&n->size);

	if (what != FALLOC_FL_PUNCH_HOLE && what != FALLOC_FL_ZERO_RANGE)
		return EOPNOTSUPP;
	if (off >= size || (*len > size - off && !(mode & FALLOC_FL_KEEP_SIZE)))
		return EINVAL;
	if (*len > size - off)
		*len = size - off;
	if ((off | *len) & (atomic_load(&n->block) - 1))
		return EINVAL;
	return atomic_load(&n->readonly) ? EPERM : 0;
}

void dev_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi)
{
	struct fuse_file *file = fuse_file_of(req, fi);
	const struct fuse_node *n = file ? file->file : NULL;
	uint64_t bytes = (uint64_t)len;
	int err = n ? fallocate_check(n, mode, (uint64_t)off, &bytes) : EOPNOTSUPP;
	struct fuse_io *io;

	(void)ino;
	if (!file)
		return;
	if (err) {
		fuse_reply_err(req, err);
		return;
	}
	io = range_new(req, file, DM_ZEROES, mode & FALLOC_FL_ZERO_RANGE ? DM_KEEP : 0, (uint64_t)off, bytes);
	if (!io)
		return;
	io->finish = fallocate_finish;	/* the kernel drops its pages by itself */
	fuse_io_go(io);
}

int dev_data_check(const struct fuse_file *file, const struct fuse_file_info *fi, uint64_t off, size_t size, bool writes)
{
	const struct fuse_node *n = file->file;

	if (writes && atomic_load(&n->readonly))
		return EPERM;
	return (fi->flags & O_DIRECT) && ((off | size) & (atomic_load(&n->block) - 1)) ? EINVAL : 0;
}
