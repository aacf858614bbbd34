/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes -> property list: see plist.h. The grammar is that of NetBSD's proplib, plus blanks inside tags: <plist> around
 * one <dict>, which contains only dict, array, key, string, integer, data, true, false. Nothing recurses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/plist_scan.h"
#include "proto/plist_text.h"

struct read_level {
	plist_t list;
	bool dict;
	unsigned n;			/* elements so far; in a dictionary an odd number means that a key has no value yet: */
	const char *key, *key_end;
};

struct read {
	struct scan scan;
	unsigned depth, nodes, most;
	plist_t root;
	struct read_level level[PLIST_DEPTH_MAX];
};

static int read_no_memory(struct read *r)
{
	return err_set(r->scan.e, -ENOMEM, "no memory for a message of %zu bytes", (size_t)(r->scan.end - r->scan.begin));
}

static char *read_key(const struct read_level *in)
{
	char *key = malloc((size_t)(in->key_end - in->key) + 1);

	if (key)
		key[plist_text_decode(in->key, in->key_end, key)] = '\0';
	return key;
}

/* Adds NODE, or NULL if there was no memory for it, to the innermost list. */
static int read_put(struct read *r, plist_t node)
{
	struct read_level *in = &r->level[r->depth - 1];
	char *key;

	if (!node)
		return read_no_memory(r);
	if (!r->depth) {
		r->root = node;
	} else if (!in->dict) {
		plist_array_append_item(in->list, node);
	} else if ((key = read_key(in))) {
		plist_dict_take_item(in->list, key, node);
	} else {
		plist_free(node);
		return read_no_memory(r);
	}
	return 0;
}

static int read_bytes(struct read *r, plist_type type, const char *from, const char *end)
{
	plist_t node = plist_new_bytes(type, (size_t)(end - from));

	if (node)
		plist_cut(node, (type == PLIST_DATA ? plist_data_decode : plist_text_decode)(from, end, plist_bytes(node)));
	return read_put(r, node);
}

static int read_integer(struct read *r, const char *from, const char *end)
{
	uint64_t v;
	bool minus;

	if (!plist_integer(from, end, &v, &minus))
		return scan_fail(&r->scan, from, "<integer>%.*s</integer> is not a 64-bit integer",
				 end - from > 40 ? 40 : (int)(end - from), from);
	return read_put(r, plist_new_int(v, minus));
}

static int read_data(struct read *r, const char *from, const char *end)
{
	const char *bad = plist_data_bad(from, end);

	return bad ? scan_fail(&r->scan, bad, "<data> is not valid base64") :
		     read_bytes(r, PLIST_DATA, from, end);
}

static int read_content(struct read *r, const struct scan_tag *t, const char *from, const char *end)
{
	const char *bad;

	if (t->kind == KIND_INTEGER)
		return read_integer(r, from, end);
	if (t->kind == KIND_DATA)
		return read_data(r, from, end);
	if (t->kind == KIND_KEY && from == end)
		return scan_fail(&r->scan, t->at, "a key must have a name");
	if ((bad = plist_entity_bad(from, end)))
		return scan_fail(&r->scan, bad, "'&' does not begin &amp; &lt; &gt; &apos; &quot; or the number of a "
				 "character");
	if (t->kind == KIND_STRING)
		return read_bytes(r, PLIST_STRING, from, end);
	r->level[r->depth - 1].key = from;
	r->level[r->depth - 1].key_end = end;
	return 0;
}

/* <string>, <key> and so on: the text and the closing tag. */
static int read_text(struct read *r, const struct scan_tag *t)
{
	struct scan *s = &r->scan;
	const char *from = s->at, *end = memchr(from, '<', (size_t)(s->end - from));
	struct scan_tag close;
	size_t good;
	int code;

	if (!end)
		return scan_fail(s, t->at, "<%s> is not closed", scan_names[t->kind]);
	good = plist_text_good(from, (size_t)(end - from));
	if (from + good < end)
		return scan_fail(s, from + good, "byte 0x%02x inside <%s>: text must be UTF-8 without control characters%s",
				 (unsigned char)from[good], scan_names[t->kind],
				 t->kind == KIND_STRING ? "; use <data> for other bytes" : "");
	code = read_content(r, t, from, end);
	if (code)
		return code;
	s->at = end;
	if (scan_tag(s, &close))
		return -EIO;
	if (!close.close || close.kind != t->kind)
		return scan_fail(s, end, "<%s> is closed by a different tag", scan_names[t->kind]);
	return 0;
}

/* An element begins inside the innermost dictionary or array. */
static int read_place(struct read *r, const struct scan_tag *t)
{
	struct read_level *in = &r->level[r->depth - 1];
	struct scan *s = &r->scan;

	if (++r->nodes > r->most)
		return scan_fail(s, t->at, "more than %u elements; use the string `table` for a long table",
				 r->most);
	if (!in->dict)
		return t->kind == KIND_KEY ? scan_fail(s, t->at, "a <key> inside an array") : 0;
	if (in->n++ % 2)
		return t->kind == KIND_KEY ? scan_fail(s, t->at, "<key> instead of the value of a key") : 0;
	if (t->kind != KIND_KEY)
		return scan_fail(s, t->at, "<%s> instead of <key>", scan_names[t->kind]);
	return in->n < 2 * PLIST_KEYS_MAX ? 0 : scan_fail(s, t->at, "more than %u keys in a dictionary", PLIST_KEYS_MAX);
}

