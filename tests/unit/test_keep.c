/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that outlive the daemon (base/keep.c). The test is the service manager: it has the socket of
 * NOTIFY_SOCKET, and passes descriptors to a child as systemd does.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/keep.h"
#include "support/manager.h"

#define FIRST 3		/* the descriptor from which on they are passed */

static int begin(void **state)
{
	struct manager *m = calloc(1, sizeof(*m));

	manager_begin(m, "3");
	*state = m;
	return 0;
}

static int end(void **state)
{
	struct manager *m = *state;

	keep_drop("a");
	keep_drop("b");
	keep_drop("memory:1");
	manager_end(m);
	free(m);
	return 0;
}

static bool same(int a, int b)
{
	struct stat one, two;

	return !fstat(a, &one) && !fstat(b, &two) && one.st_ino == two.st_ino && one.st_dev == two.st_dev;
}

static void keep(const char *name, int fd)
{
	struct err e = ERR_INIT;

	if (keep_fd(name, fd, &e))
		fail_msg("%s", e.text);
}

static void a_copy_is_sent_with_its_name(void **state)
{
	struct manager *m = *state;
	int fd = memfd_create("x", MFD_CLOEXEC);

	assert_true(keep_is_there());
	keep("memory:1", fd);
	assert_string_equal(manager_hear(m), "FDSTORE=1\nFDNAME=keep.memory+1\nFDPOLL=0");
	assert_true(same(m->fd, fd));
	assert_int_equal(keep_take("memory:1"), -1);	/* only a later daemon may */
	keep_drop("memory:1");
	assert_string_equal(manager_hear(m), "FDSTOREREMOVE=1\nFDNAME=keep.memory+1");
	keep_drop("memory:1");
	assert_string_equal(manager_hear(m), "");
	close(fd);
}

/* systemd would keep both under the same name. */
static void what_is_kept_again_replaces_what_was(void **state)
{
	struct manager *m = *state;

	keep("a", 0);
	manager_hear(m);
	keep("a", 1);
	assert_string_equal(manager_hear(m), "FDSTOREREMOVE=1\nFDNAME=keep.a");
	assert_string_equal(manager_hear(m), "FDSTORE=1\nFDNAME=keep.a\nFDPOLL=0");
}

static void refused(const char *name, int fd, int code, const char *part)
{
	struct err e = ERR_INIT;

	assert_int_equal(keep_fd(name, fd, &e), code);
	if (!strstr(e.text, part))
		fail_msg("'%s' does not say '%s'", e.text, part);
}

static void what_cannot_be_kept_is_said(void **state)
{
	struct manager *m = *state;
	char longer[KEEP_NAME + 2];

	memset(longer, 'x', sizeof(longer));
	longer[KEEP_NAME + 1] = '\0';
	refused(longer, 0, -EINVAL, "at most 200 of");
	refused("", 0, -EINVAL, "a name has");
	refused("a+b", 0, -EINVAL, "'a+b'");
	refused("a\nb", 0, -EINVAL, "a name has");
	refused("a", -1, -EBADF, "'a' cannot be kept for the time after this daemon: ");
	longer[KEEP_NAME] = '\0';
	keep(longer, 0);
	keep("a", 0);
	keep("b", 0);
	refused("c", 0, -ENOSPC, "room for 3 descriptors only");
	keep("b", 0);		/* instead of the other */
	keep_drop(longer);
	close(m->socket);
	m->socket = -1;
	refused("c", 0, -ECONNREFUSED, "'c' cannot be kept");
}

static void without_a_keeper_nothing_is_kept(void **state)
{
	struct manager *m = *state;

	unsetenv("FDSTORE");	/* systemd without FileDescriptorStoreMax= */
	assert_false(keep_is_there());
	keep("a", 0);
	setenv("FDSTORE", "0", 1);
	keep("a", 0);
	setenv("FDSTORE", "3", 1);
	unsetenv("NOTIFY_SOCKET");
	assert_false(keep_is_there());
	keep("a", 0);
	assert_string_equal(manager_hear(m), "");
}

struct seen {
	char names[200];
	int fd;
};

static int see_passed(void *arg, int fd, const char *name, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	strcat(strcat(s->names, name), " ");
	s->fd = fd;
	return 0;
}

static int refuse_passed(void *arg, int fd, const char *name, struct err *e)
{
	see_passed(arg, fd, name, e);
	close(fd);
	return err_set(e, -EINVAL, "no");
}

