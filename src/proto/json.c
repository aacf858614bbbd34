/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON from property lists: see json.h. */
#include "proto/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

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

static void json_array(struct text *out, plist_t node, unsigned depth)
{
	const char *comma = "";
	plist_array_iter at = NULL;
	plist_t item = NULL;

	text_add(out, "[");
	plist_array_new_iter(node, &at);
	for (plist_array_next_item(node, at, &item); item; plist_array_next_item(node, at, &item)) {
		text_add(out, comma);
		json_break(out, depth + 1);
		json_add_at(out, item, depth + 1);
		comma = ",";
	}
	free(at);
	if (*comma)
		json_break(out, depth);
	text_add(out, "]");
}

static void json_dict(struct text *out, plist_t node, unsigned depth)
{
	const char *comma = "";
	plist_dict_iter at = NULL;
	plist_t item = NULL;
	char *key = NULL;

	text_add(out, "{");
	plist_dict_new_iter(node, &at);
	for (plist_dict_next_item(node, at, &key, &item); item; plist_dict_next_item(node, at, &key, &item)) {
		text_add(out, comma);
		json_break(out, depth + 1);
		json_string(out, key);
		text_add(out, ": ");
		json_add_at(out, item, depth + 1);
		comma = ",";
		free(key);
	}
	free(at);
	if (*comma)
		json_break(out, depth);
	text_add(out, "}");
}

/* JSON has no infinity and no not-a-number. */
static void json_real(struct text *out, plist_t node)
{
	double v = 0;

	plist_get_real_val(node, &v);
	if (isfinite(v))
		text_printf(out, "%.17g", v);
	else
		text_add(out, "null");
}

static void json_integer(struct text *out, plist_t node)
{
	uint64_t v = 0;

	plist_get_uint_val(node, &v);
	text_printf(out, "%" PRIu64, v);
}

static void json_boolean(struct text *out, plist_t node)
{
	uint8_t v = 0;

	plist_get_bool_val(node, &v);
	text_add(out, v ? "true" : "false");
}

void json_add_at(struct text *out, plist_t node, unsigned depth)
{
	switch (plist_get_node_type(node)) {
	case PLIST_DICT:
		json_dict(out, node, depth);
		break;
	case PLIST_ARRAY:
		json_array(out, node, depth);
		break;
	case PLIST_STRING:
		json_string(out, plist_get_string_ptr(node, NULL));
		break;
	case PLIST_UINT:
		json_integer(out, node);
		break;
	case PLIST_REAL:
		json_real(out, node);
		break;
	case PLIST_BOOLEAN:
		json_boolean(out, node);
		break;
	default:
		text_add(out, "null");
	}
}

void json_add(struct text *out, plist_t node)
{
	json_add_at(out, node, 0);
}
