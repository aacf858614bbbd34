/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may stand between the tags of a property list: UTF-8 without control
 * characters (one pass, plain ASCII at full speed), entities, numbers, base64.
 */
#include "proto/dict_text.h"

#include <string.h>

static const bool text_plain[256] = {
	['\t'] = true, ['\n'] = true, ['\r'] = true, [0x20 ... 0x7e] = true,
};

/* Bytes of the character at S, which is none of ASCII; 0 if it is not well formed. */
static size_t text_wide(const unsigned char *s, size_t n)
{
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2, i;
	uint32_t c = s[0] & (0xffu >> (len + 1));
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff)
		return 0;
	return len;
}

size_t dict_text_good(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t at = 0, wide;

	for (;;) {
		while (at < n && text_plain[u[at]])
			at++;
		if (at == n || u[at] < 0x80)
			return at;
		wide = text_wide(u + at, n - at);
		if (!wide)
			return at;
		at += wide;
	}
}

bool dict_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

/* The value of a digit in any base up to 16; 16 or more if it is none. */
static unsigned text_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return (unsigned)(ch - '0');
	ch |= 0x20;
	return ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a') + 10 : 16;
}

/* Digits of BASE that give no more than MOST, and nothing else. */
static bool text_number(const char *p, const char *end, unsigned base, uint64_t most, uint64_t *v)
{
	for (*v = 0; p < end; p++) {
		unsigned d = text_digit(*p);

		if (d >= base || *v > (most - d) / base)
			return false;
		*v = *v * base + d;
	}
	return true;
}

bool dict_integer_good(const char *from, const char *end)
{
	uint64_t v, most = UINT64_MAX;

	while (from < end && dict_blank(*from))
		from++;
	while (end > from && dict_blank(end[-1]))
		end--;
	if (from < end && *from == '-')
		most = (uint64_t)1 << 63;
	if (from < end && (*from == '-' || *from == '+'))
		from++;
	if (from == end)
		return false;
	if (end - from > 2 && from[0] == '0' && (from[1] | 0x20) == 'x')
		return text_number(from + 2, end, 16, most, &v);
	return text_number(from, end, *from == '0' ? 8 : 10, most, &v);
}

/* A character that XML may name by its number. */
static bool text_character(uint64_t v)
{
	if (v < 0x20)
		return v == '\t' || v == '\n' || v == '\r';
	return v != 0x7f && !(v >= 0xd800 && v < 0xe000) && v != 0xfffe && v != 0xffff && v <= 0x10ffff;
}

/* What stands between '&' and ';'. */
static bool text_entity(const char *name, size_t n)
{
	static const char *const known[] = { "amp", "lt", "gt", "apos", "quot" };
	bool hex = n > 1 && name[1] == 'x';
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i]) == n && !memcmp(known[i], name, n))
			return true;
	return n > 1 + (size_t)hex && name[0] == '#' &&
	       text_number(name + 1 + hex, name + n, hex ? 16 : 10, 0x10ffff, &v) && text_character(v);
}

const char *dict_entity_bad(const char *from, const char *end)
{
	const char *semi;

	for (; (from = memchr(from, '&', (size_t)(end - from))); from = semi) {
		semi = memchr(from, ';', (size_t)(end - from > 10 ? 10 : end - from));
		if (!semi || !text_entity(from + 1, (size_t)(semi - from - 1)))
			return from;
	}
	return NULL;
}

static bool text_base64(char ch)
{
	static const char others[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return memchr(others, ch, sizeof(others) - 1);
}

const char *dict_data_bad(const char *from, const char *end)
{
	bool filled = false;
	size_t n = 0;

	for (; from < end; from++) {
		if (dict_blank(*from))
			continue;
		if (*from == '=' ? n % 4 < 2 : filled || !text_base64(*from))
			return from;
		filled = *from == '=';
		n++;
	}
	return n % 4 ? end : NULL;	/* libplist would drop what is no whole quartet */
}
