/* SPDX-License-Identifier: BSD-2-Clause */
/* LIST_META_CONTEXT and SET_META_CONTEXT: there is one context, base:allocation. */
#include "fronts/nbd/server.h"

#define META_CONTEXT "base:allocation"
#define META_NAMESPACE "base:"

static bool meta_is(const uint8_t *query, uint32_t len, const char *what)
{
	return len == strlen(what) && !memcmp(query, what, len);
}

static void meta_answer(struct nbd_conn *c)
{
	uint8_t context[4 + sizeof(META_CONTEXT) - 1];
	bool set = c->option == NBD_OPT_SET_META_CONTEXT;

	if (set) {
		c->meta = c->meta_match;
		memcpy(c->meta_name, c->ask.name, sizeof(c->meta_name));
	}
	memcpy(nbd_put32(context, set ? NBD_CONTEXT_ID : 0), META_CONTEXT, sizeof(META_CONTEXT) - 1);
	if (c->meta_match)
		nbd_handshake_reply(c, NBD_REP_META_CONTEXT, context, sizeof(context));
	nbd_handshake_reply(c, NBD_REP_ACK, NULL, 0);
}

/* From P to END: the number of queries, and the queries. False if they do not fit exactly. */
static bool meta_queries(struct nbd_conn *c, const uint8_t *p, const uint8_t *end)
{
	bool list = c->option == NBD_OPT_LIST_META_CONTEXT;
	uint32_t n = nbd_get32(p);

	p += 4;
	c->meta_match = list && !n;
	while (n--) {
		uint32_t len;

		if (end - p < 4)
			return false;
		len = nbd_get32(p);
		p += 4;
		if (len > end - p)
			return false;
		if (meta_is(p, len, META_CONTEXT) || (list && meta_is(p, len, META_NAMESPACE)))
			c->meta_match = true;
		p += len;
	}
	return p == end;
}

void nbd_option_meta(struct nbd_conn *c, const uint8_t *data)
{
	uint64_t len = c->option_len, name_len = len >= 8 ? nbd_get32(data) : 0;

	if (c->option == NBD_OPT_SET_META_CONTEXT)
		c->meta = false;
	if (len < 8 || name_len > len - 8 || !meta_queries(c, data + 4 + name_len, data + len))
		nbd_handshake_refuse(c, NBD_REP_ERR_INVALID,
				     "the lengths inside option %u do not fit its %u bytes of data", c->option,
				     c->option_len);
	else if (c->option == NBD_OPT_SET_META_CONTEXT && !c->structured)
		nbd_handshake_refuse(c, NBD_REP_ERR_INVALID,
				     "a meta context needs structured replies: negotiate them first");
	else
		nbd_option_ask(c, NBD_ASK_LOOK, data + 4, name_len, meta_answer);
}
