/* SPDX-License-Identifier: BSD-2-Clause */
/* See signals.h. */
#include "cmd/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/keep.h"

/*
 * A signal for all processes of a service (systemd's KillMode=control-group) comes twice, directly and passed on by our keeper,
 * and counts once. Whoever wants to say something twice says it to the same process.
 */
static bool signals_was_told(struct signals *s, pid_t from)
{
	bool passed_on = from == getppid(), first = !s->told[passed_on];

	s->told[passed_on] = true;
	return keep_is_there() && first && s->told[!passed_on];
}

/* SIGHUP is ignored: there is no file to read again, and a closed terminal must not take disks away. */
static void signals_came(struct loop_watch *watch, uint32_t events)
{
	struct signals *s = container(watch, struct signals, watch);
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGHUP)
		return;
	if (!signals_was_told(s, (pid_t)info.ssi_pid))
		s->end(s, (int)info.ssi_signo);
}

int signals_begin(struct signals *s, struct loop *l, struct err *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a limit of the size of files (ulimit -f) fails requests, not the daemon */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->watch.ready = signals_came;
	s->watch.events = EPOLLIN;
	s->watch.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->watch.fd < 0 || loop_watch(l, &s->watch))
		return err_set(e, -errno, "cannot watch for signals: %s", strerror(errno));
	return 0;
}

void signals_leave(int number)
{
	kill(getpid(), number);
}

void signals_take_back(int number)
{
	const struct timespec now = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigtimedwait(&set, NULL, &now);
}

void signals_end(struct signals *s)
{
	if (s->watch.fd >= 0)
		close(s->watch.fd);
	s->watch.fd = -1;
}
