/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about several devices: see dict_several.h. */
#include "proto/dict_several.h"

#include <errno.h>

int dict_several(struct dict *d, const struct dict_reader *r)
{
	const char **names;
	plist_t array, at;
	size_t n = 0;

	if (dict_get_array(r, "names", &array))
		return r->e->code;
	if (!array)
		return 0;
	names = arena_alloc(&d->arena, plist_size(array) * sizeof(*names) + 1);
	if (!names)
		return err_set(r->e, -ENOMEM, "no memory for %u names", plist_size(array));
	for (at = plist_first(array); at; at = plist_next(at)) {
		if (!plist_is_string(at))
			return err_set(r->e, -EINVAL, "key `names` must be an array of strings, each the name of a device");
		names[n++] = plist_string(at);
	}
	d->cmd.names = names;
	d->cmd.n_names = n;
	return 0;
}

int dict_several_tables(struct dict *d, const struct dict_reader *r)
{
	size_t i = 0;
	plist_t array, at;
	char **texts;

	if (dict_several(d, r) || dict_get_array(r, "tables", &array))
		return r->e->code;
	if (!d->cmd.n_names || plist_size(array) != d->cmd.n_names)
		return err_set(r->e, -EINVAL, "key `tables` must be an array of as many strings as `names` has, each a table as text");
	texts = arena_alloc(&d->arena, d->cmd.n_names * sizeof(*texts));
	if (!texts)
		return err_set(r->e, -ENOMEM, "no memory for %zu tables", d->cmd.n_names);
	for (at = plist_first(array); at; at = plist_next(at)) {
		if (!plist_is_string(at))
			return err_set(r->e, -EINVAL, "key `tables` must be an array of strings, each a table as text");
		texts[i++] = (char *)plist_string(at);	/* the property list is ours; the core may split it into words in place */
	}
	d->cmd.texts = texts;
	d->cmd.name = d->cmd.names[0];
	return 0;
}
