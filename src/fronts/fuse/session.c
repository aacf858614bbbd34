/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mount on the io thread: reads requests until there are no more. It ends when the kernel says so (somebody unmounted
 * it), or when the daemon ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fronts/fuse/server.h"

#define SESSION_CATCH_UP 4096	/* more than the kernel ever queues */
#define SESSION_TRANSFER (512u << 10)	/* bytes of one request: what fits in an ordinary user's pipe */
#define SESSION_BATCH 64	/* requests read before others get their turn */

void fuse_session_init(void *arg, struct fuse_conn_info *conn)
{
	(void)arg;
	/*
	 * We say when pages are dropped, not a change of size. Requests are not spliced: they are small, or must be
	 * kept.
	 */
	conn->want &= ~(unsigned)(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_MOVE);
	conn->want |= conn->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO |
				       FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS);
	conn->max_write = SESSION_TRANSFER;
	conn->max_background = 256;
	conn->congestion_threshold = 192;
}

int fuse_mount_session(struct fuse_mount *m, int fd)
{
	char *argv[] = { (char[]){ "dmuse" }, NULL }, place[32];
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);

	m->session = fuse_session_new(&args, m->kind->ops, sizeof(*m->kind->ops), m);
	fuse_opt_free_args(&args);
	if (!m->session)
		return -ENOMEM;
	snprintf(place, sizeof(place), "/dev/fd/%d", fd);	/* it is mounted already */
	if (fuse_session_mount(m->session, place) || fcntl(fd, F_SETFL, O_NONBLOCK)) {
		fuse_session_destroy(m->session);
		return -EIO;
	}
	return 0;
}

/* Back on the control thread, after everything that the io thread has posted. */
static void session_over(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, over);

	m->gone = true;
	fuse_mount_unref(m);
}

void fuse_mount_done(struct fuse_mount *m)
{
	if (--m->pending)
		return;
	m->over.run = session_over;
	loop_post(m->front->world->loop, &m->over);
}

static void session_end(struct fuse_mount *m)
{
	struct list *pos, *next;

	if (m->ended)
		return;
	m->ended = true;
	list_remove(&m->live);
	loop_unwatch(m->front->io->loop, &m->watch);
	list_each(pos, next, &m->files)
		fuse_file_release(container(pos, struct fuse_file, node));
	fuse_mount_done(m);
}

static void session_heard(struct fuse_mount *m)
{
	dm_io_tick(m->front->io);
	loop_heard(m->front->io->loop, &m->watch, 1);	/* each is read with a call of its own: batching saves none */
}

/* How many were read, at most MOST. The end counts as one, and M may be freed then. */
static int session_read(struct fuse_mount *m, int most)
{
	int n = 0, r = 1;

	while (r > 0 && n < most && !m->ended) {
		r = fuse_session_receive_buf(m->session, &m->buf);
		if (r > 0) {
			if (!n++)
				session_heard(m);
			fuse_session_process_buf(m->session, &m->buf);
		} else if (r != -EAGAIN && r != -EINTR) {
			session_end(m);
			return n + 1;
		}
	}
	return n;
}

static void session_ready(struct loop_watch *w, uint32_t events)
{
	(void)events;
	session_read(container(w, struct fuse_mount, watch), SESSION_BATCH);
}

static bool session_poll(struct loop_watch *w)
{
	return session_read(container(w, struct fuse_mount, watch), SESSION_BATCH);
}

void fuse_mount_begin(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, begin);

	m->pending = 1;
	list_append(&m->front->live, &m->live);
	m->watch = (struct loop_watch){ .fd = fuse_session_fd(m->session), .events = EPOLLIN, .ready = session_ready,
					.poll = session_poll };
	if (loop_watch(m->front->io->loop, &m->watch))
		session_end(m);
}

/* Back on the control thread: the message may be reused. */
static void session_end_over(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, end);

	m->n_jobs--;
	fuse_mount_unref(m);
}

/* The kernel may have ended it already. */
void fuse_mount_end(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, end);

	session_end(m);
	m->end.run = session_end_over;
	loop_post(m->front->world->loop, &m->end);
}

struct catch_up {
	struct loop_msg msg;
	struct fuse_front *front;
	struct loop_msg *then;
};

static void catch_up_over(struct loop_msg *msg)
{
	struct catch_up *c = container(msg, struct catch_up, msg);
	struct fuse_front *f = c->front;

	c->then->run(c->then);
	free(c);
	f->n_jobs--;
	fuse_front_check_stopped(f);
}

/* On the io thread: a close that has returned is in the kernel's queue by now. */
static void catch_up_read(struct loop_msg *msg)
{
	struct catch_up *c = container(msg, struct catch_up, msg);
	struct list *pos, *next;

	list_each(pos, next, &c->front->live)
		session_read(container(pos, struct fuse_mount, live), SESSION_CATCH_UP);
	c->msg.run = catch_up_over;
	loop_post(c->front->world->loop, &c->msg);
}

/* An open is counted here before its program knows of it, so only closes can be outstanding. */
bool fuse_catch_up(struct dm_front *front, struct loop_msg *then)
{
	struct fuse_front *f = container(front, struct fuse_front, front);
	struct catch_up *c = f->n_open ? malloc(sizeof(*c)) : NULL;

	if (!c)
		return false;
	*c = (struct catch_up){ .msg.run = catch_up_read, .front = f, .then = then };
	f->n_jobs++;
	loop_post(f->io->loop, &c->msg);
	return true;
}

static void session_ask_answer(struct loop_msg *msg)
{
	struct fuse_ask *a = container(msg, struct fuse_ask, msg);

	a->answer(a);
	free(a);
}

struct fuse_ask *fuse_ask_new(fuse_req_t req, fuse_ino_t ino, const void *name, size_t len, size_t room,
			      void (*answer)(struct fuse_ask *a))
{
	struct fuse_mount *m = fuse_req_userdata(req);
	struct fuse_ask *a;

	/* The control thread itself asks, for a table that leads back to our own files: it would wait for itself. */
	if (fuse_req_ctx(req)->pid == m->front->control) {
		fuse_reply_err(req, EDEADLK);
		return NULL;
	}
	a = malloc(sizeof(*a) + room);
	if (!a) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	*a = (struct fuse_ask){ .msg.run = session_ask_answer, .mount = m, .req = req, .ino = ino, .answer = answer,
				.len = len };
	memcpy(a->name, name, len);
	return a;
}

void fuse_ask_send(struct fuse_ask *a)
{
	loop_post(a->mount->front->world->loop, &a->msg);
}

void fuse_ask_brief(struct fuse_ask *a)
{
	struct loop *control = a->mount->front->world->loop;

	if (!loop_borrow(control)) {
		fuse_ask_send(a);
		return;
	}
	session_ask_answer(&a->msg);
	loop_return(control);
}

void fuse_ask(fuse_req_t req, fuse_ino_t ino, const char *name, uint64_t off, size_t size,
	      void (*answer)(struct fuse_ask *a))
{
	struct fuse_ask *a = fuse_ask_new(req, ino, name, strlen(name) + 1, strlen(name) + 1, answer);

	if (!a)
		return;
	a->off = off;
	a->size = size;
	fuse_ask_brief(a);
}
