/* SPDX-License-Identifier: BSD-2-Clause */
/* A property list as JSON (RFC 8259). */
#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include "base/text.h"
#include "proto/plist.h"

/*
 * Appends NODE, indented by two blanks per level, without a final line break. Dictionaries keep their order; integers
 * have all their digits; data is a string. A byte that is not UTF-8 becomes \udcXX, which Python's json.loads() and
 * os.fsencode() turn back into the byte. If NODE is lacking for want of memory, OUT fails.
 */
void json_add(struct text *out, plist_t node);

/* The same for a node at DEPTH levels, when the caller writes what surrounds it. */
void json_add_at(struct text *out, plist_t node, unsigned depth);

#endif
