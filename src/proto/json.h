/* SPDX-License-Identifier: BSD-2-Clause */
/* A property list as JSON (RFC 8259), for whoever would rather read that. */
#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include "base/text.h"
#include "proto/plist.h"

/*
 * Adds NODE, indented by two blanks a level, without a final line break. Dictionaries keep their order; integers are
 * written with all their digits; data is a string. A byte that is no UTF-8 becomes \udcXX: Python's json.loads() and
 * os.fsencode() give it back. What lacks something for want of memory makes OUT fail.
 */
void json_add(struct text *out, plist_t node);

/* The same for a node that stands DEPTH levels deep, where the caller writes what is around it. */
void json_add_at(struct text *out, plist_t node, unsigned depth);

#endif
