/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and writing the keys of the protocol's dictionaries (doc/protocol.md). */
#ifndef CMD_KEYS_H
#define CMD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/dict.h"

/* Missing keys read as 0, "" and false; strings belong to the dictionary. */
uint64_t key_u64(plist_t dict, const char *key);
const char *key_text(plist_t dict, const char *key);
/* Of a device's row: its name in /dev/mapper. */
const char *key_kernel_name(plist_t row);
const char *key_kernel_uuid(plist_t row);
bool key_flag(plist_t dict, uint64_t flag);	/* DICT_... */
/* The array KEY, or NULL. */
plist_t key_array(plist_t dict, const char *key);

void key_set_u64(plist_t dict, const char *key, uint64_t v);
void key_set_text(plist_t dict, const char *key, const char *v);
/* The contents of T, which is freed. */
void key_take_text(plist_t dict, const char *key, struct text *t);
void key_set_bool(plist_t dict, const char *key, bool v);
void key_add_flag(plist_t dict, uint64_t flag);
/* Copies KEY from one dictionary to another under the name AS; nothing happens if it is missing. */
void key_copy(plist_t to, const char *as, plist_t from, const char *key);

/* for (struct key_walk w = key_walk(array); key_walk_next(&w);) ... w.item; ARRAY may be NULL. */
struct key_walk {
	plist_t item, next;
};

struct key_walk key_walk(plist_t array);
bool key_walk_next(struct key_walk *w);

#endif
