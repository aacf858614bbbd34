/* SPDX-License-Identifier: BSD-2-Clause */
/* See sessions_holder.h. */
#include "session/sessions_holder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/log.h"
#include "session/helper.h"
#include "session/holder.h"

#define HOLDER_KEPT "holder:"	/* PID:USER_NS follow */

static struct sessions_holder *holder_new(struct sessions *s, pid_t pid, int socket)
{
	struct sessions_holder *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	list_init(&h->node);
	h->sessions = s;
	h->pid = pid;
	h->socket = socket;
	h->end.fd = -1;
	return h;
}

static void holder_open(struct sessions_holder *h)
{
	h->end = (struct loop_watch){ .fd = (int)syscall(SYS_pidfd_open, h->pid, 0), .events = EPOLLIN };
}

int sessions_holder_start(struct sessions_holder **out, struct sessions *s)
{
	int fds[2], r = -ENOMEM;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	*out = holder_new(s, 0, fds[0]);
	if (*out)
		r = helper_spawn(HOLDER_WORD, fds[1], &(*out)->pid);
	close(fds[1]);
	if (r) {
		close(fds[0]);
		free(*out);
		return r;
	}
	(*out)->ours = true;
	holder_open(*out);
	return 0;
}

/* Without, the session ends with this daemon, as it does where nobody keeps anything. */
void sessions_holder_keep(struct sessions_holder *h, bool user_ns)
{
	struct err e = ERR_INIT;

	snprintf(h->kept, sizeof(h->kept), HOLDER_KEPT "%ld:%d", (long)h->pid, user_ns);
	if (!keep_fd(h->kept, h->socket, &e))
		return;
	log_warn("the session would end if the daemon died: %s", e.text);
	h->kept[0] = '\0';
}

struct holder_found {
	struct sessions *sessions;
	struct sessions_holder *holder;
	bool user_ns;
};

/* While its socket is open it runs. So the process that had its number before this was asked is no other. */
static bool holder_runs(const struct sessions_holder *h)
{
	struct pollfd p = { .fd = h->socket, .events = POLLIN };

	return h->end.fd >= 0 && poll(&p, 1, 0) == 0;
}

/* It has ended, or does now that nobody has its socket: its number may be another process's by now. */
static void holder_let_go(struct sessions_holder *h)
{
	if (h->end.fd >= 0)
		close(h->end.fd);
	h->end.fd = -1;
	sessions_holder_kill(h);
	free(h);
}

static void holder_see(void *arg, const char *name)
{
	struct holder_found *found = arg;
	struct sessions_holder *h;
	int pid, user_ns, fd;

	if (found->holder || sscanf(name, HOLDER_KEPT "%d:%d", &pid, &user_ns) != 2)
		return;
	fd = keep_take(name);
	h = holder_new(found->sessions, pid, fd);
	if (!h) {
		close(fd);
		return;
	}
	snprintf(h->kept, sizeof(h->kept), "%s", name);
	holder_open(h);
	found->holder = h;
	found->user_ns = user_ns;
}

struct sessions_holder *sessions_holder_resume(struct sessions *s, bool *user_ns)
{
	struct holder_found found = { .sessions = s };

	keep_each(HOLDER_KEPT, holder_see, &found);
	*user_ns = found.user_ns;
	if (!found.holder || holder_runs(found.holder))
		return found.holder;
	holder_let_go(found.holder);
	return NULL;
}

bool sessions_holder_is_dead(const struct sessions_holder *h)
{
	struct pollfd p = { .fd = h->end.fd, .events = POLLIN };

	return h->end.fd >= 0 && poll(&p, 1, 0) == 1;
}

void sessions_holder_kill(struct sessions_holder *h)
{
	close(h->socket);
	h->socket = -1;
	if (*h->kept)
		keep_drop(h->kept);
	if (h->ours)
		kill(h->pid, SIGKILL);
	else if (h->end.fd >= 0)
		syscall(SYS_pidfd_send_signal, h->end.fd, SIGKILL, NULL, 0);
}

void sessions_holder_free(struct sessions_holder *h, struct loop *loop)
{
	struct pollfd p = { .fd = h->end.fd, .events = POLLIN };

	while (h->ours && waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	while (!h->ours && h->end.fd >= 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	if (!h->ours && h->end.fd >= 0)		/* a child after all, if this process was another program when it was started */
		waitid(P_PIDFD, (id_t)h->end.fd, NULL, WEXITED | WNOHANG);
	if (h->watched)
		loop_unwatch(loop, &h->end);
	if (h->end.fd >= 0)
		close(h->end.fd);
	list_remove(&h->node);
	free(h);
}
