/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text between the tags of a property list: UTF-8 without control characters (one pass, plain ASCII at full speed),
 * entities, numbers, base64.
 */
#include "proto/plist_text.h"

#include <string.h>

#include "base/utf8.h"

static const bool text_plain[256] = {
	['\t'] = true, ['\n'] = true, ['\r'] = true, [0x20 ... 0x7e] = true,
};

/* The length of the non-ASCII character at S; 0 if XML does not allow it: it is not well-formed, U+FFFE, U+FFFF. */
static size_t text_wide(const char *s, size_t n)
{
	size_t len = utf8_char(s, n);

	return len == 3 && (!memcmp(s, "\xef\xbf\xbe", 3) || !memcmp(s, "\xef\xbf\xbf", 3)) ? 0 : len;
}

size_t plist_text_good(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t at = 0, wide;

	for (;;) {
		while (at < n && text_plain[u[at]])
			at++;
		if (at == n || u[at] < 0x80)
			return at;
		wide = text_wide(s + at, n - at);
		if (!wide)
			return at;
		at += wide;
	}
}

bool plist_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

/* The value of a digit in any base up to 16; 16 or more if it is not one. */
static unsigned text_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return (unsigned)(ch - '0');
	ch |= 0x20;
	return ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a') + 10 : 16;
}

/* Digits of BASE, at most MOST, and nothing else. */
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

bool plist_integer(const char *from, const char *end, uint64_t *v, bool *minus)
{
	uint64_t most = UINT64_MAX;
	bool good;

	while (from < end && plist_blank(*from))
		from++;
	while (end > from && plist_blank(end[-1]))
		end--;
	*minus = from < end && *from == '-';
	if (*minus)
		most = (uint64_t)1 << 63;
	if (from < end && (*from == '-' || *from == '+'))
		from++;
	if (end - from > 2 && from[0] == '0' && (from[1] | 0x20) == 'x')
		good = text_number(from + 2, end, 16, most, v);
	else
		good = from < end && text_number(from, end, *from == '0' ? 8 : 10, most, v);
	if (*minus)
		*v = -*v;
	*minus = *minus && *v;
	return good;
}

/* A character that XML may refer to by number. */
static bool text_character(uint64_t v)
{
	if (v < 0x20)
		return v == '\t' || v == '\n' || v == '\r';
	return v != 0x7f && !(v >= 0xd800 && v < 0xe000) && v != 0xfffe && v != 0xffff && v <= 0x10ffff;
}

/* What is between '&' and ';': the character, or 0. */
static uint32_t text_entity(const char *name, size_t n)
{
	static const struct {
		const char *name;
		char is;
	} known[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "apos", '\'' }, { "quot", '"' } };
	bool hex = n > 1 && name[1] == 'x';
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i].name) == n && !memcmp(known[i].name, name, n))
			return (unsigned char)known[i].is;
	if (n > 1 + (size_t)hex && name[0] == '#' &&
	    text_number(name + 1 + hex, name + n, hex ? 16 : 10, 0x10ffff, &v) && text_character(v))
		return (uint32_t)v;
	return 0;
}

const char *plist_entity_bad(const char *from, const char *end)
{
	const char *semi;

	for (; (from = memchr(from, '&', (size_t)(end - from))); from = semi) {
		semi = memchr(from, ';', (size_t)(end - from > 10 ? 10 : end - from));
		if (!semi || !text_entity(from + 1, (size_t)(semi - from - 1)))
			return from;
	}
	return NULL;
}

/* Encodes character C as UTF-8. */
static size_t text_put(char *out, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; --i; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(first[n] | c);
	return n;
}

size_t plist_text_decode(const char *from, const char *end, char *out)
{
	const char *amp, *semi;
	char *to = out;

	while ((amp = memchr(from, '&', (size_t)(end - from)))) {
		semi = memchr(amp, ';', (size_t)(end - amp));
		memcpy(to, from, (size_t)(amp - from));
		to += amp - from;
		to += text_put(to, text_entity(amp + 1, (size_t)(semi - amp - 1)));
		from = semi + 1;
	}
	memcpy(to, from, (size_t)(end - from));
	return (size_t)(to - out) + (size_t)(end - from);
}

/* The six bits of a base64 character, or -1. */
static int text_base64(char ch)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = memchr(all, ch, sizeof(all) - 1);

	return at ? (int)(at - all) : -1;
}

const char *plist_data_bad(const char *from, const char *end)
{
	bool filled = false;
	size_t n = 0;

	for (; from < end; from++) {
		if (plist_blank(*from))
			continue;
		if (*from == '=' ? n % 4 < 2 : filled || text_base64(*from) < 0)
			return from;
		filled = *from == '=';
		n++;
	}
	return n % 4 ? end : NULL;
}

size_t plist_data_decode(const char *from, const char *end, char *out)
{
	size_t n = 0, bits = 0;
	uint32_t v = 0;

	for (; from < end && *from != '='; from++) {
		if (plist_blank(*from))
			continue;
		v = v << 6 | (uint32_t)text_base64(*from);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(v >> bits);
		}
	}
	return n;
}
