/* SPDX-License-Identifier: BSD-2-Clause */
/* What clients of the control socket send: bit by bit, too much, too little, garbage. */
#include <arpa/inet.h>
#include <errno.h>
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

static void bytes_may_come_one_by_one(void **state)
{
	static const char xml[] = "<plist version=\"1.0\"><dict>" COMMAND("version") "</dict></plist>";
	struct server *s = *state;
	uint32_t head = htonl(sizeof(xml) - 1);
	int fd = client_new(s);
	plist_t r;
	size_t i;

	for (i = 0; i < sizeof(head); i++) {
		client_send(s, fd, (char *)&head + i, 1);
		loop_turn(s->f.loop, 0);
	}
	for (i = 0; i < sizeof(xml) - 1; i++) {
		client_send(s, fd, xml + i, 1);
		loop_turn(s->f.loop, 0);
	}
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), 0);
	plist_free(r);
	close(fd);
}

/* One sentence, then the connection ends. */
static void refused_for_good(struct server *s, const void *bytes, size_t n, const char *part)
{
	int fd = client_new(s);
	plist_t r;

	client_send(s, fd, bytes, n);
	r = client_reply(s, fd);
	assert_non_null(r);
	assert_int_equal(reply_errno(r), EIO);
	if (!strstr(reply_text(r, "error"), part))
		fail_msg("'%s' does not say '%s'", reply_text(r, "error"), part);
	plist_free(r);
	assert_null(client_reply(s, fd));
	close(fd);
}

static void garbage_gets_a_sentence_and_is_closed(void **state)
{
	struct server *s = *state;

	refused_for_good(s, "GET / HTTP/1.1\r\n\r\n", 18, "message of 1195725856 bytes");
	refused_for_good(s, "\xff\xff\xff\xff", 4, "4294967295 bytes");
	refused_for_good(s, "\x10\x00\x00\x01", 4, "268435457 bytes");
	refused_for_good(s, "\0\0\1\0bplist00whatever", 20, "binary");
	refused_for_good(s, "\0\0\1\0garbage", 11, "not an XML property list");
	refused_for_good(s, "\0\0\1\0\0\0\0\0\0\0", 10, "not an XML property list");
}

/* The framing is intact, so the connection continues. */
static void a_bad_dictionary_does_not_end_the_connection(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	char sentence[ERR_TEXT];

	assert_int_equal(client_ask(s, fd, "<key>command</key><integer>12x</integer>", sentence), EIO);
	assert_non_null(strstr(sentence, "byte"));
	assert_int_equal(client_ask(s, fd, COMMAND("frobnicate"), sentence), EINVAL);
	assert_non_null(strstr(sentence, "'frobnicate'"));
	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	close(fd);
}

static void an_empty_message_is_answered(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	plist_t r;

	client_send(s, fd, "\0\0\0\0", 4);
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), EIO);
	plist_free(r);
	assert_int_equal(client_ask(s, fd, COMMAND("version"), NULL), 0);
	close(fd);
}

static void half_a_message_and_hang_up(void **state)
{
	struct server *s = *state;
	int other = client_new(s), fd;
	size_t n;

	for (n = 1; n < 20; n++) {
		fd = client_new(s);
		client_send(s, fd, "\0\0\1\0<?xml version=\"1.0\"?>", n);
		close(fd);
		assert_int_equal(client_ask(s, other, COMMAND("version"), NULL), 0);
	}
	close(other);
}

/* A client that has only stopped sending still reads. */
static void half_a_message_and_no_more(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	plist_t r;

	client_send(s, fd, "\0\0\1\0<?xml", 9);
	shutdown(fd, SHUT_WR);
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), EIO);
	assert_non_null(strstr(reply_text(r, "error"), "after 5 of 256 bytes"));
	plist_free(r);
	assert_null(client_reply(s, fd));
	close(fd);
}

static void a_client_that_stops_sending_gets_its_replies(void **state)
{
	struct server *s = *state;
	int fd = client_new(s);
	plist_t r;

	client_request(s, fd, COMMAND("version"));
	client_request(s, fd, COMMAND("names"));
	shutdown(fd, SHUT_WR);
	r = client_reply(s, fd);
	assert_int_equal(reply_errno(r), 0);
	plist_free(r);
	r = client_reply(s, fd);
	assert_string_equal(reply_text(r, "command"), "names");
	plist_free(r);
	assert_null(client_reply(s, fd));
	close(fd);
}

static void an_announced_message_costs_no_memory(void **state)
{
	struct server *s = *state;
	int fds[64], other = client_new(s);
	struct rusage before, after;
	size_t i;

	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < 64; i++) {
		fds[i] = client_new(s);
		client_send(s, fds[i], "\x10\0\0\0<?xml version=\"1.0\"?>", 25);
	}
	assert_int_equal(client_ask(s, other, COMMAND("version"), NULL), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 32 << 10);	/* in KiB; they announced 16 GiB */
	for (i = 0; i < 64; i++)
		close(fds[i]);
	close(other);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
		T(bytes_may_come_one_by_one),
		T(garbage_gets_a_sentence_and_is_closed),
		T(a_bad_dictionary_does_not_end_the_connection),
		T(an_empty_message_is_answered),
		T(half_a_message_and_hang_up),
		T(half_a_message_and_no_more),
		T(a_client_that_stops_sending_gets_its_replies),
		T(an_announced_message_costs_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
