/* SPDX-License-Identifier: BSD-2-Clause */
/* The holder of an earlier daemon's session, of which the next daemon has a socket that was kept, and a number. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/keep.h"
#include "session/sessions_holder.h"

#define ENDED_BY_ITSELF 7

/* A process that has the other end of a socket, and ends when that is written to or closed. */
struct other {
	pid_t pid;
	int socket;
};

static void other_begin(struct other *o)
{
	int fds[2];
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	o->pid = fork();
	assert_true(o->pid >= 0);
	if (!o->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		while (read(fds[1], &c, 1) < 0)
			;
		_exit(ENDED_BY_ITSELF);
	}
	close(fds[1]);
	o->socket = fds[0];
}

/* FD was kept as the socket of the holder PID. */
static void kept(pid_t pid, int fd)
{
	struct err e = ERR_INIT;
	char name[40];

	snprintf(name, sizeof(name), "holder:%ld:1", (long)pid);
	assert_int_equal(keep_inherit(name, fd, &e), 0);
}

static unsigned descriptors(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void one_that_runs_is_found_and_ended(void **state)
{
	struct sessions_holder *h;
	struct other o;
	bool user_ns = false;

	(void)state;
	other_begin(&o);
	kept(o.pid, o.socket);
	h = sessions_holder_resume(NULL, &user_ns);
	assert_non_null(h);
	assert_int_equal(h->pid, o.pid);
	assert_true(user_ns);
	assert_false(sessions_holder_is_dead(h));
	kill(o.pid, SIGSTOP);	/* so that it does not end because of its socket */
	sessions_holder_kill(h);
	sessions_holder_free(h, NULL);
	assert_int_equal(waitpid(o.pid, NULL, 0), -1);		/* nothing is left of it, though it was a child */
	assert_int_equal(errno, ECHILD);
}

/* The holder's end of the socket is closed, and another process has its number. */
static void another_with_its_number_is_left_alone(void **state)
{
	struct other o;
	bool user_ns;
	unsigned before;
	int fds[2], status;

	(void)state;
	other_begin(&o);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	close(fds[1]);
	before = descriptors();
	kept(o.pid, fds[0]);
	assert_null(sessions_holder_resume(NULL, &user_ns));
	assert_int_equal(descriptors(), before - 1);
	assert_int_equal(write(o.socket, "x", 1), 1);
	close(o.socket);
	assert_int_equal(waitpid(o.pid, &status, 0), o.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == ENDED_BY_ITSELF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_runs_is_found_and_ended),
		cmocka_unit_test(another_with_its_number_is_left_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
