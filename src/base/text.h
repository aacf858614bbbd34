/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A string to which words are added. Running out of memory is recorded in `failed` and checked once at the end, not
 * after every word.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *s;	/* always NUL-terminated once something was added; else NULL */
	size_t len;	/* without the NUL */
	size_t room;
	bool failed;	/* memory ran out: what was added later is missing */
	bool secret;	/* no copy of it is left in freed memory, but for what text_take() gives away */
};

#define TEXT_INIT { .s = NULL }
#define TEXT_SECRET { .secret = true }

void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_add_u64(struct text *t, uint64_t v);	/* in decimal digits; for what there is a lot of */
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for N more bytes, so that adding them cannot fail. False: there is no memory. */
bool text_room(struct text *t, size_t n);

/* Adds S as one word of a table line: blanks, line breaks, quotes and backslashes are escaped with a backslash. */
void text_add_word(struct text *t, const char *s);

/* Adds S with its control characters made visible (utf8_show()), so that it stays in one line. */
void text_add_shown(struct text *t, const char *s);
/* The same for a sentence, followed by a line break. */
void text_add_line(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The string so far; "" if there is none. Valid until the next change. */
const char *text_str(const struct text *t);

/* Passes the string to the caller, who frees it; T is empty afterwards. NULL if memory ran out. */
char *text_take(struct text *t);

/* For "%u second%s": what N of something end in. */
static inline const char *text_plural(unsigned long long n)
{
	return n == 1 ? "" : "s";
}

void text_clear(struct text *t);	/* empties it, but keeps its memory */
void text_cut(struct text *t, size_t len);	/* removes what follows LEN, and resets `failed` */
void text_free(struct text *t);

#endif
