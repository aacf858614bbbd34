/* SPDX-License-Identifier: BSD-2-Clause */
/* See run.h. The filter's listener goes from the program's process to the supervisor's before anything can be trapped. */
#include "session/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/piece.h"
#include "session/relay.h"
#include "session/supervisor.h"
#include "session/wire.h"

/* The supervisor's process. */
static _Noreturn void run_supervise(const struct run *r, int socket)
{
	const struct supervisor_opts opts = { .dm_major = r->major, .user_namespace = r->join->user_ns };
	struct wire m = { .kind = WIRE_SERVED };
	int listener;

	setsid();
	prctl(PR_SET_NAME, "dmuse-supervise");
	if (join_enter(r->join, "/", &m.err))
		m.kind = WIRE_FAILED;
	if (wire_send(socket, &m, -1) || m.kind == WIRE_FAILED)
		_exit(RUN_FAILED);
	if (wire_receive(socket, &m, &listener) || listener < 0 || wire_send(socket, &m, -1))
		_exit(0);	/* the program did not come so far */
	_exit(supervisor_serve(listener, &opts) ? RUN_FAILED : 0);
}

/* Its process hears from the supervisor's that it is there, then that it has the listener. */
static int run_hear(int socket, struct err *e)
{
	struct wire m;
	int none;

	if (wire_receive(socket, &m, &none))
		return err_set(e, -EPIPE, "the supervisor ended before the program began");
	if (m.kind == WIRE_FAILED)
		*e = m.err;
	return e->code;
}

static int run_filter(int socket, struct err *e)
{
	struct wire m = { .kind = WIRE_MOUNTED };
	int listener;

	if (run_hear(socket, e))
		return e->code;
	listener = supervisor_filter();
	if (listener == -EBUSY)
		return 0;	/* of a session already, and somebody has hidden that from us */
	if (listener < 0)
		return piece_lacks(PIECE_SECCOMP, listener, e);
	if (wire_send(socket, &m, listener))
		return err_set(e, -EPIPE, "the supervisor ended before the program began");
	close(listener);
	return run_hear(socket, e);
}

static int run_go_in(const struct run *r, int socket, struct err *e)
{
	int code = r->join ? join_enter(r->join, r->cwd, e) : 0;

	if (!code && r->inside)
		code = r->inside(r->arg, e);
	if (!code && r->join)
		code = run_filter(socket, e);
	return code;
}

/* The program's process. */
static _Noreturn void run_become(const struct run *r, int socket, pid_t parent, const sigset_t *mask)
{
	struct err e = ERR_INIT;
	int code;

	if (run_go_in(r, socket, &e)) {
		r->say("%s", e.text);
		_exit(RUN_FAILED);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* who kills us means it */
	if (getppid() != parent)
		_exit(RUN_FAILED);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(r->argv[0], r->argv);
	code = errno == ENOENT ? RUN_MISSING : RUN_CANNOT;
	r->say("%s: %s", r->argv[0], strerror(errno));
	_exit(code);
}

/* What the program alone is to hold open: whoever reads from it waits for its end, not ours. */
static void run_let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

static pid_t run_fork(const struct run *r, int fds[2], const sigset_t *mask)
{
	pid_t us = getpid(), supervisor = 0, program;

	if (r->join && !(supervisor = fork())) {
		close(fds[0]);
		run_supervise(r, fds[1]);
	}
	if (supervisor < 0)
		return supervisor;
	program = fork();
	if (!program) {
		close(fds[1]);
		run_become(r, fds[0], us, mask);
	}
	return program;
}

int run_program(const struct run *r, int *status, struct err *e)
{
	sigset_t mask;
	pid_t program;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(e, -errno, "cannot start a program: %s", strerror(errno));
	relay_begin(&mask);
	program = run_fork(r, fds, &mask);
	if (program < 0)
		err_set(e, -errno, "cannot start a program: %s", strerror(errno));
	close(fds[0]);
	close(fds[1]);
	if (program < 0)
		return e->code;
	run_let_go();
	*status = relay_wait(program);
	return 0;
}

int run_end_like(int status)
{
	const struct rlimit none = { 0, 0 };
	int signal;
	sigset_t one;

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	signal = WTERMSIG(status);
	setrlimit(RLIMIT_CORE, &none);
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	sigemptyset(&one);
	sigaddset(&one, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	return 128 + signal;
}
