/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse exec, dmuse shell: runs a program in a session of the running daemon, or else of a private one, which ends with
 * it. Inside a session only --disk and --create are carried out, and the program is run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/inside.h"
#include "cmd/keeper.h"
#include "cmd/keys.h"
#include "cmd/private.h"
#include "cmd/say.h"
#include "cmd/serve.h"
#include "cmd/setup.h"
#include "core/world.h"
#include "session/probe.h"
#include "session/run.h"

struct exec {
	struct job *job;
	struct private own;
	struct join join;
	uint32_t major;
	bool nested;
	char *cwd, *control;
};

static int exec_find_daemon(struct exec *x)
{
	uint64_t stop = SERVE_STOP_TIMEOUT, open = DM_OPEN_TIMEOUT;
	struct err e = ERR_INIT;
	unsigned restart;
	bool found;
	int code;

	if (options_number(&x->job->o, OPT_stop_timeout, SERVE_STOP_TIMEOUT_MAX, &stop, &e) ||
	    options_number(&x->job->o, OPT_open_timeout, SERVE_OPEN_TIMEOUT_MAX, &open, &e) ||
	    keeper_wanted(&x->job->o, &restart, &e))
		return job_failed(x->job, NULL, &e);
	code = client_look(x->job, &found);
	if (code || found)
		return code;
	if (private_start(&x->own, (struct private_times){ (unsigned)stop, (unsigned)open, restart }, &e))
		return job_failed(x->job, NULL, &e);
	return client_open_on(x->job, x->own.control);
}

static plist_t exec_session_request(void)
{
	plist_t request = request_new("session", NULL);
	char ns[64];
	ssize_t n = readlink("/proc/self/ns/mnt", ns, sizeof(ns) - 1);

	if (n >= 0) {
		ns[n] = '\0';
		key_set_text(request, "mount_ns", ns);
	}
	return request;
}

/* If the machine lacks something that sessions need, says so in the words of `dmuse doctor`. */
static int exec_ask_session(struct exec *x, plist_t *reply, struct err *e)
{
	struct err missing = ERR_INIT;
	int r = client_try(x->job, NULL, exec_session_request(), reply, e);

	if (r && r != -EXDEV && r != -ESHUTDOWN && feature_missing(&missing))
		*e = missing;
	return r;
}

static int exec_find_session(struct exec *x, struct err *e)
{
	plist_t reply, session;
	int r = exec_ask_session(x, &reply, e);

	if (r)
		return r;
	session = plist_dict_get_item(reply, "session");
	x->major = (uint32_t)key_u64(session, "major");
	r = join_find(&x->join, (pid_t)key_u64(session, "pid"), key_text(session, "mount_ns"),
		      plist_bool(plist_dict_get_item(session, "user_ns")), e);
	plist_free(reply);
	return r;
}

/* DMUSE_SESSION was set by the process that installed the supervisor. */
static int exec_session(struct exec *x)
{
	const char *in = getenv("DMUSE_SESSION");
	struct err e = ERR_INIT;
	int r = exec_find_session(x, &e);

	if (!r && join_is_anywhere() && !join_is_here(&x->join))
		r = err_set(&e, -EBUSY, "already in a session of another daemon: leave it first");
	if (!r && !(x->cwd = getcwd(NULL, 0)))
		r = err_set(&e, -errno, "cannot get the working directory: %s", strerror(errno));
	if (!r && !(x->control = paths_absolute(client_path(x->job), &e)))
		r = e.code;
	if (r)
		return job_failed(x->job, NULL, &e);
	x->nested = in && join_is_here(&x->join) && !strcmp(in, x->join.mount_ns);
	return EXIT_OK;
}

static int exec_inside(void *arg, struct err *e)
{
	struct exec *x = arg;
	int r = inside_prepare(x->control, x->join.mount_ns, e);

	return !r && x->job->o.given[OPT_netbsd] ? inside_netbsd(e) : r;
}

/* The program's status, or as if this process had ended with RUN_FAILED. */
static int exec_run(struct exec *x, char *const *argv)
{
	const struct run run = { .argv = argv, .join = x->nested ? NULL : &x->join, .cwd = x->cwd, .major = x->major, .inside = exec_inside,
				 .arg = x, .say = say_error };
	struct err e = ERR_INIT;
	int status = RUN_FAILED << 8;

	x->job->answered = true;	/* stdout belongs to the program */
	if (run_program(&run, &status, &e))
		job_failed(x->job, NULL, &e);
	return status;
}

/*
 * What was written is safe when the private daemon has ended, which may have to wait for programs that were left
 * behind. A signal ends that wait.
 */
static int exec_end_own(struct exec *x, int status)
{
	private_end_on_signals(&x->own);
	x->job->quiet = true;		/* programs that are left behind do not use anything they could lose */
	if (x->job->client && client_ask(x->job, NULL, request_new("shutdown", NULL), NULL))
		status = RUN_FAILED << 8;
	private_end(&x->own);
	run_reap();
	return status;
}

static int exec_all(struct exec *x, char *const *argv)
{
	int status = RUN_FAILED << 8;

	if (!exec_find_daemon(x) && !exec_session(x) && !setup_begin(x->job)) {
		status = exec_run(x, argv);
		if (!x->own.pid)
			setup_end(x->job);
	}
	if (x->own.pid)
		status = exec_end_own(x, status);
	return status;
}

/* Streams that the caller has closed are closed for the program too, but must not be replaced by descriptors of ours. */
static void exec_keep_streams(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd >= 0)
		close(fd);
}

static int exec_program(struct job *j, char *const *argv)
{
	struct exec x = { .job = j, .join.pidfd = -1 };
	int status;

	exec_keep_streams();
	status = exec_all(&x, argv);
	join_free(&x.join);
	free(x.cwd);
	free(x.control);
	return run_end_like(status);
}

int command_exec(struct job *j)
{
	if (j->argc)
		return exec_program(j, j->argv);
	job_usage(j, "which program?");
	return RUN_FAILED;
}

int command_shell(struct job *j)
{
	const char *shell = getenv("SHELL");
	char *argv[] = { say_need(strdup(shell && *shell ? shell : "/bin/sh")), NULL };
	int code;

	if (j->argc) {
		free(argv[0]);
		job_usage(j, "unexpected word '%s'; `dmuse exec` runs a program", j->argv[0]);
		return RUN_FAILED;
	}
	code = exec_program(j, argv);
	free(argv[0]);
	return code;
}
