/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests' control server and its clients: see client.h. */
#include "support/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/dict_client.h"

void server_begin(struct server *s, bool allow_read)
{
	server_begin_timed(s, allow_read, 0);
}

void server_begin_timed(struct server *s, bool allow_read, unsigned handshake)
{
	struct control_opts o = { .path = s->path, .fd = -1, .allow_read = allow_read, .handshake = handshake };
	struct err e = ERR_INIT;

	assert_non_null(mkdtemp(temp_template(s->directory, "control")));
	snprintf(s->path, sizeof(s->path), "%s/control", s->directory);
	fixture_begin(&s->f, 2, AIO_POOL);
	if (control_new(&s->control, s->f.world, &o, &e))
		fail_msg("%s", e.text);
	control_serve(s->control);
}

void server_end(struct server *s)
{
	if (s->control)
		control_free(s->control);
	fixture_end(&s->f);
	assert_int_equal(rmdir(s->directory), 0);
}

int client_new(const struct server *s)
{
	struct err e = ERR_INIT;
	int fd = dict_connect(s->path, &e);

	if (fd < 0)
		fail_msg("%s", e.text);
	return fd;
}

void client_send(struct server *s, int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t r = send(fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r < 0 && errno == EAGAIN) {
			loop_turn(s->f.loop, -1);
		} else {
			assert_true(r > 0);
			at += r;
			n -= (size_t)r;
		}
	}
}

void client_request(struct server *s, int fd, const char *keys)
{
	static const char before[] = "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>", after[] = "</dict></plist>";
	uint32_t head = htonl((uint32_t)(strlen(before) + strlen(keys) + strlen(after)));

	client_send(s, fd, &head, sizeof(head));
	client_send(s, fd, before, strlen(before));
	client_send(s, fd, keys, strlen(keys));
	client_send(s, fd, after, strlen(after));
}

static bool client_recv(struct server *s, int fd, void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t r = recv(fd, at, n, MSG_DONTWAIT);

		if (r < 0 && errno == EAGAIN) {
			loop_turn(s->f.loop, -1);
			continue;
		}
		if (r <= 0)
			return false;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

plist_t client_reply(struct server *s, int fd)
{
	struct err e = ERR_INIT;
	plist_t reply = NULL;
	uint32_t len;
	char *xml;

	if (!client_recv(s, fd, &len, sizeof(len)))
		return NULL;
	len = ntohl(len);
	xml = malloc(len);
	assert_non_null(xml);
	assert_true(client_recv(s, fd, xml, len));
	if (plist_read(xml, len, DICT_REPLY_NODES_MAX, &reply, &e))
		fail_msg("%s", e.text);
	free(xml);
	return reply;
}

unsigned client_ask(struct server *s, int fd, const char *keys, char *sentence)
{
	plist_t reply;
	unsigned code;

	client_request(s, fd, keys);
	reply = client_reply(s, fd);
	assert_non_null(reply);
	code = reply_errno(reply);
	if (code)
		assert_true(strlen(reply_text(reply, "error")) > 8);
	if (sentence)
		strcpy(sentence, reply_text(reply, "error"));
	plist_free(reply);
	return code;
}

unsigned reply_errno(plist_t reply)
{
	return (unsigned)reply_number(reply, "errno");
}

const char *reply_text(plist_t reply, const char *key)
{
	plist_t n = plist_dict_get_item(reply, key);

	return n ? plist_string(n) : "";
}

uint64_t reply_number(plist_t reply, const char *key)
{
	plist_t n = plist_dict_get_item(reply, key);
	uint64_t v = 0;

	assert_non_null(n);
	v = plist_uint(n);
	return v;
}

/* A sanitizer report or a lost event must end the test, not hang it. */
#define LIMIT 60

int server_setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));

	alarm(LIMIT);
	server_begin(s, false);
	*state = s;
	return 0;
}

int server_setup_open(void **state)
{
	struct server *s = calloc(1, sizeof(*s));

	alarm(LIMIT);
	server_begin(s, true);
	*state = s;
	return 0;
}

int server_teardown(void **state)
{
	server_end(*state);
	free(*state);
	return 0;
}