static void see_kept(void *arg, const char *name)
{
	struct seen *s = arg;

	strcat(strcat(s->names, name), " ");
	s->fd = keep_take(name);
}

/* The successor's process, to which N descriptors are passed. Returns what check() does, which cannot assert there. */
static int successor(const char *names, int n, const int *fds, int (*check)(void))
{
	char text[20];
	int status, i;
	pid_t pid = fork();

	if (!pid) {
		for (i = 0; i < n; i++)
			dup2(fds[i], 100 + i);
		for (i = 0; i < n; i++)
			dup2(100 + i, FIRST + i);
		snprintf(text, sizeof(text), "%d", (int)getpid());
		setenv("LISTEN_PID", text, 1);
		snprintf(text, sizeof(text), "%d", n);
		setenv("LISTEN_FDS", text, 1);
		setenv("LISTEN_FDNAMES", names, 1);
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The line that fails, or 0. */
#define CHECK(c) do { if (!(c)) return __LINE__ % 255 + 1; } while (0)

/* To a program that this process becomes: what is kept is passed on, also if it was taken, or closed here since. */
static int hand_on(void)
{
	struct text t = TEXT_INIT;
	const char *line;
	int fd;

	close(FIRST);
	keep_hand_over(&t);
	line = strstr(text_str(&t), " memory:7\n");
	CHECK(line && strstr(text_str(&t), " fuse:1\n") && !strstr(text_str(&t), "left"));
	while (line > t.s && line[-1] != ' ')
		line--;
	fd = atoi(line);
	CHECK(fd > FIRST && fcntl(fd, F_GETFD) == 0);
	keep_hand_back();
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	text_free(&t);
	return 0;
}

static int take_all(void)
{
	struct seen s = { .fd = -1 };
	struct err e = ERR_INIT;
	int fd;

	CHECK(keep_begin(see_passed, &s, &e) == 0);
	CHECK(!strcmp(s.names, "control ") && s.fd == FIRST + 1 && !getenv("LISTEN_FDS"));
	CHECK(fcntl(FIRST, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(FIRST + 4, F_GETFD) < 0);		/* a second one of the same name */
	fd = keep_take("memory:7");
	CHECK(fd == FIRST && keep_take("memory:7") == -1 && keep_take("control") == -1);
	s.names[0] = '\0';
	keep_each("fuse:", see_kept, &s);
	CHECK(!strcmp(s.names, "fuse:1 ") && s.fd == FIRST + 2);
	keep_rest();
	CHECK(fcntl(FIRST + 3, F_GETFD) < 0 && fcntl(FIRST + 2, F_GETFD) >= 0);
	s.names[0] = '\0';
	keep_each("", see_kept, &s);
	CHECK(!*s.names);
	CHECK(!hand_on());
	keep_drop("memory:7");
	return 0;
}

static void a_successor_takes_what_was_kept(void **state)
{
	struct manager *m = *state;
	const int fds[] = { 0, 1, 2, 0, 1 };

	assert_int_equal(successor("keep.memory+7:control:keep.fuse+1:keep.left:keep.fuse+1", 5, fds, take_all), 0);
	assert_string_equal(manager_hear(m), "FDSTOREREMOVE=1\nFDNAME=keep.left");
	assert_string_equal(manager_hear(m), "FDSTOREREMOVE=1\nFDNAME=keep.memory+7");
	assert_string_equal(manager_hear(m), "");
}

static int be_refused(void)
{
	struct seen s = { .fd = -1 };
	struct err e = ERR_INIT;

	CHECK(keep_begin(refuse_passed, &s, &e) == -EINVAL && !strcmp(e.text, "no") && !strcmp(s.names, "one "));
	CHECK(fcntl(FIRST, F_GETFD) < 0 && fcntl(FIRST + 1, F_GETFD) < 0);
	return 0;
}

static void after_a_failure_no_descriptor_is_open(void **state)
{
	(void)state;
	assert_int_equal(successor("one:two", 2, (const int[]){ 0, 1 }, be_refused), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_copy_is_sent_with_its_name),
		T(what_is_kept_again_replaces_what_was),
		T(what_cannot_be_kept_is_said),
		T(without_a_keeper_nothing_is_kept),
		T(a_successor_takes_what_was_kept),
		T(after_a_failure_no_descriptor_is_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
