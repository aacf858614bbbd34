/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property lists, the part of them that the protocol has: dictionaries, arrays,
 * strings, integers, booleans, data. A tree of nodes, each owned by what it is in.
 *
 * Out of memory is remembered, not handled at every call: plist_new_*() and
 * plist_copy() then return NULL; a NULL that is put into a dictionary or array
 * leaves it lacking; and what lacks something is never written (plist_write()).
 */
#ifndef PROTO_PLIST_H
#define PROTO_PLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

#define PLIST_DEPTH_MAX 16	/* dictionaries and arrays inside one another */
#define PLIST_KEYS_MAX 256	/* of one dictionary */

typedef enum {
	PLIST_NONE,		/* of NULL */
	PLIST_BOOLEAN, PLIST_UINT, PLIST_STRING, PLIST_DATA, PLIST_ARRAY, PLIST_DICT
} plist_type;

typedef struct plist *plist_t;

plist_t plist_new_dict(void);
plist_t plist_new_array(void);
plist_t plist_new_bool(bool v);
plist_t plist_new_uint(uint64_t v);
plist_t plist_new_int(uint64_t v, bool minus);		/* MINUS: V is the two's complement of a negative number */
plist_t plist_new_string(const char *s);		/* any bytes: what XML cannot carry is written as data */
plist_t plist_new_bytes(plist_type type, size_t n);	/* a string or data of N bytes, to be filled in: plist_bytes() */
plist_t plist_new_data(const void *data, size_t n);

plist_t plist_copy(plist_t node);
void plist_free(plist_t node);				/* with all that is in it; it is in nothing itself */

/* These take any node, and NULL: what is of another type is 0, false, "" and empty; data can be asked for as a string. */
plist_type plist_get_node_type(plist_t node);
bool plist_lacking(plist_t node);			/* NULL, or a list that something could not be put into */
bool plist_bool(plist_t node);
uint64_t plist_uint(plist_t node);
bool plist_minus(plist_t node);
const char *plist_string(plist_t node);			/* of data, up to its first NUL */
bool plist_is_string(plist_t node);			/* a string, or data without a NUL: a string of any bytes */
const void *plist_data(plist_t node, size_t *n);
char *plist_bytes(plist_t node);			/* of a string or data */

/* Of an array or a dictionary: for (n = plist_first(list); n; n = plist_next(n)). */
plist_t plist_first(plist_t list);
plist_t plist_next(plist_t node);
const char *plist_key(plist_t node);			/* in a dictionary */
uint32_t plist_size(plist_t list);
bool plist_whole(plist_t node);				/* neither it nor anything in it is lacking */

void plist_array_append_item(plist_t array, plist_t node);
plist_t plist_array_get_item(plist_t array, uint32_t i);	/* one after the other from the first */

/* The value of a key, or NULL; a value that is there already is freed, and its place is kept. */
plist_t plist_dict_get_item(plist_t dict, const char *key);
void plist_dict_set_item(plist_t dict, const char *key, plist_t node);
void plist_dict_take_item(plist_t dict, char *key, plist_t node);	/* KEY, from malloc(), is taken over; NODE is not NULL */
void plist_dict_remove_item(plist_t dict, const char *key);

/* Without memory, so that they cannot fail. */
void plist_set_uint(plist_t integer, uint64_t v);
void plist_cut(plist_t node, size_t n);			/* only N bytes have been filled in */
size_t plist_room(plist_t string);			/* bytes that it was made with */
bool plist_set_string(plist_t string, const char *s);	/* false: it has more bytes than the string was made with */
void plist_move(plist_t to, plist_t from, const char *key);	/* from one dictionary to another, if both are there */

/*
 * Reads a message: <plist> around one <dict>, as proplib reads it (doc/protocol.md), of at most MOST elements. *OUT is a
 * dictionary, or NULL: -EIO and a sentence that says where it cannot be read, or -ENOMEM. Each
 * element takes less than 128 bytes, and those of its text.
 */
int plist_read(const char *bytes, size_t n, unsigned most, plist_t *out, struct err *e);

/* Can bytes that begin like this become a message? N may be less than all of it. 0, or -EIO and a sentence. */
int plist_check_start(const char *bytes, size_t n, struct err *e);

/* Adds NODE as a message to OUT. 0; -EMSGSIZE: it has over MOST bytes; -ENOMEM: OUT or NODE lacks something. */
int plist_write(plist_t node, size_t most, struct text *out);

#endif
