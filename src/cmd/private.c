/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See private.h. The daemon is a fork of this process, so that the program is not loaded again; so is its keeper, in
 * between. They create and remove their directory themselves, because they outlive this process if that is killed.
 */
#include "cmd/private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/keeper.h"
#include "cmd/serve.h"
#include "cmd/start.h"
#include "cmd/state_dir.h"
#include "core/world.h"

struct private_daemon {
	struct serve_opts o;
	bool kept;		/* it has a keeper */
	char directory[PATHS_MAX], control[PATHS_MAX], log[PATHS_MAX + 4], nbd[PATHS_MAX + 4], lock[PATHS_MAX + 5], state[PATHS_MAX + 6];
};

/* From now on messages go to a log, also those of later daemons. */
static void private_log(const struct private_daemon *d)
{
	int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (log < 0)
		return;
	dup2(log, STDERR_FILENO);
	close(log);
}

/* Reports the socket's path to the process that started it. */
static void private_tell(const struct private_daemon *d)
{
	if (write(d->o.life, d->control, strlen(d->control)) < 0)
		log_warn("the process that started this daemon has exited");
}

static void private_ready(void *arg)
{
	const struct private_daemon *d = arg;

	if (!d->o.death)
		private_log(d);
	if (!d->kept)
		private_tell(d);
}

/* In the keeper. */
static void private_kept_ready(void *arg)
{
	private_log(arg);
	private_tell(arg);
}

static int private_daemon(void *arg, const char *death)
{
	struct private_daemon *d = arg;

	d->o.death = death;
	return serve(&d->o);
}

/* The daemon keeps nothing of the caller's. */
static void private_leave(int life)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	prctl(PR_SET_NAME, "dmuse-private");
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (life > 3)
		close_range(3, (unsigned)life - 1, 0);
	close_range((unsigned)life + 1, ~0u, 0);
	start_forget_environment();
	umask(077);
	if (chdir("/"))
		return;
}

static int private_directory(char directory[PATHS_MAX])
{
	const char *tmp = getenv("TMPDIR");
	int n = snprintf(directory, PATHS_MAX, "%s/dmuse-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");

	if (n + sizeof("/control.lock") > PATHS_MAX)
		snprintf(directory, PATHS_MAX, "/tmp/dmuse-XXXXXX");
	if (mkdtemp(directory))
		return 0;
	log_error("cannot create a directory %s for a daemon: %s", directory, strerror(errno));
	return -1;
}

static void private_paths(struct private_daemon *d)
{
	snprintf(d->control, sizeof(d->control), "%.90s/control", d->directory);
	snprintf(d->lock, sizeof(d->lock), "%s.lock", d->control);
	snprintf(d->log, sizeof(d->log), "%s/log", d->directory);
	snprintf(d->nbd, sizeof(d->nbd), "%s/nbd", d->directory);
	snprintf(d->state, sizeof(d->state), "%s/" STATE_FILE, d->directory);
}

/* Those of a daemon that was killed. */
static void private_remove(void *arg)
{
	const struct private_daemon *d = arg;

	unlink(d->control);
	unlink(d->lock);
	unlink(d->nbd);
	unlink(d->state);
}

static int private_run(struct private_daemon *d, unsigned restart)
{
	const struct keeper_opts o = { .serve = private_daemon, .ready = private_kept_ready, .give_up = private_remove, .arg = d,
				      .patience = restart };

	d->kept = o.patience;
	d->o.state = d->kept ? d->state : NULL;		/* nobody else would start another one */
	return d->kept ? keeper_run(&o) : serve(&d->o);
}

static _Noreturn void private_serve(int life, struct private_times times)
{
	struct private_daemon d = { .o = {
		.control = { .path = d.control, .fd = -1, .handshake = NBD_HANDSHAKE },
		.nbd = { .unix_path = d.nbd, .unix_fd = -1, .handshake = NBD_HANDSHAKE }, .nbd_wanted = true,
		.ready = private_ready, .arg = &d, .life = life,
		.stop_timeout = times.stop, .open_timeout = times.open,
	} };
	pid_t us = getpid();
	int code;

	private_leave(life);
	log_set_level(LOG_LEVEL_WARN);
	if (private_directory(d.directory))
		_exit(1);
	private_paths(&d);
	code = private_run(&d, times.restart);
	if (getpid() != us)
		_exit(code);
	unlink(d.log);
	rmdir(d.directory);
	_exit(code);
}

static int private_fork(struct private *p, int fds[2], struct private_times times, struct err *e)
{
	fflush(stdout);
	p->pid = fork();
	if (!p->pid)
		private_serve(fds[1], times);
	close(fds[1]);
	if (p->pid > 0) {
		p->life = fds[0];
		return 0;
	}
	close(fds[0]);
	p->pid = 0;
	return err_set(e, -errno, "cannot start a daemon: %s", strerror(errno));
}

int private_start(struct private *p, struct private_times times, struct err *e)
{
	int fds[2], r;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(e, -errno, "cannot start a daemon: %s", strerror(errno));
	r = private_fork(p, fds, times, e);
	if (r)
		return r;
	do
		n = read(p->life, p->control, sizeof(p->control) - 1);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		p->control[n] = '\0';
		return 0;
	}
	private_end(p);
	return err_set(e, -EIO, "no daemon is running, and a private daemon did not start");
}

static volatile sig_atomic_t private_pid;

static void private_end_session(int signal)
{
	int saved = errno;

	(void)signal;
	if (private_pid)
		kill(private_pid, SIGTERM);
	errno = saved;
}

/* Signals until now were for the program. */
void private_end_on_signals(const struct private *p)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction ours = { .sa_handler = private_end_session, .sa_flags = SA_RESTART };
	const struct timespec now = { 0, 0 };
	sigset_t set;
	size_t i;

	private_pid = p->pid;
	sigemptyset(&set);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &ours, NULL);
	}
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void private_end(struct private *p)
{
	if (!p->pid)
		return;
	close(p->life);
	private_pid = 0;
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
}
