/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See keeper_store.h. The sockets have no address: nothing is left when the keeper is killed, and nobody else can send to it.
 * Processes that a daemon forks may still have its end, so the kernel says whose message it is.
 */
#include "cmd/keeper_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/keep.h"
#include "base/log.h"

#define STORE_OWN 16		/* descriptors that the keeper needs itself */
#define STORE_MESSAGE 4096

struct stored {
	struct hash_link link;
	int fd;
	char name[];
};

struct store_message {
	char text[STORE_MESSAGE];
	pid_t from;
	int fd;			/* or -1 */
};

static int store_pair(struct keeper_store *s)
{
	int pair[2], one = 1;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return -errno;
	s->socket = pair[0];
	s->theirs = pair[1];
	return setsockopt(s->socket, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) ? -errno : 0;
}

static unsigned long store_room(void)
{
	struct rlimit l = { 1024, 1024 };

	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
		getrlimit(RLIMIT_NOFILE, &l);
	}
	return l.rlim_cur > 2 * STORE_OWN ? l.rlim_cur - STORE_OWN : STORE_OWN;
}

int keeper_store_open(struct keeper_store *s, struct err *e)
{
	int r;

	*s = (struct keeper_store){ .socket = -1, .theirs = -1, .room = store_room() };
	r = store_pair(s);
	return r ? err_set(e, r, "cannot make sockets for the daemon's keeper: %s", strerror(-r)) : 0;
}

static void store_remove(struct keeper_store *s, struct stored *k)
{
	hash_remove(&s->kept, &k->link);
	close(k->fd);
	free(k);
}

void keeper_store_free(struct keeper_store *s)
{
	struct hash_link *l, *next;

	hash_each(l, next, &s->kept)
		store_remove(s, container(l, struct stored, link));
	if (s->socket >= 0)
		close(s->socket);
	if (s->theirs >= 0)
		close(s->theirs);
	s->socket = s->theirs = -1;
}

static void store_add(struct keeper_store *s, const char *name, int fd)
{
	size_t len = strlen(name);
	struct stored *k = s->kept.n < s->room ? malloc(sizeof(*k) + len + 1) : NULL;

	if (!k) {
		log_error("keeper: no room to keep '%s'", name);
		close(fd);
		return;
	}
	k->fd = fd;
	memcpy(k->name, name, len + 1);
	hash_add(&s->kept, &k->link, k->name, len);
}

static void store_drop(struct keeper_store *s, const char *name)
{
	struct stored *k = hash_owner(hash_find(&s->kept, name, strlen(name)), struct stored, link);

	if (k)
		store_remove(s, k);
}

/* The value of KEY in a message of lines KEY=VALUE, in VALUE; false: there is none. */
static bool store_line(const char *text, const char *key, char *value, size_t room)
{
	size_t n = strlen(key);

	for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (!strncmp(text, key, n) && text[n] == '=') {
			snprintf(value, room, "%.*s", (int)strcspn(text + n + 1, "\n"), text + n + 1);
			return true;
		}
	return false;
}

/* What is not about descriptors is also for who has started us. */
static void store_take(struct keeper_store *s, const struct store_message *m)
{
	char name[KEEP_NAME + 16], value[STORE_MESSAGE];
	bool named = store_line(m->text, "FDNAME", name, sizeof(name));

	if (named && m->fd >= 0 && store_line(m->text, "FDSTORE", value, sizeof(value))) {
		store_drop(s, name);
		store_add(s, name, m->fd);
		return;
	}
	if (m->fd >= 0)
		close(m->fd);
	if (named && store_line(m->text, "FDSTOREREMOVE", value, sizeof(value))) {
		store_drop(s, name);
		return;
	}
	if (store_line(m->text, "BARRIER", value, sizeof(value)))
		return;		/* closing the descriptor was the answer */
	s->ready |= store_line(m->text, "READY", value, sizeof(value));
	s->stopping |= store_line(m->text, "STOPPING", value, sizeof(value));
	sd_notify(0, m->text);
}

/* The whole control message is looked at: descriptors that are not closed would stay. */
static void store_rights(struct msghdr *h, struct store_message *m)
{
	struct ucred who;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&who, CMSG_DATA(c), sizeof(who));
			m->from = who.pid;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			memcpy(&m->fd, CMSG_DATA(c), sizeof(m->fd));
		}
}

/* Room for one descriptor only: the kernel closes the others. */
static bool store_receive(struct keeper_store *s, struct store_message *m)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { m->text, sizeof(m->text) - 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	do
		n = recvmsg(s->socket, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	m->text[n] = '\0';
	m->from = 0;
	m->fd = -1;
	store_rights(&h, m);
	return true;
}

void keeper_store_hear(struct keeper_store *s, pid_t daemon)
{
	struct store_message m;

	while (store_receive(s, &m))
		if (m.from == daemon)
			store_take(s, &m);
		else if (m.fd >= 0)
			close(m.fd);
}

static void store_environment(const struct keeper_store *s)
{
	char number[24];

	snprintf(number, sizeof(number), "fd:%d", s->theirs);
	setenv("NOTIFY_SOCKET", number, 1);
	snprintf(number, sizeof(number), "%lu", s->room);
	setenv("FDSTORE", number, 1);
	snprintf(number, sizeof(number), "%ld", (long)getpid());
	if (getenv("WATCHDOG_PID"))
		setenv("WATCHDOG_PID", number, 1);
}

int keeper_store_pass(struct keeper_store *s, struct err *e)
{
	struct hash_link *l, *next;
	int r = 0;

	close(s->socket);
	s->socket = -1;
	store_environment(s);
	hash_each(l, next, &s->kept) {
		struct stored *k = container(l, struct stored, link);

		hash_remove(&s->kept, &k->link);
		if (!r)
			r = keep_adopt(k->name, k->fd, e);
		free(k);
	}
	return r;
}
