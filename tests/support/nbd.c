/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests' NBD server and client: see nbd.h. */
#include "support/nbd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

void nbd_begin(struct nbd_fixture *n, unsigned threads)
{
	nbd_begin_with(n, threads, &(struct nbd_opts){ .memory = 0 });
}

void nbd_begin_with(struct nbd_fixture *n, unsigned threads, const struct nbd_opts *limits)
{
	struct nbd_opts o = *limits;
	struct err e = ERR_INIT;

	memset(n, 0, sizeof(*n));
	fixture_begin(&n->f, threads, AIO_AUTO);
	assert_non_null(mkdtemp(temp_template(n->directory, "nbd")));
	snprintf(n->path, sizeof(n->path), "%s/nbd", n->directory);
	o.unix_path = n->path;
	o.unix_fd = -1;
	if (nbd_new(&n->nbd, n->f.world, &o, &e))
		fail_msg("%s", e.text);
}

void nbd_is_stopped(void *arg)
{
	struct nbd_fixture *n = arg;

	n->stopped = true;
}

void nbd_begin_stop(struct nbd_fixture *n)
{
	nbd_stop(n->nbd, nbd_is_stopped, n);
}

void nbd_wait_stop(struct nbd_fixture *n)
{
	while (!n->stopped)
		loop_turn(n->f.loop, -1);
	nbd_free(n->nbd);
	n->nbd = NULL;
}

void nbd_end(struct nbd_fixture *n)
{
	if (n->nbd) {
		nbd_begin_stop(n);
		nbd_wait_stop(n);
	}
	assert_int_not_equal(access(n->path, F_OK), 0);
	assert_int_equal(rmdir(n->directory), 0);
	fixture_end(&n->f);
}

uint32_t nbd_opens(struct nbd_fixture *n, const char *device)
{
	settle_threads(&n->f);
	return info(&n->f, device).open_count;
}

/* Only wakes up the loop. */
static void nbdc_ready(struct loop_watch *w, uint32_t events)
{
	(void)w;
	(void)events;
}

