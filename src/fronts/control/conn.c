/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket: see conn.h.
 *
 *   READING -> BUSY -> WRITING -> READING ...        or, after what cannot be read on: WRITING -> LEAVING
 *
 * A client may pipeline: messages are taken one by one as they arrive, and their replies are sent together. No step
 * blocks, and one turn of the loop handles only a limited amount from each client, so a slow or greedy client costs the
 * others nothing. If a client hangs up while its command runs, the connection stays until the command is over.
 */
#include "fronts/control/conn.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONN_TAKES 16			/* messages per turn */
#define CONN_STEPS 16			/* receives per turn, for one long message */
#define CONN_OUT_KEPT (32u << 10)	/* bytes of memory for replies that a client keeps between its commands */
#define CONN_OUT_MOST (256u << 10)	/* bytes of replies that are gathered before they are sent */

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

void control_conn_free(struct control_conn *conn)
{
	if (conn->watch.fd >= 0)
		conn_close_fd(conn);
	list_remove(&conn->node);
	timer_stop(&conn->patience);
	if (!conn->master)
		conn->control->others--;
	spare_fill(&conn->control->spare);
	list_remove(&conn->work.node);
	dict_free(&conn->dict);
	free(conn->in);
	text_free(&conn->out);
	free(conn);
}

/*
 * Keeps reading what the client sends, so that it gets as far as reading the reply. Clients that are neither root nor
 * the owner are disconnected at once.
 */
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

/* All replies have been sent. CONN may be freed. */
static void conn_sent(struct control_conn *conn)
{
	conn->sent = 0;
	conn->excuse = false;
	text_clear(&conn->out);		/* the memory may be needed for the reply to the command that is running */
	loop_rewatch(conn_loop(conn), &conn->watch, EPOLLIN);
	if (conn->state == CONN_BUSY)
		return;
	if (conn->out.room > CONN_OUT_KEPT) {
		text_free(&conn->out);
		conn->out = (struct text)TEXT_SECRET;
	}
	if (conn->last) {
		conn_leave(conn);
		return;
	}
	conn->state = CONN_READING;
	if (control_conn_has_message(conn))
		loop_defer(conn_loop(conn), &conn->work);
}

static void conn_lost(struct control_conn *conn)
{
	if (conn->state != CONN_BUSY) {
		control_conn_free(conn);
		return;
	}
	conn_close_fd(conn);
	control_conn_cancel(conn);
}

/* Sends as much of the gathered replies as the socket takes. CONN may be freed. */
static void conn_send(struct control_conn *conn)
{
	const char *next;
	size_t left;

	while ((next = control_conn_next(conn, &left)), left) {
		ssize_t n = send(conn->watch.fd, next, left, MSG_NOSIGNAL);

		if (n >= 0) {
			conn->sent += (size_t)n;
		} else if (errno == EAGAIN) {
			conn->state = conn->state == CONN_BUSY ? CONN_BUSY : CONN_WRITING;
			loop_rewatch(conn_loop(conn), &conn->watch, EPOLLOUT);
			return;
		} else if (errno != EINTR) {
			conn_lost(conn);
			return;
		}
	}
	conn_sent(conn);
}

/* Turns the dictionary, which is a reply by now, into bytes to be sent. */
static void conn_reply(struct control_conn *conn)
{
	conn->excuse = !control_conn_gather(conn);
	dict_free(&conn->dict);
	conn->dict = (struct dict){ .keys = NULL };
	conn->state = CONN_READING;
}

static void conn_refuse(struct control_conn *conn, const struct err *e)
{
	dict_refuse(&conn->dict, e);
	conn_reply(conn);
}

/* Refuses a message after which the next one cannot be found any more. */
static void conn_refuse_last(struct control_conn *conn, const struct err *e)
{
	conn_refuse(conn, e);
	conn->last = true;
}

/* The same, and sends the reply at once. CONN may be freed. */
static void conn_turn_away(struct control_conn *conn, const struct err *e)
{
	conn_refuse_last(conn, e);
	conn_send(conn);
}

/* If conn_take() is running, it sends this reply with the others. */
static void conn_done(struct dm_cmd *cmd)
{
	struct control_conn *conn = cmd->owner;

	if (conn->watch.fd < 0) {
		dm_reply_free(&cmd->reply);
		control_conn_free(conn);
		return;
	}
	if (conn->control->stopped && cmd->reply.err.code == -EINTR)
		err_set(&cmd->reply.err, -ESHUTDOWN, "the command is cancelled: the daemon is ending");
	dict_encode(&conn->dict);
	conn_reply(conn);
	if (!trampoline_landed(&conn->taking))
		conn_send(conn);
}

static bool conn_room(struct dm_cmd *cmd, size_t n)
{
	struct control_conn *conn = cmd->owner;

	return dict_room(&conn->dict, n, &conn->out);
}

static void conn_text_read(struct dm_cmd *cmd)
{
	dict_text_read(&((struct control_conn *)cmd->owner)->dict);
}

/*
 * The first message is complete: LEN bytes. They are freed before the command runs, so that a table of a million lines
 * is not in memory twice.
 */
static void conn_request(struct control_conn *conn, size_t len)
{
	struct dm_cmd *cmd = &conn->dict.cmd;
	struct err e = ERR_INIT;
	int r = dict_parse(control_conn_message(conn), len, &conn->dict.keys, &e);

	control_used(conn);
	control_conn_drop(conn, len);
	if (!r)
		r = dict_decode(&conn->dict, &e);
	if (!r)
		r = control_may(conn, cmd, &e);
	if (!r && conn->control->stopped)
		r = err_set(&e, -ESHUTDOWN, "the daemon is ending and accepts no more commands");
	if (!r)
		r = dict_prepare(&conn->dict, &conn->out, &e);
	if (r) {
		conn_refuse(conn, &e);
		return;
	}
	cmd->done = conn_done;
	cmd->room = conn_room;
	cmd->text_read = conn_text_read;
	cmd->owner = conn;
	cmd->caller = (int)conn->pid;
	conn->state = CONN_BUSY;
	dm_do(conn->control->world, cmd);
}

