/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has devices open: clients do not tell their name, but the kernel knows the process behind a Unix socket. Control
 * thread.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/proc_name.h"
#include "fronts/nbd/server.h"

#define NBD_USERS_SAID 20	/* at most so many clients are named */

static void users_address(const struct sockaddr_storage *a, char out[NBD_PEER])
{
	char host[INET6_ADDRSTRLEN] = "?";
	unsigned port;

	if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, host, sizeof(host));
		port = ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
	} else {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, host, sizeof(host));
		port = ntohs(((const struct sockaddr_in *)a)->sin_port);
	}
	snprintf(out, NBD_PEER, "%s port %u", host, port);
}

void nbd_users_meet(struct nbd_conn *c)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	struct ucred who = { .pid = 0 };
	socklen_t len = sizeof(who), address_len = sizeof(address);

	list_init(&c->user);
	if (!c->tcp && !getsockopt(c->watch.fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		c->peer_pid = who.pid;
	else if (c->tcp && !getpeername(c->watch.fd, (struct sockaddr *)&address, &address_len))
		users_address(&address, c->peer);
}

void nbd_users_enter(struct nbd_conn *c, const struct dm_device *d)
{
	c->uses = d;
	list_append(&c->nio->nbd->users, &c->user);
}

/* False: the process has ended, and its connection is about to end. */
static bool users_name(const struct nbd_conn *c, char out[NBD_PEER + PROC_NAME])
{
	char name[PROC_NAME];

	if (!c->peer_pid)
		snprintf(out, NBD_PEER + PROC_NAME, "a client (%s)", *c->peer ? c->peer : "unknown");
	else if (proc_name(c->peer_pid, name))
		snprintf(out, NBD_PEER + PROC_NAME, "%s (process %ld)", name, (long)c->peer_pid);
	else
		return false;
	return true;
}

/* One client often has several connections, and nobody reads a thousand lines. */
void nbd_users(struct dm_front *f, struct text *out)
{
	struct nbd *n = container(f, struct nbd, front);
	char name[NBD_PEER + PROC_NAME], line[NBD_PEER + PROC_NAME + DM_NAME_MAX + 40];
	struct list *pos, *next;
	unsigned said = 0;

	list_each(pos, next, &n->users) {
		const struct nbd_conn *c = container(pos, struct nbd_conn, user);

		if (!users_name(c, name))
			continue;
		snprintf(line, sizeof(line), "%s has '%s' open over NBD\n", name, c->uses->name);
		if (strstr(text_str(out), line))
			continue;
		text_add(out, said++ < NBD_USERS_SAID ? line : "more clients have devices open over NBD\n");
		if (said > NBD_USERS_SAID)
			return;
	}
}
