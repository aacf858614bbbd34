/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON from property lists: see json.h. */
#include "proto/json.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static void json_break(struct text *out, unsigned depth)
{
	text_add(out, "\n");
	while (depth--)
		text_add(out, "  ");
}

/* Each byte that is not UTF-8 becomes a lone surrogate, as with Python's surrogateescape. */
static void json_string(struct text *out, const char *s, size_t left)
{
	size_t n;

	text_add(out, "\"");
	for (; left; s += n, left -= n) {
		n = utf8_char(s, left);
		if (!n)
			text_printf(out, "\\udc%02x", (unsigned char)*s);
		else if (*s == '"' || *s == '\\')
			text_printf(out, "\\%c", *s);
		else if (*s == '\n')
			text_add(out, "\\n");
		else if (*s == '\t')
			text_add(out, "\\t");
		else if (utf8_control(*s))
			text_printf(out, "\\u%04x", (unsigned char)*s);
		else
			text_add_n(out, s, n);
		n = n ? n : 1;
	}
	text_add(out, "\"");
}

static void json_data(struct text *out, plist_t node)
{
	size_t n;
	const char *data = plist_data(node, &n);

	json_string(out, data, n);
}

static void json_list(struct text *out, plist_t list, unsigned depth)
{
	bool dict = plist_get_node_type(list) == PLIST_DICT;
	plist_t at;

	text_add(out, dict ? "{" : "[");
	for (at = plist_first(list); at; at = plist_next(at)) {
		json_break(out, depth + 1);
		if (dict) {
			json_string(out, plist_key(at), strlen(plist_key(at)));
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
		json_string(out, plist_string(node), strlen(plist_string(node)));
		break;
	case PLIST_DATA:
		json_data(out, node);
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
