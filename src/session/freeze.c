/* SPDX-License-Identifier: BSD-2-Clause */
/* See freeze.h. */
#include "session/freeze.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "session/freezer.h"
#include "session/helper.h"
#include "session/wire.h"

struct freeze {
	struct list node;
	struct freezes *all;
	uint32_t major, minor;		/* of the device */
	pid_t pid;
	bool frozen;			/* it has answered: it waits for the message to thaw */
	struct loop_watch socket;
};

static void freeze_drop(struct freeze *z)
{
	loop_unwatch(z->all->world->loop, &z->socket);
	close(z->socket.fd);
	list_remove(&z->node);
	free(z);
}

static void freeze_answer(struct freeze *z, const struct err *e, bool last)
{
	struct dm_device *d = dm_find_number(z->all->world, z->major, z->minor);

	if (last) {
		waitpid(z->pid, NULL, 0);	/* it has ended, or is about to */
		freeze_drop(z);
	}
	if (d)
		dm_freeze_done(d, e);
}

static void freeze_heard(struct loop_watch *w, uint32_t events)
{
	struct freeze *z = container(w, struct freeze, socket);
	struct wire m = { .kind = WIRE_FAILED };
	int fd, r = wire_receive(w->fd, &m, &fd);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r)
		err_set(&m.err, -EIO, "the process that freezes file systems was killed");
	z->frozen = !r && m.kind == WIRE_FROZEN;
	freeze_answer(z, &m.err, r || m.kind != WIRE_FROZEN || !m.count);
}

static int freeze_spawn(struct freeze *z)
{
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	z->socket = (struct loop_watch){ .fd = fds[0], .events = EPOLLIN, .ready = freeze_heard };
	r = helper_spawn(FREEZER_WORD, fds[1], &z->pid);
	close(fds[1]);
	if (!r)
		r = loop_watch(z->all->world->loop, &z->socket);
	if (r)
		close(fds[0]);
	return r;
}

/* Freezes what is mounted on D in these namespaces. */
static bool freeze_begin(struct freezes *s, struct dm_device *d, int mnt, int user)
{
	struct freeze *z = calloc(1, sizeof(*z));
	struct wire m = { .kind = WIRE_USER_NS, .major = d->major, .minor = d->minor };
	int r = -ENOMEM;

	if (z) {
		*z = (struct freeze){ .all = s, .major = d->major, .minor = d->minor };
		r = freeze_spawn(z);
	}
	if (r) {
		log_warn_of(d->name, "'%s': file systems on it are not frozen: %s", d->name, strerror(-r));
		free(z);
		return false;
	}
	log_debug("'%s': process %d freezes what is mounted on it", d->name, (int)z->pid);
	list_append(&s->all, &z->node);
	if (user >= 0)
		wire_send(z->socket.fd, &m, user);
	m.kind = WIRE_FREEZE;
	wire_send(z->socket.fd, &m, mnt);
	return true;
}

/* A mount is a file that is open, or a loop device's: without one there is no need for a process that looks. */
static bool freeze_front(struct dm_front *front, struct dm_device *d)
{
	struct freezes *s = container(front, struct freezes, front);
	int mnt, user;

	return d->in_sessions && endings_newest(s->sessions, &mnt, &user) && freeze_begin(s, d, mnt, user);
}

static bool thaw_front(struct dm_front *front, struct dm_device *d)
{
	struct freezes *s = container(front, struct freezes, front);
	const struct wire m = { .kind = WIRE_THAW };
	struct list *pos, *next;

	list_each(pos, next, &s->all) {
		struct freeze *z = container(pos, struct freeze, node);

		if (z->frozen && z->major == d->major && z->minor == d->minor)
			return !wire_send(z->socket.fd, &m, -1);
	}
	return false;
}

void freezes_init(struct freezes *s, struct dm_world *w, const struct endings *sessions)
{
	*s = (struct freezes){ .front = { .name = "freeze", .freeze = freeze_front, .thaw = thaw_front }, .world = w,
			       .sessions = sessions };
	list_init(&s->all);
	list_append(&w->fronts, &s->front.node);
}

void freezes_free(struct freezes *s)
{
	list_remove(&s->front.node);
	while (!list_empty(&s->all))
		freeze_drop(container(s->all.next, struct freeze, node));
}
