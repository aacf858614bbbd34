/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of property lists: see plist.h. A node and its text are one allocation; a key is another. */
#include "proto/plist.h"

#include <stdlib.h>
#include <string.h>

struct plist {
	struct plist *next;		/* in its array or dictionary */
	char *key;			/* in a dictionary */
	uint32_t hash;			/* of the key */
	unsigned char type;
	bool minus, lacking;		/* a negative integer; memory ran out for an element */
	union {
		uint64_t v;		/* boolean, integer */
		size_t n;		/* bytes of data, or the size for which a string was made, without NUL */
		struct {
			struct plist *first, *last;
			uint32_t size;
		};
	};
	char text[];			/* string, data */
};

static plist_t plist_new(plist_type type, size_t text)
{
	plist_t node = malloc(sizeof(*node) + text);

	if (node)
		*node = (struct plist){ .type = (unsigned char)type };
	return node;
}

plist_t plist_new_dict(void)
{
	return plist_new(PLIST_DICT, 0);
}

plist_t plist_new_array(void)
{
	return plist_new(PLIST_ARRAY, 0);
}

plist_t plist_new_bool(bool v)
{
	plist_t node = plist_new(PLIST_BOOLEAN, 0);

	if (node)
		node->v = v;
	return node;
}

plist_t plist_new_int(uint64_t v, bool minus)
{
	plist_t node = plist_new(PLIST_UINT, 0);

	if (node) {
		node->v = v;
		node->minus = minus;
	}
	return node;
}

plist_t plist_new_uint(uint64_t v)
{
	return plist_new_int(v, false);
}

plist_t plist_new_bytes(plist_type type, size_t n)
{
	plist_t node = plist_new(type, n + 1);

	if (node)
		plist_cut(node, n);
	return node;
}

plist_t plist_new_string(const char *s)
{
	size_t n = strlen(s);
	plist_t node = plist_new_bytes(PLIST_STRING, n);

	if (node)
		memcpy(node->text, s, n);
	return node;
}

plist_t plist_new_data(const void *data, size_t n)
{
	plist_t node = plist_new_bytes(PLIST_DATA, n);

	if (node)
		memcpy(node->text, data, n);
	return node;
}

static bool plist_holds(plist_t node)
{
	return node && (node->type == PLIST_ARRAY || node->type == PLIST_DICT);
}

static bool plist_is(plist_t node, plist_type type)
{
	return node && node->type == type;
}

plist_t plist_copy(plist_t node)
{
	plist_t copy, at;

	if (plist_holds(node)) {
		copy = plist_new((plist_type)node->type, 0);
		if (copy)
			copy->lacking = node->lacking;
		for (at = node->first; copy && at; at = at->next)
			if (node->type == PLIST_DICT)
				plist_dict_set_item(copy, at->key, plist_copy(at));
			else
				plist_array_append_item(copy, plist_copy(at));
		return copy;
	}
	if (plist_is(node, PLIST_STRING))
		return plist_new_string(node->text);
	if (plist_is(node, PLIST_DATA))
		return plist_new_data(node->text, node->n);
	copy = node ? plist_new_int(node->v, node->minus) : NULL;
	if (copy)
		copy->type = node->type;
	return copy;
}

void plist_free(plist_t node)
{
	plist_t at, next;

	if (plist_holds(node))
		for (at = node->first; at; at = next) {
			next = at->next;
			plist_free(at);
		}
	if (plist_is(node, PLIST_STRING) || plist_is(node, PLIST_DATA))
		explicit_bzero(node->text, node->n);	/* a table or a message may have a key in it */
	if (node)
		free(node->key);
	free(node);
}

plist_type plist_get_node_type(plist_t node)
{
	return node ? (plist_type)node->type : PLIST_NONE;
}

bool plist_bool(plist_t node)
{
	return plist_is(node, PLIST_BOOLEAN) && node->v;
}

uint64_t plist_uint(plist_t node)
{
	return plist_is(node, PLIST_UINT) ? node->v : 0;
}

bool plist_minus(plist_t node)
{
	return plist_is(node, PLIST_UINT) && node->minus;
}

char *plist_bytes(plist_t node)
{
	return node->text;
}

void plist_cut(plist_t node, size_t n)
{
	node->n = n;
	node->text[n] = '\0';
}

const char *plist_string(plist_t node)
{
	return plist_is(node, PLIST_STRING) || plist_is(node, PLIST_DATA) ? node->text : "";
}

bool plist_is_string(plist_t node)
{
	return plist_is(node, PLIST_STRING) || (plist_is(node, PLIST_DATA) && strlen(node->text) == node->n);
}

const void *plist_data(plist_t node, size_t *n)
{
	*n = plist_is(node, PLIST_DATA) ? node->n : 0;
	return *n ? node->text : NULL;
}

