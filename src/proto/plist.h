/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property lists, as far as the protocol uses them: dictionaries, arrays, strings, integers, booleans, data. A tree of
 * nodes; each belongs to the one that contains it.
 *
 * Lack of memory is recorded, not handled at every call: plist_new_*() and plist_copy() return NULL; a NULL that is put
 * into a dictionary or array makes it lacking; and what is lacking is never written (plist_write()).
 */
#ifndef PROTO_PLIST_H
#define PROTO_PLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

#define PLIST_DEPTH_MAX 16	/* nesting of dictionaries and arrays */
#define PLIST_KEYS_MAX 256	/* in one dictionary */

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
plist_t plist_new_string(const char *s);		/* any bytes: what cannot be represented in XML is written as data */
plist_t plist_new_bytes(plist_type type, size_t n);	/* a string or data of N bytes, to be filled in with plist_bytes() */
plist_t plist_new_data(const void *data, size_t n);

plist_t plist_copy(plist_t node);
void plist_free(plist_t node);				/* with everything in it; it must not be in another node */

/* These accept any node, and NULL: of another type they return 0, false, "" or nothing; data can be read as a string. */
plist_type plist_get_node_type(plist_t node);
bool plist_lacking(plist_t node);			/* NULL, or a list for which memory ran out */
bool plist_bool(plist_t node);
uint64_t plist_uint(plist_t node);
bool plist_minus(plist_t node);
const char *plist_string(plist_t node);			/* of data, up to its first NUL */
bool plist_is_string(plist_t node);			/* a string, or data without a NUL (a string of any bytes) */
const void *plist_data(plist_t node, size_t *n);
char *plist_bytes(plist_t node);			/* of a string or data */

/* Of an array or a dictionary: for (n = plist_first(list); n; n = plist_next(n)). */
plist_t plist_first(plist_t list);
plist_t plist_next(plist_t node);
const char *plist_key(plist_t node);			/* of a node in a dictionary */
uint32_t plist_size(plist_t list);
bool plist_whole(plist_t node);				/* neither it nor anything in it is lacking */

void plist_array_append_item(plist_t array, plist_t node);
plist_t plist_array_get_item(plist_t array, uint32_t i);	/* sequential access from the first is fast */

/* The value of a key, or NULL. An existing value is freed, and the new one takes its position. */
plist_t plist_dict_get_item(plist_t dict, const char *key);
void plist_dict_set_item(plist_t dict, const char *key, plist_t node);
void plist_dict_add_item(plist_t dict, const char *key, plist_t node);	/* the same, where KEY is known to be new */
void plist_dict_take_item(plist_t dict, char *key, plist_t node);	/* takes KEY over, which malloc() made; NODE is not NULL */
void plist_dict_remove_item(plist_t dict, const char *key);

/* These need no memory, so they cannot fail. */
void plist_set_uint(plist_t integer, uint64_t v);
void plist_cut(plist_t node, size_t n);			/* only N bytes were filled in */
size_t plist_room(plist_t string);			/* the size for which it was made */
bool plist_set_string(plist_t string, const char *s);	/* false: it is longer than the size for which the string was made */
void plist_move(plist_t to, plist_t from, const char *key);	/* from one dictionary to another, if it is in both */

/*
 * Reads a message: <plist> around one <dict>, as proplib does (doc/protocol.md), with at most MOST elements. *OUT is a
 * dictionary; or NULL: -EIO and a sentence that says where it is wrong, or -ENOMEM. Each element needs less than 128
 * bytes, plus its text.
 */
int plist_read(const char *bytes, size_t n, unsigned most, plist_t *out, struct err *e);

/* Can bytes that begin like this become a message? N may be less than its length. 0, or -EIO and a sentence. */
int plist_check_start(const char *bytes, size_t n, struct err *e);

/*
 * Appends NODE as a message to OUT. 0; -EMSGSIZE: it has more than MOST bytes; -ENOMEM: OUT or NODE is lacking
 * something.
 */
int plist_write(plist_t node, size_t most, struct text *out);

/* So many bytes are enough for NODE as a message. Much faster than to write it. */
size_t plist_most(plist_t node);

#endif
