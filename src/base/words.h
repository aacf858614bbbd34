/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of a table line, and the numbers among them. Blanks separate words; a
 * backslash takes the next character as it is; '...' and "..." hold blanks.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Blanks are those of ASCII, whatever the locale. */
bool words_blank(char ch);

/*
 * The end of the line at S: its line break, or the NUL. A line break behind a backslash belongs to a word, except in a
 * comment, a line that begins with '#'.
 */
char *words_line(const char *s);

/*
 * Takes the next word out of *AT: unquotes it in place, ends it with a NUL, moves *AT behind it.
 * NULL at the end of the line. An unclosed quote is an error: NULL, and E says so.
 */
char *words_next(char **at, struct err *e);

/* A decimal number that is the whole of S: 0, -EINVAL (not a number), -ERANGE (over 64 bits). */
int words_u64(const char *s, uint64_t *out);

/*
 * Sectors as words_u64(), or, with a suffix K M G T P (powers of 1024), bytes that make whole sectors.
 * -EDOM if the bytes are no whole number of 512.
 */
int words_sectors(const char *s, uint64_t *out);

/* Bytes: plain, or with the same suffixes (S: sectors of 512). */
int words_bytes(const char *s, uint64_t *out);

#endif
