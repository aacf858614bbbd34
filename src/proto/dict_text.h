/* SPDX-License-Identifier: BSD-2-Clause */
/* What may stand between the tags of a property list. Only for dict_*.c; FROM to END has passed dict_text_good(). */
#ifndef PROTO_DICT_TEXT_H
#define PROTO_DICT_TEXT_H

#include "proto/dict.h"

bool dict_blank(char ch);

/* What strtoull() with base 0 reads as a whole: a sign, then 0x and hex digits, 0 and octal ones, or decimal ones. */
bool dict_integer_good(const char *from, const char *end);

/* The first place that spoils it, or NULL: an '&' that begins nothing known; what is no base64. */
const char *dict_entity_bad(const char *from, const char *end);
const char *dict_data_bad(const char *from, const char *end);

#endif
