/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits what a client has sent into messages: a length of 4 bytes, big-endian, and a property list. See conn.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fronts/control/conn.h"

#define IN_FIRST_ROOM (16u << 10)	/* bytes; doubled when full */
#define IN_KEEP (64u << 10)		/* a larger buffer is freed when it is empty */
#define IN_START 64			/* bytes within which a message must look like one */

static size_t in_got(const struct control_conn *conn)
{
	return conn->in_end - conn->in_at;
}

/* The length that the message claims, if that has arrived; else 0. */
static size_t in_announced(const struct control_conn *conn)
{
	uint32_t len;

	if (in_got(conn) < DICT_HEAD)
		return 0;
	memcpy(&len, conn->in + conn->in_at, sizeof(len));
	return ntohl(len);
}

const char *control_conn_message(const struct control_conn *conn)
{
	return conn->in + conn->in_at + DICT_HEAD;
}

enum conn_look control_conn_look(const struct control_conn *conn, size_t *len, struct err *e)
{
	size_t got = in_got(conn), have;

	*len = in_announced(conn);
	if (got < DICT_HEAD)
		return CONN_NOTHING;
	if (*len > control_frame_max(conn)) {
		err_set(e, -EIO, "message of %zu bytes: the limit is %zu; a message begins with its length: "
			"4 bytes, big-endian", *len, control_frame_max(conn));
		return CONN_NONSENSE;
	}
	have = got - DICT_HEAD < *len ? got - DICT_HEAD : *len;
	if (have && plist_check_start(control_conn_message(conn), have < IN_START ? have : IN_START, e))
		return CONN_NONSENSE;
	return have == *len ? CONN_MESSAGE : CONN_NOTHING;
}

bool control_conn_has_message(const struct control_conn *conn)
{
	struct err e = ERR_INIT;
	size_t len;

	return control_conn_look(conn, &len, &e) != CONN_NOTHING;
}

void control_conn_drop(struct control_conn *conn, size_t len)
{
	explicit_bzero(conn->in + conn->in_at, DICT_HEAD + len);	/* it may have a key in it */
	conn->in_at += DICT_HEAD + len;
	if (conn->in_at < conn->in_end)
		return;
	conn->in_at = conn->in_end = 0;
	if (conn->in_room > IN_KEEP) {
		free(conn->in);
		conn->in = NULL;
		conn->in_room = 0;
	}
}

int control_conn_make_room(struct control_conn *conn, struct err *e)
{
	size_t room = conn->in_room ? 2 * conn->in_room : IN_FIRST_ROOM, need = DICT_HEAD + in_announced(conn);
	char *in;

	if (conn->in_end < conn->in_room)
		return 0;
	if (conn->in_at) {
		memmove(conn->in, conn->in + conn->in_at, in_got(conn));
		conn->in_end = in_got(conn);
		conn->in_at = 0;
		return 0;
	}
	if (conn->in_room && room > need)
		room = need;
	in = malloc(room);	/* realloc(3) may leave a copy behind */
	if (!in)
		return err_set(e, -ENOMEM, "no memory for a message of %zu bytes", in_announced(conn));
	if (conn->in) {
		memcpy(in, conn->in, conn->in_end);
		explicit_bzero(conn->in, conn->in_room);
	}
	free(conn->in);
	conn->in = in;
	conn->in_room = room;
	return 0;
}

bool control_conn_cut_off(const struct control_conn *conn, struct err *e)
{
	size_t got = in_got(conn);

	if (got && got < DICT_HEAD)
		err_set(e, -EIO, "the message ended after %zu of the %d bytes of its length", got, DICT_HEAD);
	else if (got)
		err_set(e, -EIO, "the message ended after %zu of %zu bytes", got - DICT_HEAD, in_announced(conn));
	return got;
}
