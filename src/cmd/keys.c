/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of dictionaries: see keys.h. */
#include "cmd/keys.h"

uint64_t key_u64(plist_t dict, const char *key)
{
	return plist_uint(plist_dict_get_item(dict, key));
}

const char *key_text(plist_t dict, const char *key)
{
	return plist_string(plist_dict_get_item(dict, key));
}

const char *key_kernel_name(plist_t row)
{
	const char *name = key_text(row, "kernel_name");

	return *name ? name : key_text(row, "name");
}

const char *key_kernel_uuid(plist_t row)
{
	const char *uuid = key_text(row, "kernel_uuid");

	return *uuid ? uuid : key_text(row, "uuid");
}

bool key_flag(plist_t dict, uint64_t flag)
{
	return key_u64(dict, "flags") & flag;
}

plist_t key_array(plist_t dict, const char *key)
{
	plist_t n = plist_dict_get_item(dict, key);

	return plist_get_node_type(n) == PLIST_ARRAY ? n : NULL;
}

void key_set_u64(plist_t dict, const char *key, uint64_t v)
{
	plist_dict_set_item(dict, key, plist_new_uint(v));
}

void key_set_text(plist_t dict, const char *key, const char *v)
{
	plist_dict_set_item(dict, key, plist_new_string(v));
}

void key_take_text(plist_t dict, const char *key, struct text *t)
{
	plist_dict_set_item(dict, key, t->failed ? NULL : plist_new_string(text_str(t)));
	text_free(t);
}

void key_set_bool(plist_t dict, const char *key, bool v)
{
	plist_dict_set_item(dict, key, plist_new_bool(v));
}

void key_add_flag(plist_t dict, uint64_t flag)
{
	key_set_u64(dict, "flags", key_u64(dict, "flags") | flag);
}

void key_copy(plist_t to, const char *as, plist_t from, const char *key)
{
	plist_t n = plist_dict_get_item(from, key);

	if (n)
		plist_dict_set_item(to, as, plist_copy(n));
}

struct key_walk key_walk(plist_t array)
{
	return (struct key_walk){ .next = plist_first(array) };
}

bool key_walk_next(struct key_walk *w)
{
	w->item = w->next;
	if (w->item)
		w->next = plist_next(w->item);
	return w->item;
}