/* An element written as <x/>. */
static int read_empty(struct read *r, const struct scan_tag *t)
{
	switch (t->kind) {
	case KIND_INTEGER:
		return scan_fail(&r->scan, t->at, "an <integer/> without digits");
	case KIND_DICT:
		return read_put(r, plist_new_dict());
	case KIND_ARRAY:
		return read_put(r, plist_new_array());
	case KIND_TRUE:
	case KIND_FALSE:
		return read_put(r, plist_new_bool(t->kind == KIND_TRUE));
	default:
		return read_put(r, plist_new_bytes(t->kind == KIND_DATA ? PLIST_DATA : PLIST_STRING, 0));
	}
}

static int read_into(struct read *r, const struct scan_tag *t)
{
	plist_t list = t->kind == KIND_DICT ? plist_new_dict() : plist_new_array();
	int code;

	if (r->depth == PLIST_DEPTH_MAX) {
		plist_free(list);
		return scan_fail(&r->scan, t->at, "dictionaries and arrays are nested more than %d deep", PLIST_DEPTH_MAX);
	}
	code = read_put(r, list);
	if (!code)
		r->level[r->depth++] = (struct read_level){ .list = list, .dict = t->kind == KIND_DICT };
	return code;
}

static int read_open(struct read *r, const struct scan_tag *t)
{
	int code;

	if (t->kind == KIND_PLIST)
		return scan_fail(&r->scan, t->at, "a <plist> inside a <plist>");
	if (r->depth && (code = read_place(r, t)))
		return code;
	if (t->kind == KIND_KEY && t->empty)
		return scan_fail(&r->scan, t->at, "a key must have a name");
	if ((t->kind == KIND_TRUE || t->kind == KIND_FALSE) && !t->empty)
		return scan_fail(&r->scan, t->at, "<%s> is written <%s/>", scan_names[t->kind], scan_names[t->kind]);
	if (t->empty)
		return read_empty(r, t);
	return t->kind == KIND_DICT || t->kind == KIND_ARRAY ? read_into(r, t) : read_text(r, t);
}

static int read_close(struct read *r, const struct scan_tag *t)
{
	const struct read_level *in = &r->level[r->depth - 1];

	if (!r->depth || t->kind != (in->dict ? KIND_DICT : KIND_ARRAY))
		return scan_fail(&r->scan, t->at, "</%s> without an opening tag", scan_names[t->kind]);
	r->depth--;
	return in->dict && in->n % 2 ? scan_fail(&r->scan, t->at, "the dictionary's last key has no value") : 0;
}

static int read_root(struct read *r)
{
	struct scan *s = &r->scan;
	struct scan_tag t;
	int code;

	if (scan_skip(s, false) || scan_tag(s, &t))
		return -EIO;
	if (t.kind != KIND_DICT || t.close)
		return scan_fail(s, t.at, "the top element is not <dict>");
	code = read_open(r, &t);
	while (!code && r->depth)
		if (scan_skip(s, false) || scan_tag(s, &t))
			code = -EIO;
		else
			code = t.close ? read_close(r, &t) : read_open(r, &t);
	return code;
}

static int read_all(struct read *r)
{
	struct scan *s = &r->scan;
	struct scan_tag t;
	int code;

	if (scan_skip(s, true) || scan_tag(s, &t))
		return -EIO;
	if (t.kind != KIND_PLIST || t.close || t.empty)
		return scan_fail(s, t.at, "the outermost element is not <plist>");
	code = read_root(r);
	if (code)
		return code;
	if (scan_skip(s, false) || scan_tag(s, &t))
		return -EIO;
	if (t.kind != KIND_PLIST || !t.close)
		return scan_fail(s, t.at, "<plist> holds more than one <dict>");
	if (scan_skip(s, false))
		return -EIO;
	/* proplib also sends the NUL of its C string; like there, nothing after a NUL is read. */
	return s->at < s->end && *s->at ? scan_fail(s, s->at, "data after </plist>") : 0;
}

int plist_read(const char *bytes, size_t n, unsigned most, plist_t *out, struct err *e)
{
	struct read r = { .scan = { bytes, bytes, bytes + n, e }, .most = most };
	int code = scan_start(&r.scan);

	if (!code)
		code = read_all(&r);
	if (code)
		plist_free(r.root);
	*out = code ? NULL : r.root;
	return code;
}

int plist_check_start(const char *bytes, size_t n, struct err *e)
{
	struct scan s = { bytes, bytes, bytes + n, e };

	return scan_start(&s);
}
