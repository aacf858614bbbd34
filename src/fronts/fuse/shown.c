/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads that are answered with pages of the store's file: the header and they go through a pipe to the connection, which the kernel
 * does without copying. libfuse does the same, but with a pipe of its own for each thread and session; a loop has two threads that take
 * turns (base/standin.h), and of the pipes of a session only one would be closed at its end. This one is the front's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <unistd.h>

#include "fronts/fuse/server.h"

#define PAGE 4096u

void fuse_pipe_close(struct fuse_pipe *p)
{
	if (!p->room)
		return;
	close(p->fds[0]);
	close(p->fds[1]);
	p->room = 0;
}

static bool pipe_open(struct fuse_pipe *p)
{
	int room;

	if (pipe2(p->fds, O_CLOEXEC | O_NONBLOCK))
		return false;
	room = fcntl(p->fds[0], F_GETPIPE_SZ);
	p->room = room > 0 ? (size_t)room : PAGE;
	return true;
}

static bool pipe_has_room(struct fuse_pipe *p, size_t need)
{
	int room;

	if (!p->room && !pipe_open(p))
		return false;
	if (p->room >= need)
		return true;
	room = fcntl(p->fds[0], F_SETPIPE_SZ, (int)need);
	if (room > 0)
		p->room = (size_t)room;
	return room > 0;
}

static bool pipe_fill(const struct fuse_pipe *p, const struct fuse_out_header *h, int fd, off_t at, size_t len)
{
	ssize_t n;

	if (write(p->fds[1], h, sizeof(*h)) != sizeof(*h))
		return false;
	for (; len; len -= (size_t)n) {
		n = splice(fd, &at, p->fds[1], NULL, len, SPLICE_F_NONBLOCK);
		if (n <= 0)
			return false;
	}
	return true;
}

/* A request that was interrupted (ENOENT) wants no answer. */
static bool pipe_send(const struct fuse_pipe *p, int to, size_t len)
{
	ssize_t n = splice(p->fds[0], NULL, to, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	return n == (ssize_t)len || (n < 0 && errno == ENOENT);
}

/* The pages, the header, and two that are covered in part. */
bool fuse_reply_shown(struct fuse_io *io, int fd, off_t at)
{
	const struct fuse_out_header h = { .len = (uint32_t)(sizeof(h) + io->len), .unique = io->unique };
	struct fuse_mount *m = io->file->mount;
	struct fuse_pipe *p = &m->front->pipe;

	if (!pipe_has_room(p, (io->len / PAGE + 3) * PAGE))
		return false;
	if (!pipe_fill(p, &h, fd, at, io->len) || !pipe_send(p, fuse_session_fd(m->session), h.len)) {
		fuse_pipe_close(p);	/* what is in it is nobody's */
		return false;
	}
	fuse_reply_none(io->req);
	return true;
}
