/* SPDX-License-Identifier: BSD-2-Clause */
/* See notify.h. Each message has a socket of its own, but those that wait, which share one: the loop watches that. */
#include "base/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"

struct notice {
	struct list node;
	struct notice **where;	/* its sender's pointer to it, or NULL */
	int fd;			/* or -1 */
	char text[];
};

/* Of this process, as its environment is. */
static struct {
	struct loop *loop;
	struct list waiting;
	struct loop_watch room;		/* of the receiver; watched while messages wait */
} notify = { .waiting = { &notify.waiting, &notify.waiting }, .room.fd = -1 };

/* The length of the address; 0: there is none. */
static socklen_t notify_address(struct sockaddr_un *at)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n < 2 || n >= sizeof(at->sun_path) || (*path != '/' && *path != '@'))
		return 0;
	memcpy(at->sun_path, path, n);
	if (*path == '@')
		at->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path == '/'));
}

/* The number of the descriptor, or -1. */
static int notify_number(void)
{
	const char *said = getenv("NOTIFY_SOCKET");
	int fd, n = 0;

	return said && sscanf(said, "fd:%d%n", &fd, &n) == 1 && !said[n] && fd >= 0 ? fd : -1;
}

/* The descriptor, or -1: programs that the daemon starts do not inherit it, and may have another one of that number. */
static int notify_inherited(void)
{
	int fd = notify_number(), type = 0;
	socklen_t len = sizeof(type);

	return fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) && type == SOCK_DGRAM ? fd : -1;
}

bool notify_is_there(void)
{
	struct sockaddr_un at;

	return notify_address(&at) || notify_number() >= 0;
}

void notify_hand_over(bool on)
{
	int fd = notify_inherited();

	if (fd >= 0)
		fcntl(fd, F_SETFD, on ? 0 : FD_CLOEXEC);
}

/* A socket that leads there, or -errno. */
static int notify_connect(void)
{
	struct sockaddr_un at;
	socklen_t len = notify_address(&at);
	int pair = notify_inherited(), r;
	int fd = pair >= 0 ? fcntl(pair, F_DUPFD_CLOEXEC, 0) : len ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;

	if (pair < 0 && !len)
		return -ENOTCONN;
	if (pair >= 0)
		return fd < 0 ? -errno : fd;
	if (fd < 0)
		return -errno;
	r = connect(fd, (struct sockaddr *)&at, len) ? -errno : 0;
	if (!r)
		return fd;
	close(fd);
	return r;
}

static int notify_out(int socket, const char *text, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		h.msg_control = &control;
		h.msg_controllen = sizeof(control.room);
	}
	while (sendmsg(socket, &h, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void notice_over(struct notice *n)
{
	list_remove(&n->node);
	if (n->where)
		*n->where = NULL;
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}

static void notify_stop_waiting(void)
{
	struct list *n, *next;

	list_each(n, next, &notify.waiting)
		notice_over(container(n, struct notice, node));
	if (notify.room.fd < 0)
		return;
	loop_unwatch(notify.loop, &notify.room);
	close(notify.room.fd);
	notify.room.fd = -1;
}

static void notify_has_room(struct loop_watch *w, uint32_t events)
{
	struct list *n, *next;
	int r = 0;

	(void)events;
	list_each(n, next, &notify.waiting) {
		struct notice *first = container(n, struct notice, node);

		r = notify_out(w->fd, first->text, first->fd);
		if (r)
			break;
		notice_over(first);
	}
	if (r == -EAGAIN)
		return;
	if (r)
		log_warn("whoever keeps descriptors for this daemon is gone: %s", strerror(-r));
	notify_stop_waiting();
}

/* SOCKET leads to a receiver that has no room. It is the queue's, or closed. */
static int notify_wait(int socket, const char *text, int fd, struct notice **waits)
{
	struct notice *n = malloc(sizeof(*n) + strlen(text) + 1);
	int copy = n && fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1, r = 0;

	if (!n || (fd >= 0 && copy < 0))
		r = n ? -errno : -ENOMEM;
	else if (notify.room.fd < 0) {
		notify.room = (struct loop_watch){ .fd = socket, .events = EPOLLOUT, .ready = notify_has_room };
		r = loop_watch(notify.loop, &notify.room);
		socket = r ? socket : -1;
		notify.room.fd = r ? -1 : notify.room.fd;
	}
	if (socket >= 0)
		close(socket);
	if (r) {
		if (copy >= 0)
			close(copy);
		free(n);
		return r;
	}
	n->fd = copy;
	n->where = waits;
	strcpy(n->text, text);
	list_init(&n->node);
	list_append(&notify.waiting, &n->node);
	if (waits)
		*waits = n;
	return 0;
}

int notify_send(const char *text, int fd, struct notice **waits)
{
	int socket = notify_waits() ? -1 : notify_connect(), r = -EAGAIN;

	if (socket < 0 && !notify_waits())
		return socket;
	if (!notify_waits())
		r = notify_out(socket, text, fd);
	if (r == -EAGAIN && notify.loop)
		return notify_wait(socket, text, fd, waits);
	while (r == -EAGAIN && poll(&(struct pollfd){ .fd = socket, .events = POLLOUT }, 1, -1))
		r = notify_out(socket, text, fd);
	close(socket);
	return r;
}

void notify_cancel(struct notice *n)
{
	notice_over(n);
	if (list_empty(&notify.waiting))
		notify_stop_waiting();
}

bool notify_waits(void)
{
	return !list_empty(&notify.waiting);
}

void notify_loop(struct loop *l)
{
	if (notify.loop)
		notify_stop_waiting();
	notify_hand_over(false);	/* another program may have passed it on to us */
	notify.loop = l;
}

/* BARRIER=1: the receiver closes the descriptor when its turn has come. */
void notify_barrier(int ms)
{
	int fds[2];

	if (notify_waits() || !notify_is_there() || pipe2(fds, O_CLOEXEC))
		return;
	if (!notify_send("BARRIER=1", fds[1], NULL) && !notify_waits()) {
		close(fds[1]);
		fds[1] = -1;
		poll(&(struct pollfd){ .fd = fds[0] }, 1, ms);
	}
	if (fds[1] >= 0)
		close(fds[1]);
	close(fds[0]);
}
