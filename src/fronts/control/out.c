/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client is sent: replies that were gathered and, where there was no memory for a reply, a constant. See conn.h.
 */
#include <errno.h>
#include <sys/socket.h>

#include "fronts/control/conn.h"

const char *control_conn_next(const struct control_conn *conn, size_t *n)
{
	const char *excuse;

	if (conn->sent < conn->out.len || !conn->excuse) {
		*n = conn->out.len - conn->sent;
		return text_str(&conn->out) + conn->sent;
	}
	excuse = dict_no_memory(n);
	*n -= conn->sent - conn->out.len;
	return excuse + (conn->sent - conn->out.len);
}

bool control_conn_gather(struct control_conn *conn)
{
	struct err e = ERR_INIT;
	int r = dict_write(&conn->dict, &conn->out, &e);

	if (r == -ENOMEM && dict_drop_warnings(&conn->dict))
		r = dict_write(&conn->dict, &conn->out, &e);
	if (!r)
		return true;
	dict_cut(&conn->dict, &e);
	return !dict_write(&conn->dict, &conn->out, &e);
}

void control_excuse(int fd)
{
	size_t n;
	const char *excuse = dict_no_memory(&n);

	if (send(fd, excuse, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;		/* it has hung up already */
}
