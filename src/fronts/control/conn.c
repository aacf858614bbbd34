/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket: see conn.h.
 *
 *   READING -> BUSY -> WRITING -> READING ...        or, after what cannot be read on: WRITING -> LEAVING
 *
 * No step blocks, and a turn of the loop reads only so much of one client, so a slow or greedy one costs the others
 * nothing. A client that hangs up on its command leaves the connection behind until the command is over.
 */
#include "fronts/control/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONN_FIRST_ROOM (64u << 10)	/* bytes; doubled as they fill up */
#define CONN_STEPS 16			/* system calls of reading a turn */
#define CONN_START 64			/* bytes in which a message must begin like one */

static struct loop *conn_loop(const struct control_conn *conn)
{
	return conn->control->world->loop;
}

static void conn_close_fd(struct control_conn *conn)
{
	loop_unwatch(conn_loop(conn), &conn->watch);
	close(conn->watch.fd);
	conn->watch.fd = -1;
}

static void conn_drop_frame(struct control_conn *conn)
{
	free(conn->frame);
	conn->frame = NULL;
	conn->got = conn->len = conn->room = 0;
}

void control_conn_free(struct control_conn *conn)
{
	if (conn->watch.fd >= 0)
		conn_close_fd(conn);
	list_remove(&conn->node);
	if (!conn->master)
		conn->control->others--;
	conn_drop_frame(conn);
	dict_free(&conn->dict);
	free(conn->out);
	free(conn);
}

/* What the client still sends is read, so that it comes to reading the reply. Strangers get no such patience. */
static void conn_leave(struct control_conn *conn)
{
	if (!conn->master) {
		control_conn_free(conn);
		return;
	}
	shutdown(conn->watch.fd, SHUT_WR);
	conn->state = CONN_LEAVING;
	loop_rewatch(conn_loop(conn), &conn->watch, EPOLLIN);
}

/* CONN may be gone afterwards. */
static void conn_written(struct control_conn *conn)
{
	free(conn->out);
	conn->out = NULL;
	if (conn->last) {
		conn_leave(conn);
	} else {
		conn->state = CONN_READING;
		loop_rewatch(conn_loop(conn), &conn->watch, EPOLLIN);
	}
}

/* Sends what the socket takes. CONN may be gone afterwards. */
static void conn_write(struct control_conn *conn)
{
	while (conn->sent < conn->out_len) {
		ssize_t n = send(conn->watch.fd, conn->out + conn->sent, conn->out_len - conn->sent, MSG_NOSIGNAL);

		if (n >= 0) {
			conn->sent += (size_t)n;
		} else if (errno == EAGAIN) {
			loop_rewatch(conn_loop(conn), &conn->watch, EPOLLOUT);
			return;
		} else if (errno != EINTR) {
			control_conn_free(conn);
			return;
		}
	}
	conn_written(conn);
}

/* The dictionary is a reply now; one that is too long becomes one that says so. CONN may be gone afterwards. */
static void conn_reply(struct control_conn *conn)
{
	struct err e = ERR_INIT;
	int r = dict_write(&conn->dict, &conn->out, &conn->out_len, &e);

	if (r == -EMSGSIZE) {
		dict_free(&conn->dict);
		conn->dict = (struct dict){ .keys = NULL };
		dict_refuse(&conn->dict, &e);
		r = dict_write(&conn->dict, &conn->out, &conn->out_len, &e);
	}
	dict_free(&conn->dict);
	conn->dict = (struct dict){ .keys = NULL };
	conn->state = CONN_WRITING;
	conn->sent = 0;
	if (r)
		control_conn_free(conn);
	else
		conn_write(conn);
}

static void conn_refuse(struct control_conn *conn, const struct err *e)
{
	conn_drop_frame(conn);
	dict_refuse(&conn->dict, e);
	conn_reply(conn);
}

/* What follows cannot be told apart from this message any more. */
static void conn_refuse_last(struct control_conn *conn, const struct err *e)
{
	conn->last = true;
	conn_refuse(conn, e);
}

static void conn_done(struct dm_cmd *cmd)
{
	struct control_conn *conn = cmd->owner;

	if (conn->watch.fd < 0) {
		dm_reply_free(&cmd->reply);
		control_conn_free(conn);
		return;
	}
	if (conn->control->stopped && cmd->reply.err.code == -EINTR)
		err_set(&cmd->reply.err, -ESHUTDOWN, "the daemon is ending, and with it this command");
	dict_encode(&conn->dict);
	conn_reply(conn);
}

/* The message is whole. Its bytes go before the command runs: a table of a million lines is not held twice. */
static void conn_request(struct control_conn *conn)
{
	struct dm_cmd *cmd = &conn->dict.cmd;
	struct err e = ERR_INIT;
	int r = dict_parse(conn->frame, conn->len, &conn->dict.keys, &e);

	conn_drop_frame(conn);
	if (!r)
		r = dict_decode(&conn->dict, &e);
	if (!r)
		r = control_may(conn, cmd, &e);
	if (!r && conn->control->stopped)
		r = err_set(&e, -ESHUTDOWN, "the daemon is ending and takes no more commands");
	if (r) {
		conn_refuse(conn, &e);
		return;
	}
	cmd->done = conn_done;
	cmd->owner = conn;
	conn->state = CONN_BUSY;
	dm_do(conn->control->world, cmd);
}

