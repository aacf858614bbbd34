/* SPDX-License-Identifier: BSD-2-Clause */
/* The framing of the handshake: greeting, the client's flags, one option after another, and the replies to them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "fronts/nbd/server.h"

#define HANDSHAKE_GREETING 18
#define HANDSHAKE_REPLY_HEAD 20

struct handshake_out {
	struct nbd_out out;
	size_t size;
	uint8_t bytes[];
};

static void handshake_sent(struct nbd_conn *c, struct nbd_out *o)
{
	struct handshake_out *h = container(o, struct handshake_out, out);
	struct nbd *n = c->nio->nbd;

	budget_give(&n->memory.budget, h->size);
	free(h);
	if (atomic_load(&n->memory.starved))
		nbd_pressure_feed(n);
}

/* Queues LEN bytes, to be filled at once. NULL: no memory, and the connection is given up. */
static uint8_t *handshake_room(struct nbd_conn *c, size_t len)
{
	struct budget *budget = &c->nio->nbd->memory.budget;
	size_t size = sizeof(struct handshake_out) + len;
	struct handshake_out *h = budget_take(budget, size) ? malloc(size) : NULL;

	if (!h) {
		nbd_conn_die(c);
		return NULL;
	}
	h->size = size;
	h->out = (struct nbd_out){ .head = h->bytes, .head_len = (uint32_t)len, .done = handshake_sent };
	nbd_conn_send(c, &h->out);
	return h->bytes;
}

void nbd_handshake_raw(struct nbd_conn *c, const void *data, size_t len)
{
	uint8_t *p = c->phase == NBD_DEAD ? NULL : handshake_room(c, len);

	if (p)
		memcpy(p, data, len);
}

void nbd_handshake_greet(struct nbd_conn *c)
{
	uint8_t hello[HANDSHAKE_GREETING], *p = hello;

	p = nbd_put64(p, NBD_MAGIC);
	p = nbd_put64(p, NBD_OPT_MAGIC);
	nbd_put16(p, NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES);
	nbd_handshake_raw(c, hello, sizeof(hello));
}

void nbd_handshake_reply(struct nbd_conn *c, uint32_t type, const void *data, size_t len)
{
	uint8_t *p = c->phase == NBD_DEAD ? NULL : handshake_room(c, HANDSHAKE_REPLY_HEAD + len);

	if (!p)
		return;
	p = nbd_put64(p, NBD_REP_MAGIC);
	p = nbd_put32(p, c->option);
	p = nbd_put32(p, type);
	p = nbd_put32(p, (uint32_t)len);
	if (len)
		memcpy(p, data, len);
}

void nbd_handshake_refuse(struct nbd_conn *c, uint32_t type, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->option == NBD_OPT_EXPORT_NAME) {		/* can be refused only by closing the connection */
		nbd_conn_reject(c, "%s", text);
		return;
	}
	nbd_handshake_reply(c, type, text, strlen(text));
}

static bool handshake_flags(struct nbd_conn *c)
{
	uint32_t flags;

	if (nbd_conn_got(c) < sizeof(flags))
		return false;
	flags = nbd_get32(c->rx + c->rx_at);
	c->rx_at += sizeof(flags);
	if (flags & ~(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES)) {
		nbd_conn_reject(c, "unknown handshake flags in 0x%x: only 0x3 are defined", flags);
		return false;
	}
	c->no_zeroes = flags & NBD_NO_ZEROES;
	c->phase = NBD_OPTIONS;
	return true;
}

static bool handshake_option(struct nbd_conn *c)
{
	const uint8_t *p = c->rx + c->rx_at;

	if (nbd_conn_got(c) < NBD_OPTION_HEAD)
		return false;
	if (nbd_get64(p) != NBD_OPT_MAGIC) {
		nbd_conn_reject(c, "invalid magic of a handshake option");
		return false;
	}
	c->option = nbd_get32(p + 8);
	c->option_len = nbd_get32(p + 12);
	if (c->option_len > NBD_OPTION_MAX) {
		c->rx_at += NBD_OPTION_HEAD;
		c->skip = c->option_len;
		nbd_handshake_refuse(c, NBD_REP_ERR_TOO_BIG, "option %u has %u bytes of data: the limit is %u",
				     c->option, c->option_len, NBD_OPTION_MAX);
		return true;
	}
	if (nbd_conn_got(c) < NBD_OPTION_HEAD + c->option_len)
		return false;
	c->rx_at += NBD_OPTION_HEAD + c->option_len;
	nbd_option(c, p + NBD_OPTION_HEAD);
	return true;
}

bool nbd_handshake_step(struct nbd_conn *c)
{
	return c->phase == NBD_GREETED ? handshake_flags(c) : handshake_option(c);
}
