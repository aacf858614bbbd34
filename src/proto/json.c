/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON from property lists: see json.h. */
#include "proto/json.h"

#include <inttypes.h>
#include <stdint.h>

static void json_break(struct text *out, unsigned depth)
{
	text_add(out, "\n");
	while (depth--)
		text_add(out, "  ");
}

static bool json_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the UTF-8 character at S: 1 to 4, or 0 if it is none (overlong, surrogate, too large, cut off). */
static unsigned json_utf8(const unsigned char *s)
{
	if (*s < 0x80)
		return 1;
	if (*s >= 0xc2 && *s <= 0xdf)
		return json_tail(s[1]) ? 2 : 0;
	if (*s >= 0xe0 && *s <= 0xef) {
		if (!json_tail(s[1]) || !json_tail(s[2]))
			return 0;
		return (*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ? 0 : 3;
	}
	if (*s < 0xf0 || *s > 0xf4 || !json_tail(s[1]) || !json_tail(s[2]) || !json_tail(s[3]))
		return 0;
	return (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f) ? 0 : 4;
}

static void json_string(struct text *out, const char *s)
{
	unsigned n;

	text_add(out, "\"");
	for (; *s; s += n ? n : 1) {
		n = json_utf8((const unsigned char *)s);
		if (!n)
			text_add(out, "\xef\xbf\xbd");
		else if (*s == '"' || *s == '\\')
			text_printf(out, "\\%c", *s);
		else if (*s == '\n')
			text_add(out, "\\n");
		else if (*s == '\t')
			text_add(out, "\\t");
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			text_printf(out, "\\u%04x", (unsigned char)*s);
		else
			text_add_n(out, s, n);
	}
	text_add(out, "\"");
}

static void json_list(struct text *out, plist_t list, unsigned depth)
{
	bool dict = plist_get_node_type(list) == PLIST_DICT;
	plist_t at;

	text_add(out, dict ? "{" : "[");
	for (at = plist_first(list); at; at = plist_next(at)) {
		json_break(out, depth + 1);
		if (dict) {
			json_string(out, plist_key(at));
			text_add(out, ": ");
		}
		json_add_at(out, at, depth + 1);
		if (plist_next(at))
			text_add(out, ",");
	}
	if (plist_size(list))
		json_break(out, depth);
	text_add(out, dict ? "}" : "]");
}

static void json_integer(struct text *out, plist_t node)
{
	if (plist_minus(node))
		text_printf(out, "%" PRId64, (int64_t)plist_uint(node));
	else
		text_printf(out, "%" PRIu64, plist_uint(node));
}

void json_add_at(struct text *out, plist_t node, unsigned depth)
{
	out->failed = out->failed || plist_lacking(node);
	switch (plist_get_node_type(node)) {
	case PLIST_DICT:
	case PLIST_ARRAY:
		json_list(out, node, depth);
		break;
	case PLIST_STRING:
		json_string(out, plist_string(node));
		break;
	case PLIST_UINT:
		json_integer(out, node);
		break;
	case PLIST_BOOLEAN:
		text_add(out, plist_bool(node) ? "true" : "false");
		break;
	default:
		text_add(out, "null");
	}
}

void json_add(struct text *out, plist_t node)
{
	json_add_at(out, node, 0);
}
