/* SPDX-License-Identifier: BSD-2-Clause */
/* Property list -> bytes: see plist.h. One element per line, indented by a tab per level, as Apple's tools do. */
#include <errno.h>
#include <string.h>

#include "proto/plist.h"
#include "proto/plist_text.h"

#define WRITE_COLUMNS 76	/* of a line of base64, tabs included */
#define WRITE_TAB 8

static const char write_head[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	"<plist version=\"1.0\">\n";
static const char write_end[] = "</plist>\n";

struct write {
	struct text *out;
	size_t end;		/* OUT must not become longer than this */
	bool lacking;
};

static void write_tabs(struct write *w, unsigned depth)
{
	while (depth--)
		text_add_n(w->out, "\t", 1);
}

/*
 * '<', '>' and '&' have entities; a carriage return has a number, or XML parsers would read a line feed; everything
 * else is unchanged.
 */
static void write_escaped(struct write *w, const char *s)
{
	size_t plain;

	for (;; s++) {
		plain = strcspn(s, "<>&\r");
		text_add_n(w->out, s, plain);
		s += plain;
		if (!*s || w->out->len > w->end)
			return;
		text_add(w->out, *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '&' ? "&amp;" : "&#13;");
	}
}

/* Encodes three bytes, or what is left, as four characters. */
static void write_quartet(struct write *w, const unsigned char *p, size_t left)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v = (uint32_t)p[0] << 16 | (left > 1 ? (uint32_t)p[1] << 8 : 0) | (left > 2 ? p[2] : 0);
	char four[4] = { all[v >> 18], all[v >> 12 & 63], left > 1 ? all[v >> 6 & 63] : '=', left > 2 ? all[v & 63] : '=' };

	text_add_n(w->out, four, sizeof(four));
}

static void write_data(struct write *w, const unsigned char *data, size_t n, unsigned depth)
{
	unsigned tabs = depth > WRITE_TAB ? WRITE_TAB : depth;
	size_t at, line = (WRITE_COLUMNS - tabs * WRITE_TAB) / 4 * 3;

	text_add(w->out, "<data>\n");
	for (at = 0; at < n && w->out->len <= w->end; at += 3) {
		if (at % line == 0)
			write_tabs(w, tabs);
		write_quartet(w, data + at, n - at);
		if (at + 3 >= n || (at + 3) % line == 0)
			text_add(w->out, "\n");
	}
	write_tabs(w, depth);
	text_add(w->out, "</data>");
}

static void write_integer(struct write *w, plist_t node)
{
	uint64_t v = plist_uint(node);
	bool minus = plist_minus(node);

	text_add(w->out, minus ? "<integer>-" : "<integer>");
	text_add_u64(w->out, minus ? -v : v);
	text_add(w->out, "</integer>");
}

/* Bytes that are not text are written as data. */
static void write_string(struct write *w, const char *s, unsigned depth)
{
	size_t n = strlen(s);

	if (plist_text_good(s, n) < n) {
		write_data(w, (const unsigned char *)s, n, depth);
		return;
	}
	text_add(w->out, "<string>");
	write_escaped(w, s);
	text_add(w->out, "</string>");
}

static void write_node(struct write *w, plist_t node, unsigned depth);

static void write_list(struct write *w, plist_t list, unsigned depth)
{
	bool dict = plist_get_node_type(list) == PLIST_DICT;
	plist_t at = plist_first(list);

	if (!at) {
		text_add(w->out, dict ? "<dict/>" : "<array/>");
		return;
	}
	text_add(w->out, dict ? "<dict>\n" : "<array>\n");
	for (; at && w->out->len <= w->end; at = plist_next(at)) {
		if (dict) {
			write_tabs(w, depth + 1);
			text_add(w->out, "<key>");
			write_escaped(w, plist_key(at));
			text_add(w->out, "</key>\n");
		}
		write_node(w, at, depth + 1);
	}
	write_tabs(w, depth);
	text_add(w->out, dict ? "</dict>" : "</array>");
}

static void write_node(struct write *w, plist_t node, unsigned depth)
{
	const unsigned char *data;
	size_t n;

	w->lacking = w->lacking || plist_lacking(node);
	write_tabs(w, depth);
	switch (plist_get_node_type(node)) {
	case PLIST_DICT:
	case PLIST_ARRAY:
		write_list(w, node, depth);
		break;
	case PLIST_STRING:
		write_string(w, plist_string(node), depth);
		break;
	case PLIST_UINT:
		write_integer(w, node);
		break;
	case PLIST_BOOLEAN:
		text_add(w->out, plist_bool(node) ? "<true/>" : "<false/>");
		break;
	case PLIST_DATA:
		data = plist_data(node, &n);
		write_data(w, data, n, depth);
		break;
	case PLIST_NONE:
		break;
	}
	text_add_n(w->out, "\n", 1);
}

int plist_write(plist_t node, size_t most, struct text *out)
{
	struct write w = { .out = out, .end = out->len + most };

	text_add_n(out, write_head, sizeof(write_head) - 1);
	write_node(&w, node, 0);
	text_add_n(out, write_end, sizeof(write_end) - 1);
	if (out->failed || w.lacking)
		return -ENOMEM;
	return out->len > w.end ? -EMSGSIZE : 0;
}

/* An entity has at most five bytes; base64 with its tabs has fewer than five bytes for each one. */
#define MOST_ESCAPED 5u
#define MOST_TAGS 32u		/* "<integer>", "</integer>", a line feed, three bytes that fill base64 up */
#define MOST_DIGITS 20u

/* Of a string or data, a list or an integer, whichever NODE is. */
static size_t most_node(plist_t node, unsigned depth)
{
	size_t most, n;
	plist_t at;

	plist_data(node, &n);
	most = MOST_TAGS + MOST_DIGITS + 2 * depth + MOST_ESCAPED * (n + plist_room(node));
	for (at = plist_first(node); at; at = plist_next(at))
		most += MOST_TAGS + depth + 1 + MOST_ESCAPED * (plist_key(at) ? strlen(plist_key(at)) : 0) + most_node(at, depth + 1);
	return most;
}

size_t plist_most(plist_t node)
{
	return sizeof(write_head) + sizeof(write_end) + most_node(node, 0);
}
