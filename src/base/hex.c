/* SPDX-License-Identifier: BSD-2-Clause */
/* See hex.h. */
#include "base/hex.h"

#include <string.h>

#define HIDDEN_DIGITS 12u	/* in a row, in a sentence: nothing else that matters has so many */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t hex_read(const char *text, uint8_t *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			break;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return i;
}

void hex_add(struct text *out, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char pair[2];
	size_t i;

	for (i = 0; i < n; i++) {
		pair[0] = digits[bytes[i] >> 4];
		pair[1] = digits[bytes[i] & 15];
		text_add_n(out, pair, sizeof(pair));
	}
	explicit_bzero(pair, sizeof(pair));
}

void hex_hide(char *sentence)
{
	char *at, *to;
	size_t run;

	for (at = to = sentence; *at; at += run ? run : 1) {
		run = strspn(at, "0123456789abcdefABCDEF");
		if (run >= HIDDEN_DIGITS) {
			memcpy(to, "...", 3);
			to += 3;
		} else {
			memmove(to, at, run ? run : 1);
			to += run ? run : 1;
		}
	}
	explicit_bzero(to, (size_t)(at - to) + 1);
}
