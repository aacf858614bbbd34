/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A string that grows as words are added to it. Out of memory is remembered in
 * `failed` and checked once at the end, not at every word.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *s;	/* always NUL-terminated once something was added; else NULL */
	size_t len;	/* without the NUL */
	size_t room;
	bool failed;	/* memory ran out: what was added after that is missing */
};

#define TEXT_INIT { .s = NULL }

void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for N bytes more, so that they can be added whatever happens. False: there is no memory. */
bool text_room(struct text *t, size_t n);

/* Adds S as one word of a table line: blanks, line breaks, quotes and backslashes get a backslash before them. */
void text_add_word(struct text *t, const char *s);

/* Adds S with its control characters made visible (utf8_show()): it stays in its line. */
void text_add_shown(struct text *t, const char *s);
/* The same for a sentence, and ends it with a line break. */
void text_add_line(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The string so far; "" if there is none. Valid until the next change. */
const char *text_str(const struct text *t);

/* Hands the string over to the caller, who frees it; T is empty afterwards. NULL if memory ran out. */
char *text_take(struct text *t);

void text_clear(struct text *t);	/* forget the words, keep the room */
void text_cut(struct text *t, size_t len);	/* forget what is behind LEN, and that memory ran out for more */
void text_free(struct text *t);

#endif
