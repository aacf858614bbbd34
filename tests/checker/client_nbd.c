/* SPDX-License-Identifier: BSD-2-Clause */
/* A client over NBD (client.h): it writes a request to its socket and waits for the answer. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checker/client.h"
#include "checker/found.h"

static bool say(const struct client *c, const void *data, size_t len)
{
	return send(c->conn.watch.fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool hear(const struct client *c, void *data, size_t len)
{
	return recv(c->conn.watch.fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static uint16_t command_of(enum dm_op op)
{
	switch (op) {
	case DM_READ:
		return NBD_CMD_READ;
	case DM_WRITE:
		return NBD_CMD_WRITE;
	case DM_DISCARD:
		return NBD_CMD_TRIM;
	case DM_ZEROES:
		return NBD_CMD_WRITE_ZEROES;
	default:
		return NBD_CMD_FLUSH;
	}
}

static bool ask(struct client *c)
{
	uint8_t head[NBD_REQUEST_HEAD];
	bool flush = c->op == DM_FLUSH;

	nbdc_put(head, command_of(c->op), c->fua ? NBD_CMD_FLAG_FUA : 0, ++c->cookie,
		 flush ? 0 : (c->area->start + c->first) * DM_SECTOR, flush ? 0 : c->n * DM_SECTOR);
	return say(c, head, sizeof(head)) && (c->op != DM_WRITE || say(c, c->data, c->n * DM_SECTOR));
}

/* The error number; -1: the connection has ended. */
static int answer(struct client *c)
{
	uint8_t head[NBD_SIMPLE_HEAD];

	if (!hear(c, head, sizeof(head)))
		return -1;
	if (nbd_get32(head) != NBD_SIMPLE_MAGIC || nbd_get64(head + 8) != c->cookie)
		found("client %u on %s: the answer over NBD is to another request", c->number, c->volume);
	if (c->op == DM_READ && !nbd_get32(head + 4) && !hear(c, c->data, c->n * DM_SECTOR))
		return -1;
	return (int)nbd_get32(head + 4);
}

int client_nbd_ask(struct client *c)
{
	int err = ask(c) ? answer(c) : -1;

	return err < 0 ? CLIENT_LOST : -err;
}

void client_connect(struct client *c, struct nbd_fixture *n, const char *name)
{
	nbdc_open(&c->conn, n, name, false);
	loop_unwatch(n->f.loop, &c->conn.watch);
	c->way = CLIENT_NBD;
	c->fd = c->conn.watch.fd;
	client_thread_begin(c);
}
