/* SPDX-License-Identifier: BSD-2-Clause */
/* Names are bytes: which of them are text, and how the others are shown in a sentence. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed character that the N bytes at S begin with; 0 if they begin with none. */
size_t utf8_char(const char *s, size_t n);

/* Is S well-formed, and without control characters? */
bool utf8_printable(const char *s);

/* A character of ASCII that moves a terminal's cursor, or ends a line. */
bool utf8_control(char ch);

#define UTF8_SHOWN 5

/* What $'...' of a shell takes for control character CH: \n, \t, \033. Its bytes; OUT gets a NUL, too. */
size_t utf8_show(char out[UTF8_SHOWN], char ch);

/*
 * That in place of each control character in S, which has ROOM bytes: a sentence is one line then, and does nothing to a
 * terminal. All other bytes stay as they are. What does not fit is cut.
 */
void utf8_one_line(char *s, size_t room);

#endif
