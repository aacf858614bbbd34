/* SPDX-License-Identifier: BSD-2-Clause */
/* Names are bytes: finds out which of them are text, and shows the others in messages. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length in bytes of the well-formed character at S, which has N bytes; 0 if there is none. */
size_t utf8_char(const char *s, size_t n);

/* Is S well-formed and without control characters? */
bool utf8_printable(const char *s);

/* An ASCII control character, such as one that moves a terminal's cursor or ends a line. */
bool utf8_control(char ch);

#define UTF8_SHOWN 5

/* What $'...' of a shell accepts for control character CH: \n, \t, \033. Returns its length; OUT is NUL-terminated. */
size_t utf8_show(char out[UTF8_SHOWN], char ch);

/*
 * Does that with each control character in S, which has ROOM bytes: a sentence is one line then, and does nothing to a
 * terminal. All other bytes stay. What does not fit is cut off.
 */
void utf8_one_line(char *s, size_t room);

#endif