plist_t plist_first(plist_t list)
{
	return plist_holds(list) ? list->first : NULL;
}

plist_t plist_next(plist_t node)
{
	return node->next;
}

const char *plist_key(plist_t node)
{
	return node->key;
}

uint32_t plist_size(plist_t list)
{
	return plist_holds(list) ? list->size : 0;
}

bool plist_lacking(plist_t node)
{
	return !node || (plist_holds(node) && node->lacking);
}

bool plist_whole(plist_t node)
{
	bool whole = !plist_lacking(node);
	plist_t at;

	for (at = plist_first(node); whole && at; at = at->next)
		whole = plist_whole(at);
	return whole;
}

static void plist_link(plist_t list, plist_t node)
{
	*(list->last ? &list->last->next : &list->first) = node;
	list->last = node;
	list->size++;
}

void plist_array_append_item(plist_t array, plist_t node)
{
	if (plist_is(array, PLIST_ARRAY) && node) {
		array->lacking = array->lacking || plist_lacking(node);
		plist_link(array, node);
		return;
	}
	plist_free(node);
	if (array)
		array->lacking = true;
}

plist_t plist_array_get_item(plist_t array, uint32_t i)
{
	plist_t at = plist_first(array);

	while (at && i--)
		at = at->next;
	return at;
}

static uint32_t plist_hash(const char *key)
{
	uint32_t h = 2166136261u;

	while (*key)
		h = (h ^ (unsigned char)*key++) * 16777619u;
	return h;
}

/* The pointer to the node with KEY, and the node before it; or NULL. */
static plist_t *plist_find(plist_t dict, const char *key, plist_t *before)
{
	uint32_t h = plist_hash(key);
	plist_t *at;

	*before = NULL;
	for (at = &dict->first; *at; *before = *at, at = &(*at)->next)
		if ((*at)->hash == h && !strcmp((*at)->key, key))
			return at;
	return NULL;
}

plist_t plist_dict_get_item(plist_t dict, const char *key)
{
	plist_t before, *at = plist_is(dict, PLIST_DICT) ? plist_find(dict, key, &before) : NULL;

	return at ? *at : NULL;
}

/* Removes it from DICT. */
static plist_t plist_take(plist_t dict, const char *key)
{
	plist_t before, *at = plist_is(dict, PLIST_DICT) ? plist_find(dict, key, &before) : NULL, node = at ? *at : NULL;

	if (!node)
		return NULL;
	*at = node->next;
	if (dict->last == node)
		dict->last = before;
	dict->size--;
	node->next = NULL;
	return node;
}

/* NODE has its key already. */
static void plist_put(plist_t dict, plist_t node)
{
	plist_t before, *at = plist_find(dict, node->key, &before), old;

	if (!at) {
		plist_link(dict, node);
		return;
	}
	old = *at;
	node->next = old->next;
	*at = node;
	if (dict->last == old)
		dict->last = node;
	old->next = NULL;
	plist_free(old);
}

void plist_dict_take_item(plist_t dict, char *key, plist_t node)
{
	node->key = key;
	node->hash = plist_hash(key);
	plist_put(dict, node);
}

/* NODE gets a copy of KEY. False: there is none, and NODE is freed. */
static bool plist_name(plist_t dict, const char *key, plist_t node)
{
	char *copy = plist_is(dict, PLIST_DICT) && node ? strdup(key) : NULL;

	if (copy) {
		dict->lacking = dict->lacking || plist_lacking(node);
		node->key = copy;
		node->hash = plist_hash(copy);
		return true;
	}
	plist_free(node);
	if (dict)
		dict->lacking = true;
	return false;
}

void plist_dict_set_item(plist_t dict, const char *key, plist_t node)
{
	if (plist_name(dict, key, node))
		plist_put(dict, node);
}

void plist_dict_add_item(plist_t dict, const char *key, plist_t node)
{
	if (plist_name(dict, key, node))
		plist_link(dict, node);
}

void plist_dict_remove_item(plist_t dict, const char *key)
{
	plist_free(plist_take(dict, key));
}

void plist_set_uint(plist_t integer, uint64_t v)
{
	integer->v = v;
	integer->minus = false;
}

size_t plist_room(plist_t string)
{
	return plist_is(string, PLIST_STRING) ? string->n : 0;
}

bool plist_set_string(plist_t string, const char *s)
{
	size_t n = strlen(s);

	if (n > string->n)
		return false;
	memcpy(string->text, s, n + 1);
	return true;
}

void plist_move(plist_t to, plist_t from, const char *key)
{
	plist_t node = to ? plist_take(from, key) : NULL;

	if (node)
		plist_put(to, node);
}
