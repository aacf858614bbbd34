/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of a dictionary by type: see dict_keys.h. */
#include "proto/dict_keys.h"

#include <errno.h>
#include <string.h>

bool dict_has(plist_t dict, const char *key)
{
	return plist_dict_get_item(dict, key) != NULL;
}

const char *dict_type_name(plist_t node)
{
	switch (plist_get_node_type(node)) {
	case PLIST_BOOLEAN:
		return "a boolean";
	case PLIST_UINT:
		return "an integer";
	case PLIST_STRING:
		return "a string";
	case PLIST_ARRAY:
		return "an array";
	case PLIST_DICT:
		return "a dictionary";
	default:
		return "data";
	}
}

/* The node of KEY; NULL if it is missing or not of TYPE: in that case *CODE is set. */
static plist_t keys_find(const struct dict_reader *r, const char *key, plist_type type, const char *wanted, int *code)
{
	plist_t node = plist_dict_get_item(r->dict, key);

	*code = 0;
	if (!node || plist_get_node_type(node) == type)
		return node;
	*code = err_set(r->e, -EINVAL, "%skey `%s` is %s; it must be %s", r->where, key, dict_type_name(node), wanted);
	return NULL;
}

int dict_need(const struct dict_reader *r, const char *key, const char *what)
{
	if (dict_has(r->dict, key))
		return 0;
	return err_set(r->e, -EINVAL, "%skey `%s` is missing: %s", r->where, key, what);
}

int dict_get_string(const struct dict_reader *r, const char *key, const char **out)
{
	plist_t node = plist_dict_get_item(r->dict, key);

	if (plist_get_node_type(node) == PLIST_DATA && !plist_is_string(node))
		return err_set(r->e, -EINVAL, "%skey `%s` is data with a NUL in it; it must be a string", r->where, key);
	if (node && !plist_is_string(node))
		return err_set(r->e, -EINVAL, "%skey `%s` is %s; it must be a string", r->where, key, dict_type_name(node));
	if (node)
		*out = plist_string(node);
	return 0;
}

static int keys_get_number(const struct dict_reader *r, const char *key, uint64_t most, uint64_t *out)
{
	int code;
	plist_t node = keys_find(r, key, PLIST_UINT, "an integer", &code);
	uint64_t v = plist_uint(node);

	if (!node)
		return code;
	if (plist_minus(node))
		return err_set(r->e, -EINVAL, "%skey `%s` is %lld; it must be from 0 to %llu", r->where, key, (long long)v,
			       (unsigned long long)most);
	if (v > most)
		return err_set(r->e, -EINVAL, "%skey `%s` is %llu; it must be from 0 to %llu", r->where, key,
			       (unsigned long long)v, (unsigned long long)most);
	*out = v;
	return 0;
}

int dict_get_u64(const struct dict_reader *r, const char *key, uint64_t *out)
{
	return keys_get_number(r, key, INT64_MAX, out);
}

int dict_get_u32(const struct dict_reader *r, const char *key, uint32_t *out)
{
	uint64_t v = *out;
	int code = keys_get_number(r, key, UINT32_MAX, &v);

	*out = (uint32_t)v;
	return code;
}

int dict_get_bool(const struct dict_reader *r, const char *key, bool *out)
{
	int code;
	plist_t node = keys_find(r, key, PLIST_BOOLEAN, "a boolean (<true/> or <false/>)", &code);

	if (node)
		*out = plist_bool(node);
	return code;
}

int dict_get_array(const struct dict_reader *r, const char *key, plist_t *out)
{
	int code;

	*out = keys_find(r, key, PLIST_ARRAY, "an array", &code);
	return code;
}

plist_t dict_string_n(const char *s, size_t n)
{
	plist_t string = plist_new_bytes(PLIST_STRING, n);

	if (string)
		memcpy(plist_bytes(string), s, n);
	return string;
}

void dict_set_string(plist_t dict, const char *key, const char *s)
{
	plist_t there = plist_dict_get_item(dict, key);

	if (plist_get_node_type(there) != PLIST_STRING || !plist_set_string(there, s))
		plist_dict_set_item(dict, key, plist_new_string(s));
}

void dict_set_number(plist_t dict, const char *key, uint64_t v)
{
	plist_t there = plist_dict_get_item(dict, key);

	if (plist_get_node_type(there) == PLIST_UINT)
		plist_set_uint(there, v);
	else
		plist_dict_set_item(dict, key, plist_new_uint(v));
}

bool dict_hang(plist_t dict, const char *key, plist_t node)
{
	char *copy = plist_lacking(node) ? NULL : strdup(key);

	if (copy)
		plist_dict_take_item(dict, copy, node);
	else
		plist_free(node);
	return copy;
}
