/* SPDX-License-Identifier: BSD-2-Clause */
/* Which strings an XML property list can carry: UTF-8 without control characters. One pass, plain ASCII at full speed. */
#include "proto/dict.h"

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
