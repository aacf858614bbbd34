/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as hexadecimal digits, two for each: keys, digests. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdint.h>

#include "base/text.h"

/* TEXT to OUT: N bytes, or as many as there are before the first pair that is not two digits. Returns how many. */
size_t hex_read(const char *text, uint8_t *out, size_t n);

/* In lower case. No copy of them is left elsewhere in memory. */
void hex_add(struct text *out, const uint8_t *bytes, size_t n);

/*
 * SENTENCE is about words with a key, of which a blank too many or too few, or a wrong letter, may have made something else: many
 * digits in a row become dots.
 */
void hex_hide(char *sentence);

#endif
