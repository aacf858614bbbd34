/* SPDX-License-Identifier: BSD-2-Clause */
/* What each option of the handshake does. Only the control thread knows exports: options ask it, then reply. */
#include <errno.h>

#include "fronts/nbd/server.h"

static void option_list_answer(struct nbd_conn *c)
{
	const struct text *list = &c->ask.list;
	size_t at, len;

	for (at = 0; at < list->len; at += len + 1) {
		uint8_t entry[4 + DM_NAME_MAX];

		len = strlen(list->s + at);
		memcpy(nbd_put32(entry, (uint32_t)len), list->s + at, len);
		nbd_handshake_reply(c, NBD_REP_SERVER, entry, 4 + len);
	}
	nbd_handshake_reply(c, NBD_REP_ACK, NULL, 0);
	text_free(&c->ask.list);
}

/* The answer has arrived: the device that was opened belongs to the connection, even if it no longer waits for it. */
static void option_answered(struct loop_msg *msg)
{
	struct nbd_ask *a = container(msg, struct nbd_ask, msg);
	struct nbd_conn *c = container(a, struct nbd_conn, ask);

	c->asking = false;
	c->device = a->device;
	nbd_conn_wake(c);
	if (c->phase != NBD_OPTIONS)
		return;
	if (!a->err.code)
		a->then(c);
	else
		nbd_handshake_refuse(c, a->err.code == -ESHUTDOWN ? NBD_REP_ERR_SHUTDOWN : NBD_REP_ERR_UNKNOWN, "%s",
				     a->err.text);
}

void nbd_option_ask(struct nbd_conn *c, enum nbd_ask_kind kind, const uint8_t *name, size_t len,
		    void (*then)(struct nbd_conn *c))
{
	struct nbd_ask *a = &c->ask;

	if (len > DM_NAME_MAX || memchr(name, 0, len)) {
		nbd_handshake_refuse(c, NBD_REP_ERR_UNKNOWN, "no such export: names have 1 to %d bytes",
				     DM_NAME_MAX);
		return;
	}
	memcpy(a->name, name, len);
	a->name[len] = '\0';
	a->kind = kind;
	a->then = then;
	a->answered = option_answered;
	a->msg.run = nbd_export_answer;
	c->asking = true;
	loop_post(c->nio->io->world->loop, &a->msg);
}

static bool option_is_bare(struct nbd_conn *c)
{
	if (c->option_len)
		nbd_handshake_refuse(c, NBD_REP_ERR_INVALID, "option %u takes no data, but has %u bytes",
				     c->option, c->option_len);
	return !c->option_len;
}

static void option_enter(struct nbd_conn *c)
{
	c->export = c->ask.export;
	if (!c->structured)
		c->export.flags &= (uint16_t)~NBD_FLAG_SEND_DF;
	c->meta = c->meta && !strcmp(c->meta_name, c->ask.name);
	if (c->phase != NBD_OPTIONS)	/* the connection may have been given up for lack of memory */
		return;
	c->phase = NBD_TRANSMISSION;
	timer_stop(&c->patience);
}

static void option_export_name_answer(struct nbd_conn *c)
{
	uint8_t answer[8 + 2 + 124] = { 0 };

	option_enter(c);
	nbd_put16(nbd_put64(answer, c->export.size), c->export.flags);
	nbd_handshake_raw(c, answer, c->no_zeroes ? 10 : sizeof(answer));
}

static void option_info_text(struct nbd_conn *c, enum nbd_info what, const char *s)
{
	uint8_t info[2 + sizeof(c->export.about) + DM_NAME_MAX];
	size_t len = strlen(s);

	memcpy(nbd_put16(info, what), s, len);
	nbd_handshake_reply(c, NBD_REP_INFO, info, 2 + len);
}

