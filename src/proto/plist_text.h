/* SPDX-License-Identifier: BSD-2-Clause */
/* What may stand between the tags of a property list: UTF-8, entities, numbers, base64. For src/proto alone. */
#ifndef PROTO_PLIST_TEXT_H
#define PROTO_PLIST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the longest beginning of S that XML can carry: UTF-8, no control characters but \t \n \r. */
size_t plist_text_good(const char *s, size_t n);

bool plist_blank(char ch);

/* The rest is about FROM to END, which are good. */

/* What strtoull() with base 0 reads as a whole: a sign, then 0x and hex digits, 0 and octal ones, or decimal ones. */
bool plist_integer(const char *from, const char *end, uint64_t *v, bool *minus);

/* The first place that spoils it, or NULL: an '&' that begins nothing known; what is not base64. */
const char *plist_entity_bad(const char *from, const char *end);
const char *plist_data_bad(const char *from, const char *end);

/* What has not been found bad, decoded: no longer than it was. Returns the bytes; OUT gets no NUL. */
size_t plist_text_decode(const char *from, const char *end, char *out);
size_t plist_data_decode(const char *from, const char *end, char *out);

#endif
