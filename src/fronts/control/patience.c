/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a client may be silent. One that has never sent a complete message, or is in the middle of one, must
 * continue within the time that the daemon allows. Otherwise a client may be idle as long as it likes, until
 * descriptors run out: then those that have been idle longest make room for the next one.
 */
#include "base/log.h"
#include "fronts/control/conn.h"

#define ROOM_YOUNG (TIMERS_SECOND / 5)

static bool patience_is_short(const struct control_conn *conn)
{
	return conn->state == CONN_READING && (!conn->known || conn->in_at < conn->in_end);
}

void control_patience(struct control_conn *conn)
{
	struct control *c = conn->control;

	if (c->handshake && patience_is_short(conn))
		loop_timer(c->world->loop, &conn->patience, c->handshake);
	else
		timer_stop(&conn->patience);
}

void control_used(struct control_conn *conn)
{
	conn->known = true;
	list_remove(&conn->node);
	list_append(&conn->control->conns, &conn->node);
}

/* No reply is due to it. */
static bool room_is_quiet(const struct control_conn *conn)
{
	return conn->state == CONN_READING && conn->in_at == conn->in_end && !conn->out.len && !conn->excuse;
}

/* A client that has just connected is about to send a command. */
static bool room_is_young(const struct control_conn *conn, uint64_t now)
{
	return !conn->known && now - conn->came < ROOM_YOUNG;
}

static bool room_of(struct control *c, bool known)
{
	uint64_t now = clock_now(c->world->clock);
	struct list *n, *next;
	unsigned held;

	list_each(n, next, &c->conns) {
		struct control_conn *conn = container(n, struct control_conn, node);

		if (!room_is_quiet(conn) || conn->known != known || room_is_young(conn, now))
			continue;
		if (log_rate(&c->made_room, now, &held))
			log_warn("disconnected an idle client: out of file descriptors (ulimit -n)");
		control_conn_free(conn);
		return true;
	}
	return false;
}

/* Clients that have never sent a command go first. */
enum listener_room control_make_room(struct control *c)
{
	uint64_t now = clock_now(c->world->clock);
	struct list *n, *next;

	if (room_of(c, false) || room_of(c, true))
		return LISTENER_ROOM;
	list_each(n, next, &c->conns)
		if (room_is_young(container(n, struct control_conn, node), now))
			return LISTENER_ROOM_SOON;
	return LISTENER_FULL;
}
