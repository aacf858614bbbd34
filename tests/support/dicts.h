/* SPDX-License-Identifier: BSD-2-Clause */
/* Dictionaries for tests: requests written as C strings, and access to replies. On errors the running test fails. */
#ifndef TESTS_SUPPORT_DICTS_H
#define TESTS_SUPPORT_DICTS_H

#include "proto/dict.h"

#define KEY(k, v) "<key>" k "</key>" v
#define STR(s) "<string>" s "</string>"
#define INT(i) "<integer>" i "</integer>"
#define ARR(a) "<array>" a "</array>"
#define DICT(d) "<dict>" d "</dict>"
#define CMD(c) KEY("command", STR(c))
#define NAME KEY("name", STR("vd"))
#define LINE(start, len, type, params) DICT(KEY("start", INT(start)) KEY("length", INT(len)) KEY("type", STR(type)) \
						    KEY("params", STR(params)))

/* The property list around KEYS. */
plist_t parse(const char *keys);
/* The command of KEYS, for dict_free(). */
struct dict decode(const char *keys);

/* KEYS are not a command: fails with CODE, and the sentence contains WORD. */
void refused(const char *keys, int code, const char *word);
/* MESSAGE, or one with KEYS from its third line on, cannot be parsed, and the sentence contains WORD. */
void unreadable(const char *message, size_t n, const char *word);
void unreadable_keys(const char *keys, const char *word);

/* Keys of a reply. */
uint64_t number(plist_t dict, const char *key);
const char *string(plist_t dict, const char *key);
plist_t item(plist_t dict, const char *key, uint32_t i);
uint32_t size(plist_t dict, const char *key);
bool has(plist_t dict, const char *key);

/* The info of a device `vd` that is live. */
extern const struct dm_info some_info;

/* The reply as a client reads it, from D as it is or after dict_encode(). Frees D; the result is for plist_free(). */
plist_t written(struct dict *d);
plist_t encoded(struct dict *d);
/* The flags of the reply to COMMAND with flags SENT, if it ended with INFO and CODE. */
uint64_t flags_for(const char *command, const char *sent, const struct dm_info *info, int code);

/* A N times, MIDDLE, B N times; to be freed. */
char *repeat(const char *a, size_t n, const char *middle, const char *b);

#endif
