/* SPDX-License-Identifier: BSD-2-Clause */
/* Growing strings: see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* realloc(3) may leave a copy behind. */
static char *text_move(const struct text *t, size_t room)
{
	char *s = t->secret ? malloc(room) : realloc(t->s, room);

	if (!s || !t->secret || !t->s)
		return s;
	memcpy(s, t->s, t->len + 1);
	explicit_bzero(t->s, t->room);
	free(t->s);
	return s;
}

bool text_room(struct text *t, size_t more)
{
	size_t need = t->len + more + 1, room = t->room ? t->room : 64;
	char *s;

	if (t->failed)
		return false;
	if (need <= t->room)
		return true;
	while (room < need)
		room *= 2;
	s = text_move(t, room);
	if (!s) {
		t->failed = true;
		return false;
	}
	t->s = s;
	t->room = room;
	return true;
}

void text_add_n(struct text *t, const char *s, size_t n)
{
	if ((t->failed || t->room - t->len <= n) && !text_room(t, n))
		return;
	memcpy(t->s + t->len, s, n);
	t->len += n;
	t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

static void text_vprintf(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void text_vprintf(struct text *t, const char *fmt, va_list ap)
{
	size_t room = t->room > t->len ? t->room - t->len : 0;
	va_list again;
	int n;

	va_copy(again, ap);
	n = t->failed ? -1 : vsnprintf(room ? t->s + t->len : NULL, room, fmt, ap);
	if (n >= 0 && (size_t)n >= room) {
		if (room)
			explicit_bzero(t->s + t->len, t->secret ? room : 1);
		if (text_room(t, (size_t)n))
			vsnprintf(t->s + t->len, (size_t)n + 1, fmt, again);
		else
			n = 0;
	}
	t->len += n > 0 ? (size_t)n : 0;
	va_end(again);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(t, fmt, ap);
	va_end(ap);
}

void text_add_u64(struct text *t, uint64_t v)
{
	char digits[20], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + v % 10);
	while (v /= 10);
	text_add_n(t, at, (size_t)(digits + sizeof(digits) - at));
}

void text_add_word(struct text *t, const char *s)
{
	size_t n;

	for (; *s; s += n) {
		n = strcspn(s, " \t\n\v\f\r\\\"'");
		if (!n) {
			text_add_n(t, "\\", 1);
			n = 1;
		}
		text_add_n(t, s, n);
	}
}

void text_add_shown(struct text *t, const char *s)
{
	char shown[UTF8_SHOWN];

	for (; *s; s++)
		if (utf8_control(*s))
			text_add_n(t, shown, utf8_show(shown, *s));
		else
			text_add_n(t, s, 1);
}

void text_add_line(struct text *t, const char *fmt, ...)
{
	struct text line = TEXT_INIT;
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(&line, fmt, ap);
	va_end(ap);
	text_add_shown(t, text_str(&line));
	text_add(t, "\n");
	t->failed = t->failed || line.failed;
	text_free(&line);
}

const char *text_str(const struct text *t)
{
	return t->s ? t->s : "";
}

char *text_take(struct text *t)
{
	char *s;

	text_add_n(t, "", 0);
	s = t->failed ? NULL : t->s;
	if (!s)
		free(t->s);
	*t = (struct text)TEXT_INIT;
	return s;
}

/* Behind the string there is nothing secret. */
static void text_shorten(struct text *t, size_t len)
{
	if (t->secret && t->s)
		explicit_bzero(t->s + len, t->len - len);
	t->len = len;
	if (t->s)
		t->s[len] = '\0';
}

void text_clear(struct text *t)
{
	text_shorten(t, 0);
}

void text_cut(struct text *t, size_t len)
{
	t->failed = false;
	text_shorten(t, len);
}

void text_free(struct text *t)
{
	text_shorten(t, 0);
	free(t->s);
	*t = (struct text)TEXT_INIT;
}
