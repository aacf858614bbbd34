/* SPDX-License-Identifier: BSD-2-Clause */
/* Listening on TCP: ADDRESS:PORT, [v6]:PORT or :PORT, and who may be served there in plain text. Control thread. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/keep.h"
#include "fronts/nbd/server.h"

#define TCP_FLAGS (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

/* An address to listen on, as the user wrote it. */
struct tcp_where {
	char host[256];		/* "": every address */
	char port[16];
};

static int tcp_parse(struct tcp_where *at, const char *s, struct err *e)
{
	const char *colon = strrchr(s, ':');
	size_t host = colon ? (size_t)(colon - s) : 0;
	bool bracket = host && s[0] == '[';

	if (bracket && s[host - 1] == ']') {
		s++;
		host -= 2;
		bracket = false;
	} else if (host && memchr(s, ':', host)) {
		bracket = true;		/* a bare v6 address: where does the port begin? */
	}
	if (!colon || bracket || host >= sizeof(at->host) || !colon[1] || strlen(colon + 1) >= sizeof(at->port) ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) || strtoul(colon + 1, NULL, 10) > 65535)
		return err_set(e, -EINVAL, "cannot listen on '%s': must be ADDRESS:PORT, [IPV6]:PORT or :PORT", s);
	memcpy(at->host, s, host);
	at->host[host] = '\0';
	strcpy(at->port, colon + 1);
	return 0;
}