void nbdc_dial(struct nbd_client *c, struct nbd_fixture *n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*c = (struct nbd_client){ .n = n };
	strcpy(a.sun_path, n->path);
	c->watch.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	c->watch.ready = nbdc_ready;
	assert_int_equal(connect(c->watch.fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(loop_watch(n->f.loop, &c->watch), 0);
}

void nbdc_hang_up(struct nbd_client *c)
{
	loop_unwatch(c->n->f.loop, &c->watch);
	close(c->watch.fd);
}

static void nbdc_wait(struct nbd_client *c, uint32_t events)
{
	loop_rewatch(c->n->f.loop, &c->watch, events);
	loop_turn(c->n->f.loop, -1);
	loop_rewatch(c->n->f.loop, &c->watch, 0);
}

void nbdc_say(struct nbd_client *c, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(c->watch.fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			nbdc_wait(c, EPOLLOUT);
		else if (n < 0)
			return;		/* cut off: the test will notice when it reads */
		else
			p += n, len -= (size_t)n;
	}
}

size_t nbdc_hear(struct nbd_client *c, void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = recv(c->watch.fd, (char *)data + got, len - got, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			nbdc_wait(c, EPOLLIN);
		else if (n <= 0)
			break;
		else
			got += (size_t)n;
	}
	return got;
}

bool nbdc_at_end(struct nbd_client *c)
{
	char ch;

	return nbdc_hear(c, &ch, 1) == 0;
}

void nbdc_greet(struct nbd_client *c)
{
	uint8_t hello[18], flags[4];

	assert_int_equal(nbdc_hear(c, hello, sizeof(hello)), sizeof(hello));
	assert_true(nbd_get64(hello) == NBD_MAGIC && nbd_get64(hello + 8) == NBD_OPT_MAGIC);
	assert_int_equal(nbd_get16(hello + 16), NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES);
	nbd_put32(flags, NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES);
	nbdc_say(c, flags, sizeof(flags));
}

void nbdc_option(struct nbd_client *c, uint32_t option, const void *data, uint32_t len)
{
	uint8_t head[NBD_OPTION_HEAD];

	nbd_put32(nbd_put32(nbd_put64(head, NBD_OPT_MAGIC), option), len);
	nbdc_say(c, head, sizeof(head));
	nbdc_say(c, data, len);
}

uint32_t nbdc_option_reply(struct nbd_client *c, uint32_t option, char *data, uint32_t *len)
{
	uint8_t head[20];

	assert_int_equal(nbdc_hear(c, head, sizeof(head)), sizeof(head));
	assert_true(nbd_get64(head) == NBD_REP_MAGIC);
	assert_int_equal(nbd_get32(head + 8), option);
	*len = nbd_get32(head + 16);
	assert_true(*len < NBD_OPTION_MAX);
	assert_int_equal(nbdc_hear(c, data, *len), *len);
	data[*len] = '\0';
	return nbd_get32(head + 12);
}

uint32_t nbdc_go(struct nbd_client *c, uint32_t option, const char *name, uint64_t *size, uint16_t *flags)
{
	uint8_t ask[512], *p = nbd_put32(ask, (uint32_t)strlen(name));
	char data[NBD_OPTION_MAX];
	uint32_t type, len;

	memcpy(p, name, strlen(name));
	p = nbd_put16(p + strlen(name), 0);
	nbdc_option(c, option, ask, (uint32_t)(p - ask));
	while ((type = nbdc_option_reply(c, option, data, &len)) == NBD_REP_INFO) {
		const uint8_t *d = (const uint8_t *)data;

		if (nbd_get16(d) == NBD_INFO_EXPORT && size) {
			*size = nbd_get64(d + 2);
			*flags = nbd_get16(d + 10);
		}
	}
	return type;
}

uint32_t nbdc_meta(struct nbd_client *c, uint32_t option, const char *name, const char *query)
{
	uint8_t ask[512], *p = nbd_put32(ask, (uint32_t)strlen(name));
	char data[NBD_OPTION_MAX];
	uint32_t first, len;

	memcpy(p, name, strlen(name));
	p = nbd_put32(p + strlen(name), query != NULL);
	if (query) {
		p = nbd_put32(p, (uint32_t)strlen(query));
		memcpy(p, query, strlen(query));
		p += strlen(query);
	}
	nbdc_option(c, option, ask, (uint32_t)(p - ask));
	first = nbdc_option_reply(c, option, data, &len);
	if (first == NBD_REP_META_CONTEXT)
		assert_int_equal(nbdc_option_reply(c, option, data, &len), NBD_REP_ACK);
	return first;
}

void nbdc_open(struct nbd_client *c, struct nbd_fixture *n, const char *name, bool structured)
{
	char data[NBD_OPTION_MAX];
	uint32_t len;

	nbdc_dial(c, n);
	nbdc_greet(c);
	c->structured = structured;
	if (structured) {
		nbdc_option(c, NBD_OPT_STRUCTURED_REPLY, "", 0);
		assert_int_equal(nbdc_option_reply(c, NBD_OPT_STRUCTURED_REPLY, data, &len), NBD_REP_ACK);
		assert_int_equal(nbdc_meta(c, NBD_OPT_SET_META_CONTEXT, name, "base:allocation"),
				 NBD_REP_META_CONTEXT);
	}
	assert_int_equal(nbdc_go(c, NBD_OPT_GO, name, NULL, NULL), NBD_REP_ACK);
}

uint8_t *nbdc_put(uint8_t *p, uint16_t cmd, uint16_t flags, uint64_t cookie, uint64_t offset, uint32_t len)
{
	p = nbd_put16(nbd_put16(nbd_put32(p, NBD_REQUEST_MAGIC), flags), cmd);
	return nbd_put32(nbd_put64(nbd_put64(p, cookie), offset), len);
}

void nbdc_ask(struct nbd_client *c, uint16_t cmd, uint16_t flags, uint64_t cookie, uint64_t offset, uint32_t len)
{
	uint8_t head[NBD_REQUEST_HEAD];

	nbdc_put(head, cmd, flags, cookie, offset, len);
	nbdc_say(c, head, sizeof(head));
}

static void nbdc_answer_simple(struct nbd_client *c, struct nbd_answer *a, uint32_t read_len)
{
	uint8_t rest[NBD_SIMPLE_HEAD - 4];

	assert_int_equal(nbdc_hear(c, rest, sizeof(rest)), sizeof(rest));
	a->err = nbd_get32(rest);
	a->cookie = nbd_get64(rest + 4);
	a->len = a->err ? 0 : read_len;
	assert_int_equal(nbdc_hear(c, a->data, a->len), a->len);
}

/* Offset, context or error number precede the data. */
static void nbdc_answer_chunk(struct nbd_client *c, struct nbd_answer *a)
{
	uint8_t rest[NBD_CHUNK_HEAD - 4], lead[8];
	uint32_t n;

	assert_int_equal(nbdc_hear(c, rest, sizeof(rest)), sizeof(rest));
	assert_int_equal(nbd_get16(rest), NBD_REPLY_FLAG_DONE);
	a->type = nbd_get16(rest + 2);
	a->cookie = nbd_get64(rest + 4);
	n = a->type == NBD_REPLY_OFFSET_DATA ? 8 : a->type == NBD_REPLY_ERROR ? 6 : 4;
	a->len = nbd_get32(rest + 12) - n;
	assert_int_equal(nbdc_hear(c, lead, n), n);
	assert_int_equal(nbdc_hear(c, a->data, a->len), a->len);
	if (a->type != NBD_REPLY_ERROR)
		return;
	a->err = nbd_get32(lead);
	assert_int_equal(nbd_get16(lead + 4), a->len);
	snprintf(a->sentence, sizeof(a->sentence), "%.*s", (int)a->len, (char *)a->data);
}

void nbdc_answer(struct nbd_client *c, struct nbd_answer *a, uint32_t read_len)
{
	uint8_t magic[4];

	a->type = NBD_REPLY_NONE;
	a->err = a->len = 0;
	a->sentence[0] = '\0';
	assert_int_equal(nbdc_hear(c, magic, sizeof(magic)), sizeof(magic));
	if (nbd_get32(magic) == NBD_SIMPLE_MAGIC)
		nbdc_answer_simple(c, a, read_len);
	else if (nbd_get32(magic) == NBD_STRUCTURED_MAGIC && c->structured)
		nbdc_answer_chunk(c, a);
	else
		fail_msg("a reply begins with 0x%x", nbd_get32(magic));
}

uint32_t nbdc_do(struct nbd_client *c, struct nbd_answer *a, uint16_t cmd, uint16_t flags, uint64_t offset,
		 uint32_t len, const void *data)
{
	nbdc_ask(c, cmd, flags, offset ^ 0xc00c1e, offset, len);
	if (cmd == NBD_CMD_WRITE)
		nbdc_say(c, data, len);
	nbdc_answer(c, a, cmd == NBD_CMD_READ ? len : 0);
	assert_true(a->cookie == (offset ^ 0xc00c1e));
	if (a->err && c->structured)
		assert_true(strlen(a->sentence) > 8);
	return a->err;
}
