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

#include "base/log.h"
#include "fronts/fuse/raw.h"
#include "fronts/fuse/server.h"

#define SESSION_CATCH_UP 4096	/* more than the kernel ever queues */
#define SESSION_BATCH 64	/* requests read before others get their turn */

static void session_wants(struct fuse_conn_info *conn)
{
	/*
	 * We say when pages are dropped, not a change of size. Requests are not spliced: they are small, or must be
	 * kept.
	 */
	conn->want &= ~(unsigned)(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_MOVE);
	conn->want |= conn->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO |
				       FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS);
	conn->max_write = FUSE_TRANSFER;
	conn->max_background = 256;
	conn->congestion_threshold = 192;
}

bool fuse_agree(struct fuse_agreed *was, struct fuse_conn_info *conn)
{
	bool can = !(was->want & ~conn->capable) && was->max_write <= FUSE_TRANSFER;

	session_wants(conn);
	if (was->max_write && can) {
		conn->want = was->want;
		conn->max_write = was->max_write;
	}
	*was = (struct fuse_agreed){ conn->want, conn->max_write };
	return can;
}

void fuse_session_init(void *arg, struct fuse_conn_info *conn)
{
	struct fuse_mount *m = arg;

	m->disagrees = !fuse_agree(&m->agreed, conn);
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

uint64_t fuse_unique(fuse_req_t req)
{
	const struct fuse_mount *m = fuse_req_userdata(req);

	return fuse_raw_unique(m->buf.mem);
}

static void session_init_over(struct loop_msg *msg)
{
	fuse_mount_done(container(msg, struct fuse_mount, begin));
}

static void session_agreed_record(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, begin);

	fuse_state_agreed(m);
	m->begin.run = session_init_over;
	loop_post(m->front->io->loop, &m->begin);
}

/* On the io thread again: a later daemon could do now what this one does. */
static void session_init_play(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, begin);

	m->buf = (struct fuse_buf){ .mem = m->init, .size = m->init_len };
	if (!m->ended)
		fuse_session_process_buf(m->session, &m->buf);
	m->begin.run = session_agreed_record;
	loop_post(m->front->world->loop, &m->begin);
}

static void session_init_record(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, begin);

	fuse_state_init(m);
	m->begin.run = session_init_play;
	loop_post(m->front->io->loop, &m->begin);
}

/* The first request is recorded before it is answered. False: there is no need to. */
static bool session_init_held(struct fuse_mount *m)
{
	if (!fuse_raw_is_init(m->buf.mem, m->buf.size) || m->init || !fuse_state_is_kept(&m->front->state))
		return false;
	m->init = malloc(m->buf.size);
	if (!m->init)
		return false;
	m->init_len = m->buf.size;
	memcpy(m->init, m->buf.mem, m->init_len);
	m->pending++;
	m->begin.run = session_init_record;
	loop_post(m->front->world->loop, &m->begin);
	return true;
}

/*
 * Into memory that stays where it is (fuse.c): if the process is killed while the kernel waits for a page, the request
 * is lost. How many bytes, 0 at the end, or -errno. A request that was withdrawn meanwhile is -ENOENT.
 */
static ssize_t session_receive(struct fuse_mount *m)
{
	ssize_t n = read(fuse_session_fd(m->session), m->front->received, FUSE_RECEIVED);

	if (n < 0)
		return errno == ENODEV ? 0 : -errno;
	m->buf = (struct fuse_buf){ .mem = m->front->received, .size = (size_t)n };
	return n;
}

/* How many were read, at most MOST. The end counts as one, and M may be freed then. */
static int session_read(struct fuse_mount *m, int most)
{
	ssize_t r;
	int n = 0;

	while (n < most && !m->ended) {
		r = session_receive(m);
		if (r > 0) {
			if (!n++)
				session_heard(m);
			if (!session_init_held(m))
				fuse_session_process_buf(m->session, &m->buf);
		} else if (r == -EAGAIN || r == -EINTR) {
			break;
		} else if (r != -ENOENT) {
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

/*
 * The kernel goes on as if nothing had happened, so libfuse is told what was agreed on; the answer is refused. Then the
 * kernel sends what was not answered, and who polls asks once more. 0 or -errno.
 */
static int session_again(struct fuse_mount *m)
{
	int fd = fuse_session_fd(m->session), r;
	struct list *pos, *next;

	m->buf = (struct fuse_buf){ .mem = m->init, .size = m->init_len };
	if (m->init)
		fuse_session_process_buf(m->session, &m->buf);
	if (m->disagrees) {
		log_error("files in %s that are open end here: the program that served them agreed on more with the kernel than this one "
			  "can", m->directory);
		return -EPROTO;
	}
	r = fuse_raw_resend(fd);
	if (r) {
		log_error("files in %s that are open end here: %s", m->directory, r == -EINVAL ? "this kernel cannot send again "
			  "what the daemon that was killed had not answered (Linux 6.9 and later can)" : strerror(-r));
		return r;
	}
	list_each(pos, next, &m->files) {
		const struct fuse_file *file = container(pos, struct fuse_file, node);

		if (file->poll)
			fuse_raw_wake(fd, file->poll);
	}
	return 0;
}

void fuse_mount_begin(struct loop_msg *msg)
{
	struct fuse_mount *m = container(msg, struct fuse_mount, begin);

	list_append(&m->front->live, &m->live);
	if (m->again && session_again(m)) {
		session_end(m);
		return;
	}
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

void fuse_session_catch_up(struct fuse_mount *m)
{
	session_read(m, SESSION_CATCH_UP);
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
				.len = len, .unique = fuse_unique(req) };
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