/* In the middle of a message nobody may be left to read it, but a client that has only stopped sending is. */
static void conn_hung_up(struct control_conn *conn)
{
	struct err e = ERR_INIT;

	if (!conn->got) {
		control_conn_free(conn);
		return;
	}
	if (conn->got < CONN_HEAD)
		err_set(&e, -EIO, "the message ended after %zu of the %d bytes of its length", conn->got, CONN_HEAD);
	else
		err_set(&e, -EIO, "the message ended after %zu of %zu bytes", conn->got - CONN_HEAD, conn->len);
	conn_refuse_last(conn, &e);
}

/* The three below return true if more of the message is wanted; after false CONN may be gone. */

static bool conn_got_head(struct control_conn *conn)
{
	uint32_t len;
	struct err e = ERR_INIT;

	if (conn->got < CONN_HEAD)
		return true;
	memcpy(&len, conn->head, sizeof(len));
	conn->len = ntohl(len);
	if (conn->len > control_frame_max(conn)) {
		err_set(&e, -EIO, "a message of %zu bytes is announced, and %zu are the most; it begins with its length: "
			"4 bytes, the highest first", conn->len, control_frame_max(conn));
		conn_refuse_last(conn, &e);
		return false;
	}
	if (conn->len)
		return true;
	conn_request(conn);
	return false;
}

static bool conn_got_body(struct control_conn *conn, size_t before)
{
	size_t have = conn->got - CONN_HEAD;
	struct err e = ERR_INIT;

	if (before < CONN_START && dict_check_start(conn->frame, have, &e)) {
		conn_refuse_last(conn, &e);
		return false;
	}
	if (have < conn->len)
		return true;
	conn_request(conn);
	return false;
}

/* Memory grows with what has come, not with what the head claims. */
static bool conn_make_room(struct control_conn *conn)
{
	size_t have = conn->got - CONN_HEAD, room = conn->room ? 2 * conn->room : CONN_FIRST_ROOM;
	struct err e = ERR_INIT;
	char *frame;

	if (have < conn->room)
		return true;
	if (room > conn->len)
		room = conn->len;
	frame = realloc(conn->frame, room);
	if (frame) {
		conn->frame = frame;
		conn->room = room;
		return true;
	}
	err_set(&e, -ENOMEM, "no memory for a message of %zu bytes", conn->len);
	conn_refuse_last(conn, &e);
	return false;
}

static bool conn_read_some(struct control_conn *conn)
{
	bool head = conn->got < CONN_HEAD;
	size_t at = head ? conn->got : conn->got - CONN_HEAD;
	ssize_t n;

	if (head)
		n = recv(conn->watch.fd, conn->head + at, CONN_HEAD - at, 0);
	else if (conn_make_room(conn))
		n = recv(conn->watch.fd, conn->frame + at, conn->room - at, 0);
	else
		return false;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		conn_hung_up(conn);
		return false;
	}
	conn->got += (size_t)n;
	return head ? conn_got_head(conn) : conn_got_body(conn, at);
}

static void conn_read(struct control_conn *conn)
{
	int steps = CONN_STEPS;

	while (steps-- && conn_read_some(conn))
		;
}

static void conn_throw_away(struct control_conn *conn)
{
	char nothing[16 << 10];
	ssize_t n = recv(conn->watch.fd, nothing, sizeof(nothing), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		control_conn_free(conn);
}

void control_conn_cancel(struct control_conn *conn)
{
	if (conn->state == CONN_BUSY)
		dm_cancel(&conn->dict.cmd);
}

/* More messages wait in the socket; while a command is under way only the client's end is of interest. */
static void conn_ready_busy(struct control_conn *conn, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR)) {
		conn_close_fd(conn);
		control_conn_cancel(conn);
	} else {
		loop_rewatch(conn_loop(conn), &conn->watch, 0);
	}
}

static void conn_ready(struct loop_watch *w, uint32_t events)
{
	struct control_conn *conn = container(w, struct control_conn, watch);

	switch (conn->state) {
	case CONN_READING:
		conn_read(conn);
		break;
	case CONN_BUSY:
		conn_ready_busy(conn, events);
		break;
	case CONN_WRITING:
		conn_write(conn);
		break;
	case CONN_LEAVING:
		conn_throw_away(conn);
		break;
	}
}

void control_conn_new(struct control *c, int fd, uid_t uid)
{
	struct control_conn *conn = calloc(1, sizeof(*conn));
	struct err e = ERR_INIT;

	if (!conn) {
		close(fd);
		return;
	}
	*conn = (struct control_conn){
		.control = c, .uid = uid, .master = uid == 0 || uid == c->owner,
		.watch = { .fd = fd, .events = EPOLLIN, .ready = conn_ready },
	};
	list_append(&c->conns, &conn->node);
	if (!conn->master)
		c->others++;
	if (loop_watch(c->world->loop, &conn->watch))
		control_conn_free(conn);
	else if (control_may_enter(conn, &e))
		conn_refuse_last(conn, &e);
}
