/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the NBD server listens, and where it refuses to. */
#include <errno.h>
#include <netdb.h>
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

#include "support/nbd.h"

static struct nbd_fixture n;

static int begin(void **state)
{
	(void)state;
	nbd_begin(&n, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	nbd_end(&n);
	return 0;
}

/* A second server beside the fixture's: its error message, or "". */
static void second(const struct nbd_opts *o, char text[ERR_TEXT])
{
	struct err e = ERR_INIT;
	struct nbd *other;

	*text = '\0';
	if (nbd_new(&other, n.f.world, o, &e)) {
		strcpy(text, e.text);
		assert_true(e.code < 0);
		return;
	}
	n.stopped = false;
	nbd_stop(other, nbd_is_stopped, &n);
	while (!n.stopped)
		loop_turn(n.f.loop, -1);
	nbd_free(other);
	n.stopped = false;
}

static void a_socket_in_the_way(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct nbd_opts o = { .unix_fd = -1 };
	char path[128], text[ERR_TEXT];
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(stat(n.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	o.unix_path = n.path;
	second(&o, text);
	assert_non_null(strstr(text, "already listening on"));
	snprintf(path, sizeof(path), "%s/second", n.directory);
	o.unix_path = path;
	close(open(path, O_CREAT | O_WRONLY, 0600));
	second(&o, text);
	assert_non_null(strstr(text, "not a socket"));
	assert_int_equal(unlink(path), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);		/* nobody listens there any more */
	second(&o, text);
	assert_string_equal(text, "");
	assert_int_not_equal(access(path, F_OK), 0);
}

/* Not every machine knows its own name. */
static bool localhost_is_known(void)
{
	struct addrinfo *a;

	if (getaddrinfo("localhost", NULL, NULL, &a))
		return false;
	freeaddrinfo(a);
	return true;
}

static void tcp_addresses(void **state)
{
	const struct {
		const char *tcp, *text;
		bool insecure;
	} rows[] = {
		{ "127.0.0.1:0", "", false }, { localhost_is_known() ? "localhost:0" : "127.0.0.1:0", "", false },
		{ "0.0.0.0:0", "can be reached from other machines", false },
		{ ":0", "can be reached from other machines", false }, { "127.0.0.1:0", "", true },
		{ "127.0.0.1", "must be ADDRESS:PORT", false }, { "127.0.0.1:", "must be ADDRESS:PORT", false },
		{ "127.0.0.1:http", "must be ADDRESS:PORT", false }, { "127.0.0.1:70000", "must be ADDRESS:PORT", false },
		{ "::1:10809", "must be ADDRESS:PORT", false }, { "", "must be ADDRESS:PORT", false }, { "[::1:5", "must be ADDRESS:PORT", false },
		{ "no such host:0", "cannot listen on 'no such host:0'", false },
	};
	char text[ERR_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nbd_opts o = { .unix_fd = -1, .tcp = rows[i].tcp, .insecure = rows[i].insecure };

		second(&o, text);
		if (*rows[i].text)
			assert_non_null(strstr(text, rows[i].text));
		else
			assert_string_equal(text, "");
	}
}

static void a_socket_that_was_handed_in(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct nbd_opts o = { .unix_fd = socket(AF_UNIX, SOCK_STREAM, 0) };
	struct text uris = TEXT_INIT;
	struct err e = ERR_INIT;
	struct dm_front *front;
	struct nbd *other;

	(void)state;
	assert_int_equal(create(&n.f, "a%b/c", "0 8 zero", NULL), -EINVAL);
	assert_int_equal(create(&n.f, "a%b c", "0 8 zero", NULL), 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/sp ace", n.directory);
	assert_int_equal(bind(o.unix_fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(nbd_new(&other, n.f.world, &o, &e), 0);
	front = container(n.f.world->fronts.prev, struct dm_front, node);
	front->uris(front, dm_find_name(n.f.world, "a%b c"), &uris);
	assert_non_null(strstr(text_str(&uris), "nbd+unix:///a%25b%20c?socket=/"));
	assert_non_null(strstr(text_str(&uris), "/sp%20ace\n"));
	text_free(&uris);
	nbd_stop(other, nbd_is_stopped, &n);
	while (!n.stopped)
		loop_turn(n.f.loop, -1);
	nbd_free(other);
	n.stopped = false;
	assert_int_equal(unlink(addr.sun_path), 0);	/* it belongs to its creator, so it is still there */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_socket_in_the_way),
		CASE(tcp_addresses),
		CASE(a_socket_that_was_handed_in),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
