/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data that the store provides as pages instead of copying it: they go through a pipe of the connection to the socket,
 * in the order of the answers. What does not fit in the pipe is read as usual.
 *
 * Until the client has received them, they are the file's: it sees what is written there meanwhile (doc/design.md, "What a
 * client of NBD receives").
 *
 * This saves the server two copies, but then the client is the first to touch the data. Where that is slower the copy
 * is made (base/faster.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "fronts/nbd/server.h"

#define SHOWN_PIPE (1 << 20)	/* bytes: the most that an ordinary user may have */
#define SHOWN_PAGE 4096u
#define SHOWN_FROM 65536u	/* bytes: copying less is faster */

void nbd_shown_close(struct nbd_conn *c)
{
	if (c->pipe[0] < 0)
		return;
	close(c->pipe[0]);
	close(c->pipe[1]);
}

static bool shown_open(struct nbd_conn *c)
{
	int room;

	if (pipe2(c->pipe, O_NONBLOCK | O_CLOEXEC)) {
		c->pipe[0] = c->pipe[1] = -1;
		return false;
	}
	if (spare_is_scarce(c->pipe[1])) {
		nbd_shown_close(c);
		c->pipe[0] = c->pipe[1] = -1;
		return false;
	}
	room = fcntl(c->pipe[1], F_SETPIPE_SZ, SHOWN_PIPE);
	if (room < 0)
		room = fcntl(c->pipe[1], F_GETPIPE_SZ);
	c->pipe_room = room < 0 ? 0 : (unsigned)room / SHOWN_PAGE;
	return true;
}

/* Each buffer of a pipe holds a page or part of one. */
static unsigned shown_pages(const struct nbd_req *q)
{
	return (unsigned)((q->req.aio.off % SHOWN_PAGE + q->len + SHOWN_PAGE - 1) / SHOWN_PAGE);
}

static int shown_read(struct nbd_req *q)
{
	uint32_t got = 0;

	while (got < q->len) {
		ssize_t n = pread(q->req.aio.fd, q->data + got, q->len - got, (off_t)(q->req.aio.off + got));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		got += (uint32_t)n;
	}
	return 0;
}

/* What is in the pipe cannot be taken back: if a file becomes shorter at this moment, its client is disconnected. */
static int shown_pipe(struct nbd_req *q)
{
	struct nbd_conn *c = q->conn;
	off_t off = (off_t)q->req.aio.off;
	uint32_t got = 0;

	while (got < q->len) {
		ssize_t n = splice(q->req.aio.fd, &off, c->pipe[1], NULL, q->len - got, SPLICE_F_NONBLOCK);

		if (n <= 0) {
			log_error("nbd: disconnected a client: a file was truncated while it was read");
			nbd_conn_die(c);
			return -EIO;
		}
		got += (uint32_t)n;
	}
	q->out.pages = shown_pages(q);
	c->pipe_room -= q->out.pages;
	return 0;
}

static bool shown_is_asked(const struct nbd_req *q)
{
	return q->len >= SHOWN_FROM && !q->conn->tls;
}

bool nbd_shown_may(struct nbd_req *q)
{
	struct nbd_conn *c = q->conn;

	return shown_is_asked(q) && faster_now(&c->nio->shown) == FASTER_SECOND && (c->pipe[0] >= 0 || shown_open(c)) &&
	       c->pipe_room > q->len / SHOWN_PAGE;
}

void nbd_shown_sent(struct nbd_req *q)
{
	struct nbd_io *nio = q->conn->nio;

	if (q->cmd == NBD_CMD_READ && shown_is_asked(q))
		faster_moved(&nio->shown, q->out.pages ? FASTER_SECOND : FASTER_FIRST, q->len, nio->io->now);
}

int nbd_shown_take(struct nbd_req *q)
{
	const struct nbd_conn *c = q->conn;

	if (c->phase != NBD_DEAD && c->pipe_room >= shown_pages(q))
		return shown_pipe(q);
	return shown_read(q);		/* the pipe was filled while this waited in a suspended device */
}

ssize_t nbd_shown_send(struct nbd_conn *c, size_t len)
{
	ssize_t n = splice(c->pipe[0], NULL, c->watch.fd, NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	return n < 0 ? -errno : n;
}