/* False: there is no complete message. */
static bool conn_take_one(struct control_conn *conn)
{
	struct err e = ERR_INIT;
	size_t len;

	switch (control_conn_look(conn, &len, &e)) {
	case CONN_NOTHING:
		return false;
	case CONN_MESSAGE:
		conn_request(conn, len);
		return true;
	default:
		conn_refuse_last(conn, &e);
		return true;
	}
}

/* Handles the messages that have arrived and sends their replies together. CONN may be freed. */
static void conn_take(struct control_conn *conn)
{
	unsigned n = CONN_TAKES;

	trampoline_enter(&conn->taking);
	while (n && conn->state == CONN_READING && !conn->last && !conn->excuse && conn->out.len < CONN_OUT_MOST &&
	       conn_take_one(conn))
		n--;
	trampoline_leave(&conn->taking);
	control_patience(conn);
	if (conn->out.len || conn->excuse || conn->last)
		conn_send(conn);
	else if (conn->state == CONN_READING && !n)
		loop_defer(conn_loop(conn), &conn->work);
}

/*
 * The client has stopped sending. If that was in the middle of a message, it may still be there to read why it is
 * refused.
 */
static void conn_hung_up(struct control_conn *conn)
{
	struct err e = ERR_INIT;

	if (control_conn_cut_off(conn, &e))
		conn_turn_away(conn, &e);
	else
		control_conn_free(conn);
}

/* Receives what there is, up to a limit. False: nothing was there. CONN may be freed. */
static bool conn_read(struct control_conn *conn)
{
	struct err e = ERR_INIT;
	int steps = CONN_STEPS;
	ssize_t n;

	do {
		if (control_conn_make_room(conn, &e)) {
			conn_turn_away(conn, &e);
			return true;
		}
		n = recv(conn->watch.fd, conn->in + conn->in_end, conn->in_room - conn->in_end, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			conn_hung_up(conn);
			return true;
		}
		conn->in_end += (size_t)n;
	} while (--steps && conn->in_end == conn->in_room && !control_conn_has_message(conn));
	if (steps == CONN_STEPS)
		return false;
	loop_heard(conn_loop(conn), &conn->watch, 1);	/* they are handled one by one */
	conn_take(conn);
	return true;
}

static void conn_go_on(struct loop_work *w)
{
	struct control_conn *conn = container(w, struct control_conn, work);

	if (conn->state == CONN_READING)
		conn_take(conn);
}

static bool conn_poll(struct loop_watch *w)
{
	struct control_conn *conn = container(w, struct control_conn, watch);

	return conn->state == CONN_READING && !control_conn_has_message(conn) && conn_read(conn);
}

/* What has arrived while this thread had no time counts. */
void control_conn_tire(struct timer *t)
{
	struct control_conn *conn = container(t, struct control_conn, patience);
	unsigned seconds = (unsigned)(conn->control->handshake / TIMERS_SECOND);
	struct err e = ERR_INIT;

	if (conn_poll(&conn->watch))
		return;
	if (control_conn_cut_off(conn, &e))
		err_set(&e, -ETIMEDOUT, "the rest of a message did not arrive within %u second%s", seconds, text_plural(seconds));
	else
		err_set(&e, -ETIMEDOUT, "no message arrived within %u second%s", seconds, text_plural(seconds));
	conn_turn_away(conn, &e);
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

/* More messages wait in the socket. While a command is running, only the client's hanging up matters. */
static void conn_ready_busy(struct control_conn *conn, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR))
		conn_lost(conn);
	else if (events & EPOLLOUT)
		conn_send(conn);
	else
		loop_rewatch(conn_loop(conn), &conn->watch, 0);
}

static void conn_ready(struct loop_watch *w, uint32_t events)
{
	struct control_conn *conn = container(w, struct control_conn, watch);

	switch (conn->state) {
	case CONN_READING:
		if (!control_conn_has_message(conn))
			conn_read(conn);
		break;
	case CONN_BUSY:
		conn_ready_busy(conn, events);
		break;
	case CONN_WRITING:
		conn_send(conn);
		break;
	case CONN_LEAVING:
		conn_throw_away(conn);
		break;
	}
}

void control_conn_new(struct control *c, int fd, const struct ucred *peer)
{
	struct control_conn *conn = calloc(1, sizeof(*conn));
	struct err e = ERR_INIT;

	if (!conn) {
		control_excuse(fd);
		close(fd);
		return;
	}
	*conn = (struct control_conn){
		.control = c, .uid = peer->uid, .pid = peer->pid, .came = clock_now(c->world->clock),
		.master = peer->uid == 0 || peer->uid == c->owner,
		.watch = { .fd = fd, .events = EPOLLIN, .ready = conn_ready, .poll = conn_poll },
		.work.run = conn_go_on, .out = TEXT_SECRET,
	};
	list_init(&conn->work.node);
	timer_init(&conn->patience, control_conn_tire);
	list_append(&c->conns, &conn->node);
	if (!conn->master)
		c->others++;
	if (loop_watch(c->world->loop, &conn->watch)) {
		control_excuse(fd);
		control_conn_free(conn);
	} else if (control_may_enter(conn, &e)) {
		conn_turn_away(conn, &e);
	} else {
		control_patience(conn);
	}
}
