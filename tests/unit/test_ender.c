/* SPDX-License-Identifier: BSD-2-Clause */
/* The ender alone: it kills processes and unmounts file systems, so it must be certain that there was a session. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/ender.h"
#include "session/ender_parts.h"
#include "session/helper.h"
#include "session/holder.h"
#include "session/wire.h"
#include "support/place.h"

/*
 * A bystander: in a mount namespace of its own, with a /dev of its own and a file system on /tmp that it uses, like a
 * program of a session. Its pid, or 0 if that is not possible here.
 */
static pid_t bystander(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/dev", "tmpfs", 0, NULL) || mount("none", "/tmp", "tmpfs", 0, NULL) || chdir("/tmp"))
			_exit(1);
		close(ready[0]);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ready[0]);
	return pid;
}

/* The ender's report at the end of the "session" of process PID, which has no time to end by itself. */
static struct wire ended(pid_t pid)
{
	struct wire m = { .kind = WIRE_END };
	int ends[2], ns, fd;
	char path[64];
	pid_t ender;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(ns >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	ender = fork();
	if (!ender) {
		dup2(ends[1], HOLDER_FD);
		close_range(HOLDER_FD + 1, ~0U, 0);
		_exit(ender_main());
	}
	close(ends[1]);
	assert_int_equal(wire_send(ends[0], &m, ns), 0);
	assert_int_equal(wire_receive(ends[0], &m, &fd), 0);
	assert_int_equal(waitpid(ender, NULL, 0), ender);
	close(ends[0]);
	close(ns);
	return m;
}

static bool is_mounted(pid_t pid, const char *where)
{
	char path[64], line[1024], wanted[64];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	snprintf(wanted, sizeof(wanted), " / %s ", where);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, wanted) && strstr(line, " - tmpfs none ");
	if (f)
		fclose(f);
	return found;
}

/* As in a chroot: entering its mount namespace leads to the root of that, which is the machine's, and not a session's. */
static void where_no_session_is_nothing_is_ended(void **state)
{
	pid_t pid = geteuid() ? 0 : bystander();
	struct wire m;

	(void)state;
	if (!pid) {
		print_message("# skip: no mount namespace can be made here\n");
		skip();
	}
#ifdef __SANITIZE_THREAD__
	print_message("# skip: the sanitizer has a thread, and only a process without others may enter a user namespace\n");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	skip();
#endif
	m = ended(pid);
	assert_int_equal(m.kind, WIRE_ENDED);
	assert_int_equal(m.err.code, -ENOENT);
	assert_string_equal(m.err.text, "the session's /dev does not respond: No such file or directory");
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_true(is_mounted(pid, "/dev") && is_mounted(pid, "/tmp"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static pid_t child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

static int signalled(struct ender *x, const struct user *u)
{
	int status;

	ender_signal_user(x, u, SIGTERM);
	kill(u->pid, SIGKILL);
	assert_int_equal(waitpid(u->pid, &status, 0), u->pid);
	return WTERMSIG(status);
}

/* A process that used a device has ended since it was seen, and another one has its number. */
static void a_number_that_was_reused_is_not_signalled(void **state)
{
	struct ender x = { .view = (dev_t)-1 };
	struct user u = { .kind = USER_DATA };
	ssize_t n = readlink("/proc/self/ns/mnt", x.ns, sizeof(x.ns) - 1);

	(void)state;
	assert_true(n > 0);
	u.pid = child();
	assert_int_equal(signalled(&x, &u), SIGKILL);	/* of the session, but not what was seen */
	u = (struct user){ .pid = child(), .kind = USER_IDLE };
	assert_int_equal(signalled(&x, &u), SIGTERM);
	memcpy(x.machine_ns, x.ns, sizeof(x.ns));
	u.pid = child();
	assert_int_equal(signalled(&x, &u), SIGKILL);	/* of the machine */
	ender_signal_user(&x, &u, SIGTERM);		/* there is no such process */
}

#define SAYS_AND_STOPS "printf x; kill -STOP $$"

/* A process that has said "x" on a pipe, and waits: this program under NAME, or what ARGV says. */
static pid_t named(const char *name, char *const argv[])
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		dup2(ready[1], STDOUT_FILENO);
		if (argv)
			execv(argv[0], argv);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static bool is_helper(pid_t pid)
{
	char path[64];
	bool is;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	is = helper_is(fd);
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return is;
}

/* The name alone is not enough, and neither is the file: the one that is run may be that of an earlier program. */
static void processes_of_dmuse_are_known_by_name_and_file(void **state)
{
	static char before[PLACE_PATH], script[PLACE_PATH];
	char *as_before[] = { before, (char[]){ "-c" }, (char[]){ "printf " HELPER_HOLDER " >/proc/$$/comm; " SAYS_AND_STOPS }, NULL };
	char *as_script[] = { script, NULL };

	(void)state;
	place_begin();
	place_path(script, HELPER_HOLDER);
	place_path(before, "dmuse-before");
	assert_true(place_run("echo '#!/bin/sh' >" HELPER_HOLDER "; echo '" SAYS_AND_STOPS "' >>" HELPER_HOLDER "; chmod 755 " HELPER_HOLDER
			      "; cp /bin/sh dmuse-before"));
	assert_true(is_helper(named(HELPER_SUPERVISOR, NULL)));
	assert_true(is_helper(named("", as_before)));
	assert_false(is_helper(named("", as_script)));
	assert_false(is_helper(named("other", NULL)));
	place_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_no_session_is_nothing_is_ended),
		cmocka_unit_test(a_number_that_was_reused_is_not_signalled),
		cmocka_unit_test(processes_of_dmuse_are_known_by_name_and_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
