/* SPDX-License-Identifier: BSD-2-Clause */
/* The text between the tags of a property list: UTF-8, entities, numbers, base64. Only for src/proto. */
#ifndef PROTO_PLIST_TEXT_H
#define PROTO_PLIST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the longest prefix of S that XML can contain: UTF-8, no control characters except \t \n \r. */
size_t plist_text_good(const char *s, size_t n);

bool plist_blank(char ch);

/* The following functions are for FROM to END, which are good in this sense. */

/*
 * What strtoull() with base 0 accepts: a sign, then 0x and hex digits, 0 and octal ones, or decimal ones; and nothing
 * else.
 */
bool plist_integer(const char *from, const char *end, uint64_t *v, bool *minus);

/* The first error, or NULL: an '&' that begins no known entity; what is not base64. */
const char *plist_entity_bad(const char *from, const char *end);
const char *plist_data_bad(const char *from, const char *end);

/* Decodes text without errors: it does not get longer. Returns the number of bytes; OUT is not NUL-terminated. */
size_t plist_text_decode(const char *from, const char *end, char *out);
size_t plist_data_decode(const char *from, const char *end, char *out);

#endif
