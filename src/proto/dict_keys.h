/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of a dictionary by type, with an error message for each that is missing or of another type. Only for dict_*.c. */
#ifndef PROTO_DICT_KEYS_H
#define PROTO_DICT_KEYS_H

#include "proto/dict.h"

/*
 * Readers: 0, or -EINVAL with a sentence that begins with WHERE. If a key is missing, *OUT is not changed. Strings
 * belong to the dictionary; data without a NUL is accepted as a string.
 */
struct dict_reader {
	plist_t dict;
	const char *where;
	struct err *e;
};

int dict_need(const struct dict_reader *r, const char *key, const char *what);
int dict_get_string(const struct dict_reader *r, const char *key, const char **out);
int dict_get_u64(const struct dict_reader *r, const char *key, uint64_t *out);	/* 0 to 2^63-1 */
int dict_get_u32(const struct dict_reader *r, const char *key, uint32_t *out);
int dict_get_bool(const struct dict_reader *r, const char *key, bool *out);
/* *OUT is NULL if the key is missing. */
int dict_get_array(const struct dict_reader *r, const char *key, plist_t *out);

bool dict_has(plist_t dict, const char *key);
const char *dict_type_name(plist_t node);	/* "a string", "an integer" ... */

/* Writers. An existing node of the same type is changed in place if it has room, which needs no memory. */
plist_t dict_string_n(const char *s, size_t n);
void dict_set_string(plist_t dict, const char *key, const char *s);
void dict_set_number(plist_t dict, const char *key, uint64_t v);
/* Adds NODE, or frees it. False: it is lacking, or there is no memory for KEY; then DICT is unchanged. */
bool dict_hang(plist_t dict, const char *key, plist_t node);

#endif
