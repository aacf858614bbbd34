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
	bool answered;			/* what it was asked for last */
	bool frozen;			/* it waits for the message to thaw */
	struct err err;
	struct loop_watch socket;
};

/* Those of a device, one for each session. */
static bool freeze_is_of(const struct freeze *z, uint32_t major, uint32_t minor)
{
	return z->major == major && z->minor == minor;
}

static void freeze_hang_up(struct freeze *z)
{
	if (z->socket.fd < 0)
		return;
	loop_unwatch(z->all->world->loop, &z->socket);
	close(z->socket.fd);
	z->socket.fd = -1;
}

static void freeze_drop(struct freeze *z)
{
	freeze_hang_up(z);
	list_remove(&z->node);
	free(z);
}

/* A socket to one that is gone reports that. False: none has frozen anything. */
static bool freezes_thaw(struct freezes *s, uint32_t major, uint32_t minor)
{
	const struct wire m = { .kind = WIRE_THAW };
	struct list *pos, *next;
	bool any = false;

	list_each(pos, next, &s->all) {
		struct freeze *z = container(pos, struct freeze, node);

		if (!freeze_is_of(z, major, minor) || !z->frozen)
			continue;
		z->answered = z->frozen = false;
		wire_send(z->socket.fd, &m, -1);
		any = true;
	}
	return any;
}

/* False: not all have answered. Else E is the first error. */
static bool freezes_answered(const struct freezes *s, uint32_t major, uint32_t minor, struct err *e)
{
	struct list *pos, *next;

	list_each(pos, next, &s->all) {
		const struct freeze *z = container(pos, struct freeze, node);

		if (!freeze_is_of(z, major, minor))
			continue;
		if (!z->answered)
			return false;
		if (!e->code)
			*e = z->err;
	}
	return true;
}

/* They are frozen everywhere or nowhere. */
static void freezes_check(struct freezes *s, uint32_t major, uint32_t minor)
{
	struct err e = ERR_INIT;
	struct list *pos, *next;
	struct dm_device *d;

	if (!freezes_answered(s, major, minor, &e) || (e.code && freezes_thaw(s, major, minor)))
		return;
	list_each(pos, next, &s->all) {
		struct freeze *z = container(pos, struct freeze, node);

		if (freeze_is_of(z, major, minor) && !z->frozen)
			freeze_drop(z);
	}
	d = dm_find_number(s->world, major, minor);
	if (d)
		dm_freeze_done(d, &e);
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
	z->answered = true;
	z->frozen = !r && m.kind == WIRE_FROZEN && m.count;
	if (m.err.code)
		z->err = m.err;
	if (!z->frozen) {
		waitpid(z->pid, NULL, 0);	/* it has ended, or is about to */
		freeze_hang_up(z);
	}
	freezes_check(z->all, z->major, z->minor);
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

struct freeze_asked {
	struct freezes *all;
	struct dm_device *d;
	bool any;
};

/* Freezes what is mounted on the device in these namespaces. */
static void freeze_begin(void *arg, int mnt, int user)
{
	struct freeze_asked *a = arg;
	const struct dm_device *d = a->d;
	struct freeze *z = calloc(1, sizeof(*z));
	struct wire m = { .kind = WIRE_USER_NS, .major = d->major, .minor = d->minor };
	int r = -ENOMEM;

	if (z) {
		*z = (struct freeze){ .all = a->all, .major = d->major, .minor = d->minor, .err = ERR_INIT };
		r = freeze_spawn(z);
	}
	if (r) {
		log_warn_of(d->name, "'%s': file systems on it are not frozen: %s", d->name, strerror(-r));
		free(z);
		return;
	}
	log_debug("'%s': process %d freezes what is mounted on it", d->name, (int)z->pid);
	list_append(&a->all->all, &z->node);
	if (user >= 0)
		wire_send(z->socket.fd, &m, user);
	m.kind = WIRE_FREEZE;
	wire_send(z->socket.fd, &m, mnt);
	a->any = true;
}

/* A mount is a file that is open, or a loop device's: without one there is no need for a process that looks. */
static bool freeze_front(struct dm_front *front, struct dm_device *d)
{
	struct freezes *s = container(front, struct freezes, front);
	struct freeze_asked a = { .all = s, .d = d };

	if (d->in_sessions)
		endings_each(s->sessions, freeze_begin, &a);
	return a.any;
}

static bool thaw_front(struct dm_front *front, struct dm_device *d)
{
	return freezes_thaw(container(front, struct freezes, front), d->major, d->minor);
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
