/* SPDX-License-Identifier: BSD-2-Clause */
/* Dictionaries for tests: requests written as C strings, and replies to look into. All fail the running test. */
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
/* The command that KEYS are; dict_free() it. */
struct dict decode(const char *keys);

/* KEYS are no command: CODE, and WORD is in the sentence. */
void refused(const char *keys, int code, const char *word);
/* MESSAGE, or one with KEYS from its third line on, cannot be read, and WORD says why. */
void unreadable(const char *message, size_t n, const char *word);
void unreadable_keys(const char *keys, const char *word);

/* Keys of a reply. */
uint64_t number(plist_t dict, const char *key);
const char *string(plist_t dict, const char *key);
plist_t item(plist_t dict, const char *key, uint32_t i);
uint32_t size(plist_t dict, const char *key);
bool has(plist_t dict, const char *key);

/* A device `vd` that is live. */
extern const struct dm_info some_info;

/* The reply as a client reads it, from D as it is or after dict_encode(). D is freed; plist_free() the reply. */
plist_t written(struct dict *d);
plist_t encoded(struct dict *d);
/* The flags of the reply to COMMAND with flags SENT that ended with INFO and CODE. */
uint64_t flags_for(const char *command, const char *sent, const struct dm_info *info, int code);

/* A N times, MIDDLE, B N times; to be freed. */
char *repeat(const char *a, size_t n, const char *middle, const char *b);

#endif
