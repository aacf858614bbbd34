/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A control socket on a world for tests, and clients of it in the same thread: whenever a client has to wait, the
 * server's loop is run.
 */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include "fronts/control/control.h"
#include "proto/dict.h"
#include "support/temp.h"
#include "support/world.h"

struct server {
	struct fixture f;
	struct control *control;
	char directory[TEMP_PATH], path[TEMP_PATH + 8];
};

/* Creates a directory for the socket, a world, and a server in it. */
void server_begin(struct server *s, bool allow_read);
/* The same, but clients must send their first message within HANDSHAKE seconds. */
void server_begin_timed(struct server *s, bool allow_read, unsigned handshake);
/* Fails the running test if the directory is not empty afterwards. */
void server_end(struct server *s);
/* For cmocka: *STATE is a server, without and with a way in for readers, that ends after a minute. */
int server_setup(void **state);
int server_setup_open(void **state);
int server_teardown(void **state);

int client_new(const struct server *s);
void client_send(struct server *s, int fd, const void *p, size_t n);
/* Sends the length and KEYS, the content of the top <dict>. */
void client_request(struct server *s, int fd, const char *keys);
/* The next reply, for plist_free(); NULL if the server has closed the connection. */
plist_t client_reply(struct server *s, int fd);
/*
 * Sends a request and waits for the reply: returns its errno, and its sentence if SENTENCE (ERR_TEXT bytes) is not
 * NULL.
 */
unsigned client_ask(struct server *s, int fd, const char *keys, char *sentence);

unsigned reply_errno(plist_t reply);
const char *reply_text(plist_t reply, const char *key);
uint64_t reply_number(plist_t reply, const char *key);

#endif