static bool tcp_is_loopback(const struct sockaddr *a)
{
	const struct sockaddr_in6 *six = (const void *)a;
	const struct sockaddr_in *four = (const void *)a;

	if (a->sa_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static in_port_t *tcp_port(struct sockaddr *a)
{
	return a->sa_family == AF_INET6 ? &((struct sockaddr_in6 *)(void *)a)->sin6_port :
					  &((struct sockaddr_in *)(void *)a)->sin_port;
}

static void tcp_kept_name(unsigned i, char name[KEEP_NAME])
{
	snprintf(name, KEEP_NAME, "nbd-tcp:%u", i);
}

static bool tcp_same_host(struct sockaddr *a, struct sockaddr *b)
{
	const struct sockaddr_in6 *six[] = { (const void *)a, (const void *)b };
	const struct sockaddr_in *four[] = { (const void *)a, (const void *)b };

	if (a->sa_family != b->sa_family)
		return false;
	return a->sa_family == AF_INET ? four[0]->sin_addr.s_addr == four[1]->sin_addr.s_addr :
					 IN6_ARE_ADDR_EQUAL(&six[0]->sin6_addr, &six[1]->sin6_addr);
}

/* The socket of the daemon before this one, if it is the Ith and has the address WANTED; or -1. */
static int tcp_resume(unsigned i, struct sockaddr *wanted)
{
	struct sockaddr_storage got;
	struct sockaddr *at = (struct sockaddr *)&got;
	socklen_t len = sizeof(got);
	char name[KEEP_NAME];
	int fd;

	tcp_kept_name(i, name);
	fd = keep_take(name);
	if (fd < 0)
		return -1;
	if (!getsockname(fd, at, &len) && tcp_same_host(at, wanted) && (!*tcp_port(wanted) || *tcp_port(wanted) == *tcp_port(at)))
		return fd;
	close(fd);
	return -1;
}

/* Clients that connect while there is no daemon wait for the next one. */
static void tcp_keep(unsigned i, int fd, const char *where)
{
	struct err e = ERR_INIT;
	char name[KEEP_NAME];

	tcp_kept_name(i, name);
	if (keep_fd(name, fd, &e))
		log_warn("'%s': %s", where, e.text);
}

void nbd_tcp_drop(unsigned i)
{
	char name[KEEP_NAME];

	tcp_kept_name(i, name);
	keep_drop(name);
}

static int tcp_bind(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, TCP_FLAGS, 0), one = 1, r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* Listens on one address. *PORT is the port that the first one got, if the user left the choice; in network order. */
static int tcp_listen_one(struct nbd *n, const struct addrinfo *ai, in_port_t *port, const char *where, struct err *e)
{
	struct sockaddr_storage got;
	socklen_t len = sizeof(got);
	unsigned i = n->n_listeners;
	int fd, r;

	if (*port)
		*tcp_port(ai->ai_addr) = *port;
	fd = tcp_resume(i, ai->ai_addr);
	if (fd < 0)
		fd = tcp_bind(ai);
	if (fd < 0)
		return err_set(e, fd, "cannot listen on '%s': %s", where, strerror(-fd));
	if (getsockname(fd, (struct sockaddr *)&got, &len)) {
		r = err_set(e, -errno, "cannot listen on '%s': %s", where, strerror(errno));
		close(fd);
		return r;
	}
	*port = *tcp_port((struct sockaddr *)&got);
	r = nbd_listen_add(n, fd, true, where, e);
	if (!r)
		tcp_keep(i, fd, where);
	return r;
}

static int tcp_may_be_plain(const struct nbd *n, const struct nbd_opts *o, const struct addrinfo *list, struct err *e)
{
	const struct addrinfo *ai;

	for (ai = list; ai; ai = ai->ai_next)
		if (!tcp_is_loopback(ai->ai_addr) && !n->tls && !o->insecure)
			return err_set(e, -EPERM, "'%s' can be reached from other machines, and there are no TLS keys: "
				       "configure TLS, listen on 127.0.0.1, or use --insecure", o->tcp);
	return 0;
}

/* Listens on all of LIST, except for address families that this machine does not have. */
static int tcp_listen_all(struct nbd *n, const struct addrinfo *list, const char *where, in_port_t *port, struct err *e)
{
	const struct addrinfo *ai;
	unsigned before = n->n_listeners;
	int r = err_set(e, -EADDRNOTAVAIL, "'%s' does not resolve to an address", where);

	for (ai = list; ai; ai = ai->ai_next) {
		r = tcp_listen_one(n, ai, port, where, e);
		if (r && r != -EAFNOSUPPORT && r != -EADDRNOTAVAIL)
			return r;
	}
	if (n->n_listeners == before)
		return r;
	e->code = 0;
	return 0;
}

/* A Unix socket belongs to its owner; TCP is open to everybody who can connect. */
static void tcp_say_who_may(const struct nbd *n, const struct nbd_opts *o, const struct addrinfo *list)
{
	bool world = false;
	const char *who;

	for (; list; list = list->ai_next)
		world |= !tcp_is_loopback(list->ai_addr);
	who = world ? "everyone who can reach this machine" : "every user of this machine";
	if (!n->tls)
		log_warn("nbd: %s can read and write every device at %s, in plain text; TLS with keys (--tls-psk, or "
			 "--tls-certificates with --tls-verify-peer) keeps others out", who, n->tcp_at);
	else if (!o->tls_psk && !o->tls_verify)
		log_warn("nbd: %s can read and write every device at %s: client certificates are not required; "
			 "--tls-verify-peer requires them", who, n->tcp_at);
}

int nbd_listen_tcp(struct nbd *n, const struct nbd_opts *o, struct err *e)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list;
	struct tcp_where at;
	in_port_t port = 0;
	int r = tcp_parse(&at, o->tcp, e);

	if (r)
		return r;
	r = getaddrinfo(*at.host ? at.host : NULL, at.port, &hints, &list);
	if (r)
		return err_set(e, -EINVAL, "cannot listen on '%s': %s", o->tcp, gai_strerror(r));
	r = tcp_may_be_plain(n, o, list, e);
	if (!r)
		r = tcp_listen_all(n, list, o->tcp, &port, e);
	if (!r && asprintf(&n->tcp_at, strchr(at.host, ':') ? "[%s]:%u" : "%s:%u", *at.host ? at.host : "localhost",
			   ntohs(port)) < 0) {
		n->tcp_at = NULL;
		r = err_set(e, -ENOMEM, "no memory for an address");
	}
	if (!r)
		tcp_say_who_may(n, o, list);
	freeaddrinfo(list);
	return r;
}
