/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8 in byte strings: see utf8.h. */
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t utf8_char(const char *s, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t len, i;
	uint32_t c;

	if (n && u[0] < 0x80)
		return 1;
	if (!n || u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (len > n)
		return 0;
	c = u[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

bool utf8_control(char ch)
{
	return (unsigned char)ch < 0x20 || ch == 0x7f;
}

bool utf8_printable(const char *s)
{
	size_t left = strlen(s), n;

	for (; left; s += n, left -= n) {
		n = utf8_char(s, left);
		if (!n || utf8_control(*s))
			return false;
	}
	return true;
}

size_t utf8_show(char out[UTF8_SHOWN], char ch)
{
	static const char known[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
	const char *at = ch ? strchr(known, ch) : NULL;

	return (size_t)(at ? snprintf(out, UTF8_SHOWN, "\\%c", letters[at - known])
			   : snprintf(out, UTF8_SHOWN, "\\%03o", (unsigned)(unsigned char)ch));
}

void utf8_one_line(char *s, size_t room)
{
	size_t len = strlen(s), at, n;
	char shown[UTF8_SHOWN];

	for (at = 0; at < len; at += n) {
		n = 1;
		if (!utf8_control(s[at]))
			continue;
		n = utf8_show(shown, s[at]);
		if (at + n >= room) {
			s[at] = '\0';
			return;
		}
		if (len + n - 1 >= room)
			len = room - n;		/* the end is cut */
		memmove(s + at + n, s + at + 1, len - at - 1);
		memcpy(s + at, shown, n);
		len += n - 1;
		s[len] = '\0';
	}
}