/* Sends all the information there is, requested or not. */
static void option_info(struct nbd_conn *c)
{
	const struct nbd_export *x = &c->ask.export;
	uint16_t flags = x->flags & (uint16_t)~(c->structured ? 0 : NBD_FLAG_SEND_DF);
	uint8_t info[2 + 12], *p;

	p = nbd_put16(info, NBD_INFO_EXPORT);
	p = nbd_put64(p, x->size);
	p = nbd_put16(p, flags);
	nbd_handshake_reply(c, NBD_REP_INFO, info, (size_t)(p - info));
	option_info_text(c, NBD_INFO_NAME, x->name);
	option_info_text(c, NBD_INFO_DESCRIPTION, x->about);
	p = nbd_put16(info, NBD_INFO_BLOCK_SIZE);
	p = nbd_put32(p, x->min_block);
	p = nbd_put32(p, x->preferred_block);
	p = nbd_put32(p, NBD_TRANSFER_MAX);
	nbd_handshake_reply(c, NBD_REP_INFO, info, (size_t)(p - info));
	nbd_handshake_reply(c, NBD_REP_ACK, NULL, 0);
}

static void option_go_answer(struct nbd_conn *c)
{
	option_info(c);
	option_enter(c);
}

/* INFO and GO: the length of the name, the name, and a list of requested information, all of which is sent anyway. */
static void option_info_or_go(struct nbd_conn *c, const uint8_t *data)
{
	uint64_t len = c->option_len, name_len = len >= 6 ? nbd_get32(data) : 0;

	if (len < 6 || name_len > len - 6 || len - 6 - name_len != 2u * nbd_get16(data + 4 + name_len)) {
		nbd_handshake_refuse(c, NBD_REP_ERR_INVALID,
				     "the lengths inside option %u do not fit its %u bytes of data", c->option,
				     c->option_len);
		return;
	}
	if (c->option == NBD_OPT_GO)
		nbd_option_ask(c, NBD_ASK_OPEN, data + 4, name_len, option_go_answer);
	else
		nbd_option_ask(c, NBD_ASK_LOOK, data + 4, name_len, option_info);
}

/* What was negotiated in plain text is void, and bytes received already may not come from the peer of the TLS session. */
static void option_starttls(struct nbd_conn *c)
{
	if (!c->nio->nbd->tls) {
		nbd_handshake_refuse(c, NBD_REP_ERR_POLICY, "this server has no TLS keys");
	} else if (c->tls) {
		nbd_handshake_refuse(c, NBD_REP_ERR_INVALID, "TLS is already active");
	} else if (nbd_conn_got(c)) {
		nbd_conn_reject(c, "data before the reply to STARTTLS");
	} else {
		nbd_handshake_reply(c, NBD_REP_ACK, NULL, 0);
		c->structured = c->meta = false;
		if (c->phase == NBD_OPTIONS)
			c->phase = NBD_TLS_AGREED;
	}
}

static void option_bare(struct nbd_conn *c)
{
	switch (c->option) {
	case NBD_OPT_ABORT:
		nbd_handshake_reply(c, NBD_REP_ACK, NULL, 0);
		nbd_conn_finish(c);
		break;
	case NBD_OPT_LIST:
		nbd_option_ask(c, NBD_ASK_LIST, (const uint8_t *)"", 0, option_list_answer);
		break;
	case NBD_OPT_STARTTLS:
		option_starttls(c);
		break;
	default:
		c->structured = true;
		nbd_handshake_reply(c, NBD_REP_ACK, NULL, 0);
	}
}

void nbd_option(struct nbd_conn *c, const uint8_t *data)
{
	if (c->tls_needed && c->option != NBD_OPT_STARTTLS && c->option != NBD_OPT_ABORT) {
		nbd_handshake_refuse(c, NBD_REP_ERR_TLS_REQD, "this address requires TLS: begin with STARTTLS");
		return;
	}
	switch (c->option) {
	case NBD_OPT_EXPORT_NAME:
		nbd_option_ask(c, NBD_ASK_OPEN, data, c->option_len, option_export_name_answer);
		break;
	case NBD_OPT_ABORT:
	case NBD_OPT_LIST:
	case NBD_OPT_STARTTLS:
	case NBD_OPT_STRUCTURED_REPLY:
		if (option_is_bare(c))
			option_bare(c);
		break;
	case NBD_OPT_INFO:
	case NBD_OPT_GO:
		option_info_or_go(c, data);
		break;
	case NBD_OPT_LIST_META_CONTEXT:
	case NBD_OPT_SET_META_CONTEXT:
		nbd_option_meta(c, data);
		break;
	default:
		nbd_handshake_refuse(c, NBD_REP_ERR_UNSUP, "unknown option %u", c->option);
	}
}
