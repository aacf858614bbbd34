/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to a service manager that does not read (base/notify.c): nobody waits for it, and it gets all of them, in order, once it
 * reads. The test is the service manager.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/keep.h"
#include "base/loop.h"
#include "base/notify.h"
#include "support/manager.h"

struct room {
	struct manager manager;
	struct loop *loop;
	unsigned sent;		/* messages that fill the manager's queue */
};

static int begin(void **state)
{
	struct room *x = calloc(1, sizeof(*x));
	struct err e = ERR_INIT;

	manager_begin(&x->manager, "1000");
	assert_int_equal(loop_new(&x->loop, &e), 0);
	notify_loop(x->loop);
	*state = x;
	return 0;
}

static int end(void **state)
{
	struct room *x = *state;

	keep_drop("a");
	keep_drop("b");
	notify_loop(NULL);
	loop_free(x->loop);
	manager_end(&x->manager);
	free(x);
	return 0;
}

/* Until one waits. */
static void fill(struct room *x)
{
	char text[30];

	for (x->sent = 0; !notify_waits(); x->sent++) {
		snprintf(text, sizeof(text), "STATUS=%u", x->sent);
		assert_int_equal(notify_send(text, -1, NULL), 0);
		assert_true(x->sent < 100000);
	}
}

static void hears(struct room *x, const char *wanted)
{
	loop_turn(x->loop, 0);
	assert_string_equal(manager_hear(&x->manager), wanted);
}

static void hears_what_filled(struct room *x)
{
	char text[30];
	unsigned i;

	for (i = 0; i < x->sent; i++) {
		snprintf(text, sizeof(text), "STATUS=%u", i);
		hears(x, text);
	}
}

static ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void what_waits_is_sent_in_order(void **state)
{
	struct room *x = *state;
	struct err e = ERR_INIT;
	int fds[2];
	ino_t wanted;

	fill(x);
	assert_int_equal(pipe(fds), 0);
	wanted = inode_of(fds[0]);
	assert_int_equal(keep_fd("a", fds[0], &e), 0);
	close(fds[0]);		/* it has a copy */
	close(fds[1]);
	assert_int_equal(notify_send("READY=1", -1, NULL), 0);
	hears_what_filled(x);
	hears(x, "FDSTORE=1\nFDNAME=keep.a\nFDPOLL=0");
	assert_int_equal(inode_of(x->manager.fd), wanted);
	hears(x, "READY=1");
	assert_false(notify_waits());
	keep_drop("a");
	hears(x, "FDSTOREREMOVE=1\nFDNAME=keep.a");
	hears(x, "");
}

/* Else a daemon that makes and drops memory beside a keeper that is stopped would collect messages. */
static void what_was_never_sent_is_not_taken_back(void **state)
{
	struct room *x = *state;
	struct err e = ERR_INIT;

	assert_int_equal(keep_fd("b", 0, &e), 0);
	hears(x, "FDSTORE=1\nFDNAME=keep.b\nFDPOLL=0");
	fill(x);
	assert_int_equal(keep_fd("a", 0, &e), 0);
	keep_drop("a");
	keep_drop("b");
	hears_what_filled(x);
	hears(x, "FDSTOREREMOVE=1\nFDNAME=keep.b");
	hears(x, "");
}

static void a_receiver_that_goes_away_is_not_waited_for(void **state)
{
	struct room *x = *state;

	fill(x);
	close(x->manager.socket);
	x->manager.socket = -1;
	loop_turn(x->loop, 0);
	assert_false(notify_waits());
	assert_int_equal(notify_send("STOPPING=1", -1, NULL), -ECONNREFUSED);
}

static void a_barrier_does_not_wait_for_ever(void **state)
{
	struct room *x = *state;

	notify_barrier(1);
	assert_string_equal(manager_hear(&x->manager), "BARRIER=1");
	assert_true(x->manager.fd >= 0);
	fill(x);
	notify_barrier(1000000);	/* who does not read does not answer */
}

static void other_addresses_are_ignored(void **state)
{
	static const char *const addresses[] = { "", "/", "@", "relative/path", "vsock:2:1234", "./x" };
	struct room *x = *state;
	struct err e = ERR_INIT;
	char longer[200];
	size_t i;

	for (i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		setenv("NOTIFY_SOCKET", addresses[i], 1);
		assert_false(notify_is_there() || keep_is_there());
		assert_int_equal(notify_send("READY=1", -1, NULL), -ENOTCONN);
		assert_int_equal(keep_fd("a", 0, &e), 0);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_false(notify_is_there());
	assert_string_equal(manager_hear(&x->manager), "");
}

static void an_abstract_address(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(at);
	char name[120], said[20] = "";
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&at, &len), 0);
	snprintf(name, sizeof(name), "@%.*s", (int)(len - offsetof(struct sockaddr_un, sun_path) - 1), at.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_send("READY=1", -1, NULL), 0);
	assert_int_equal(recv(s, said, sizeof(said), MSG_DONTWAIT), 7);
	assert_string_equal(said, "READY=1");
	close(s);
}

/* What a keeper passes on. Messages wait in the sender's memory, and the receiver may go away. */
static void one_end_of_a_pair(void **state)
{
	struct room *x = *state;
	char name[20], said[20] = "";
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	snprintf(name, sizeof(name), "fd:%d", pair[1]);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_true(notify_is_there());
	fill(x);
	assert_int_equal(recv(pair[0], said, sizeof(said), 0), 8);
	assert_string_equal(said, "STATUS=0");
	while (notify_waits()) {
		while (recv(pair[0], said, sizeof(said), 0) > 0)
			;
		loop_turn(x->loop, 0);
	}
	assert_int_equal(notify_send("READY=1", -1, NULL), 0);
	notify_hand_over(true);
	assert_int_equal(fcntl(pair[1], F_GETFD), 0);
	notify_hand_over(false);
	assert_int_equal(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
	close(pair[0]);
	assert_true(notify_send("READY=1", -1, NULL) < 0);
	close(pair[1]);
	assert_true(notify_is_there());
	assert_int_equal(notify_send("READY=1", -1, NULL), -ENOTCONN);
	setenv("NOTIFY_SOCKET", "fd:0x", 1);
	assert_false(notify_is_there());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_waits_is_sent_in_order, begin, end),
		cmocka_unit_test_setup_teardown(what_was_never_sent_is_not_taken_back, begin, end),
		cmocka_unit_test_setup_teardown(a_receiver_that_goes_away_is_not_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(a_barrier_does_not_wait_for_ever, begin, end),
		cmocka_unit_test_setup_teardown(other_addresses_are_ignored, begin, end),
		cmocka_unit_test_setup_teardown(an_abstract_address, begin, end),
		cmocka_unit_test_setup_teardown(one_end_of_a_pair, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
