/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See run.h. The program's process enters the session, installs the filter and passes its listener to us. We start the
 * supervisor's process, which tells the program's when it is ready. Only then the program is executed.
 */
#include "session/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "session/feature.h"
#include "session/helper.h"
#include "session/relay.h"
#include "session/supervisor.h"
#include "session/wire.h"

#define RUN_REAP_NS 100000000

/* INSIDE: we are in this session already, although that was hidden from us: then its supervisor listens. */
static int run_filter(int socket, bool inside, struct err *e)
{
	struct wire m = { .kind = WIRE_FILTERED };
	int listener = supervisor_filter(), none;

	if (listener == -EBUSY && inside)
		return 0;
	if (listener < 0)
		return feature_fail(FEATURE_SECCOMP, listener, e);
	if (wire_send(socket, &m, listener))
		return err_set(e, -EPIPE, "the parent of the program has exited");
	close(listener);
	if (wire_receive(socket, &m, &none))
		return err_set(e, -EPIPE, "the session's supervisor exited before the program started");
	*e = m.err;
	return e->code;
}

static int run_go_in(const struct run *r, int socket, struct err *e)
{
	bool inside = join_is_anywhere();
	int code = r->join ? join_enter(r->join, r->cwd, e) : 0;

	if (!code && r->inside)
		code = r->inside(r->arg, e);
	if (!code && r->join)
		code = run_filter(socket, inside, e);
	return code;
}

/* The program's process. */
static _Noreturn void run_become(const struct run *r, int socket, pid_t parent, const struct relay_signals *was)
{
	struct err e = ERR_INIT;
	int code;

	relay_restore(was);
	if (run_go_in(r, socket, &e)) {
		r->say("%s", e.text);
		_exit(RUN_FAILED);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* killing us is meant for the program */
	if (getppid() != parent)
		_exit(RUN_FAILED);
	execvp(r->argv[0], r->argv);
	code = errno == ENOENT ? RUN_MISSING : RUN_CANNOT;
	r->say("%s: %s", r->argv[0], strerror(errno));
	_exit(code);
}

/* Without this the supervisor could not answer, and the program would see devices that it cannot open. */
static int run_look_into(pid_t program, struct err *e)
{
	static const char here;		/* at the same address there: both are forks of one process */
	char there;
	int r = process_peek(AT_FDCWD, program, (uint64_t)(uintptr_t)&here, &there, 1);

	return r ? feature_fail(FEATURE_MEMORY, r, e) : 0;
}

/* The supervisor's process. When it fails later, there is nobody left to tell. */
static _Noreturn void run_supervise(const struct run *r, pid_t program, int socket, int listener)
{
	const struct supervisor_opts opts = { .dm_major = r->major, .user_namespace = r->join->user_ns };
	struct wire m = { .kind = WIRE_SERVED };
	int code;

	setsid();
	prctl(PR_SET_NAME, HELPER_SUPERVISOR);
	code = join_enter(r->join, "/", &m.err);
	if (!code)
		code = run_look_into(program, &m.err);
	if (wire_send(socket, &m, -1) || code)
		_exit(RUN_FAILED);
	_exit(supervisor_serve(listener, &opts) ? RUN_FAILED : 0);
}

/* Only the program is to keep these descriptors open: whoever reads from it waits for its end, not ours. */
static void run_let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

/* Waits for the filter of the program's process, and starts its supervisor. */
static void run_give_supervisor(const struct run *r, int socket, struct relay *relay)
{
	struct wire m;

	if (wire_receive(socket, &m, &relay->listener) || relay->listener < 0)
		return;		/* it is supervised already, or has ended */
	relay->supervisor = fork();
	if (!relay->supervisor)
		run_supervise(r, relay->program, socket, relay->listener);
	if (relay->supervisor < 0) {
		close(relay->listener);
		relay->listener = -1;
	}
}

int run_program(const struct run *r, int *status, struct err *e)
{
	struct relay relay = { .listener = -1 };
	pid_t us = getpid();
	struct relay_signals was;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(e, -errno, "cannot start a program: %s", strerror(errno));
	relay_begin(&was);
	relay.program = fork();
	if (!relay.program) {
		close(fds[0]);
		run_become(r, fds[1], us, &was);
	}
	close(fds[1]);
	if (relay.program < 0)
		err_set(e, -errno, "cannot start a program: %s", strerror(errno));
	else
		run_give_supervisor(r, fds[0], &relay);
	close(fds[0]);
	if (e->code)
		return e->code;
	run_let_go();
	*status = relay_wait(&relay);
	return 0;
}

void run_reap(void)
{
	const struct timespec moment = { .tv_nsec = RUN_REAP_NS };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (waitpid(-1, NULL, WNOHANG) == 0 && sigtimedwait(&set, NULL, &moment) > 0)
		;
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
