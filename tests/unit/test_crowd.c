/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many clients of the control socket, silent ones, and too few descriptors: a client with a command gets in and is
 * answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/client.h"

#define COMMAND(c) "<key>command</key><string>" c "</string>"
#define NETBSD_ETIMEDOUT 60
#define CROWD 1000
#define HANDSHAKE 10
#define LIMIT 60	/* a lost event must end the test, not hang it */

static int begin(void **state)
{
	struct server *s = calloc(1, sizeof(*s));

	alarm(LIMIT);
	fixture_stop_clock();
	server_begin_timed(s, false, HANDSHAKE);
	*state = s;
	return 0;
}

static int end(void **state)
{
	server_end(*state);
	free(*state);
	return 0;
}

static void a_thousand_clients(void **state)
{
	struct rlimit l;
	struct server *s = *state;
	int fds[CROWD], i;

	getrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_max < 2 * CROWD + 64) {
		print_message("# skip: this takes %d descriptors, and %llu are allowed\n", 2 * CROWD + 64, (unsigned long long)l.rlim_max);
		skip();
	}
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	for (i = 0; i < CROWD; i++)
		fds[i] = client_new(s);
	for (i = 0; i < CROWD; i++)
		client_request(s, fds[i], COMMAND("version"));
	for (i = CROWD; i--;) {
		plist_t r = client_reply(s, fds[i]);

		assert_int_equal(reply_errno(r), 0);
		plist_free(r);
		close(fds[i]);
	}
}

static struct rlimit was;

/* From now on no descriptor can be opened in this process. */
static void no_more_descriptors(void)
{
	struct rlimit now;
	int first = dup(0);

	close(first);
	getrlimit(RLIMIT_NOFILE, &was);
	now = was;
	now.rlim_cur = (rlim_t)first;
	setrlimit(RLIMIT_NOFILE, &now);
}

static bool is_cut_off(struct server *s, int fd)
{
	char c;

	while (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		loop_turn(s->f.loop, -1);
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

#define MANY 30

/* All of them are connected, and the server has only its spare descriptors left. */
static void without_descriptors_whoever_asks_gets_in(void **state)
{
	struct server *s = *state;
	int fds[MANY], i, fd;

	for (i = 0; i < MANY; i++)
		fds[i] = client_new(s);
	no_more_descriptors();
	for (i = 0; i < MANY; i++)
		client_request(s, fds[i], COMMAND("version"));
	for (i = 0; i < MANY; i++) {
		plist_t r = client_reply(s, fds[i]);

		assert_non_null(r);
		assert_int_equal(reply_errno(r), 0);
		plist_free(r);
	}
	assert_true(is_cut_off(s, fds[0]));	/* it has been idle the longest */
	assert_int_equal(client_ask(s, fds[MANY - 1], COMMAND("names"), NULL), 0);
	for (i = 0; i < MANY; i++)
		close(fds[i]);
	setrlimit(RLIMIT_NOFILE, &was);
	fd = client_new(s);
	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	close(fd);
}

/* A spare descriptor is used, and cannot be reopened before others have closed something. */
static void what_was_kept_back_comes_back(void **state)
{
	struct server *s = *state;
	int round, i, fds[MANY];

	for (round = 0; round < 3; round++) {
		for (i = 0; i < MANY; i++)
			fds[i] = client_new(s);
		no_more_descriptors();
		for (i = 0; i < 5 * MANY; i++) {
			loop_turn(s->f.loop, 0);
			if (i % MANY == 0)
				time_passes(&s->f, 1);
		}
		assert_int_equal(client_ask(s, fds[MANY - 1], COMMAND("version"), NULL), 0);
		assert_true(is_cut_off(s, fds[0]));
		for (i = 0; i < MANY; i++)
			close(fds[i]);
		time_passes(&s->f, 2);
		setrlimit(RLIMIT_NOFILE, &was);
		time_passes(&s->f, 2);
	}
}

static void silent_clients_are_cut_off(void **state)
{
	struct server *s = *state;
	int silent = client_new(s), half = client_new(s), known = client_new(s);
	plist_t r;

	client_send(s, half, "\0\0", 2);
	assert_int_equal(client_ask(s, known, COMMAND("version"), NULL), 0);
	time_passes(&s->f, HANDSHAKE - 1);
	client_send(s, half, "\0", 1);		/* it continues: as much time again */
	assert_int_equal(client_ask(s, known, COMMAND("version"), NULL), 0);
	time_passes(&s->f, 1);
	r = client_reply(s, silent);
	assert_int_equal(reply_errno(r), NETBSD_ETIMEDOUT);
	assert_non_null(strstr(reply_text(r, "error"), "10 seconds"));
	plist_free(r);
	assert_true(is_cut_off(s, silent));
	client_send(s, known, "\0", 1);		/* half a message from a client that has sent one before */
	time_passes(&s->f, HANDSHAKE);
	time_passes(&s->f, HANDSHAKE);
	r = client_reply(s, half);
	assert_int_equal(reply_errno(r), NETBSD_ETIMEDOUT);
	plist_free(r);
	r = client_reply(s, known);
	assert_int_equal(reply_errno(r), NETBSD_ETIMEDOUT);
	plist_free(r);
	close(silent);
	close(half);
	close(known);
}

static const char message[] = "\0\0\0\x54" "<plist version=\"1.0\"><dict><key>command</key><string>version</string></dict></plist>";

struct late {
	struct loop_msg msg;
	int client;
};

/* The daemon's thread stops here for longer than a client may take, and meanwhile the client's message arrives. */
static void turn_takes_long(struct loop_msg *msg)
{
	struct late *l = container(msg, struct late, msg);

	assert_int_equal(write(l->client, message, sizeof(message) - 1), sizeof(message) - 1);
	time_jumps(HANDSHAKE + 1);
}

static void a_client_is_not_late_because_the_daemon_is(void **state)
{
	struct server *s = *state;
	struct late late = { .msg.run = turn_takes_long, .client = client_new(s) };
	plist_t r;

	time_passes(&s->f, 1);
	loop_post(s->f.loop, &late.msg);
	r = client_reply(s, late.client);
	assert_int_equal(reply_errno(r), 0);
	plist_free(r);
	close(late.client);
}

static void a_client_that_was_heard_of_may_be_quiet(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);

	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	time_passes(&s->f, 100 * HANDSHAKE);
	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_thousand_clients, begin, end),
		cmocka_unit_test_setup_teardown(without_descriptors_whoever_asks_gets_in, begin, end),
		cmocka_unit_test_setup_teardown(what_was_kept_back_comes_back, begin, end),
		cmocka_unit_test_setup_teardown(silent_clients_are_cut_off, begin, end),
		cmocka_unit_test_setup_teardown(a_client_is_not_late_because_the_daemon_is, begin, end),
		cmocka_unit_test_setup_teardown(a_client_that_was_heard_of_may_be_quiet, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
