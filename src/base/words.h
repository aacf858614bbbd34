/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of a table line, and numbers. Blanks separate words; a backslash takes the next character literally; '...' and
 * "..." may contain blanks.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Only blanks of ASCII, whatever the locale. */
bool words_blank(char ch);

/*
 * The end of the line at S: its line break, or the NUL. A line break after a backslash belongs to a word, except in a
 * comment, a line that begins with '#'.
 */
char *words_line(const char *s);

/*
 * Takes the next word from *AT: unquotes it in place, terminates it with NUL, and moves *AT after it. NULL at the end
 * of the line. If a quote is not closed, also NULL, and E says so.
 */
char *words_next(char **at, struct err *e);

/* How many words_next() would take from S, which is not changed. Needs no memory. */
size_t words_count(const char *s);

/* Parses all of S as a decimal number: 0, -EINVAL (not a number), -ERANGE (more than 64 bits). */
int words_u64(const char *s, uint64_t *out);

/*
 * Sectors as words_u64(), or with a suffix K M G T P (powers of 1024) a size in bytes, which must be whole sectors,
 * else -EDOM.
 */
int words_sectors(const char *s, uint64_t *out);

/* Bytes: plain, or with the same suffixes (S: sectors of 512). */
int words_bytes(const char *s, uint64_t *out);

#endif
