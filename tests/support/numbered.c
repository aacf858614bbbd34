/* SPDX-License-Identifier: BSD-2-Clause */
/* See numbered.h. */
#include "support/numbered.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool is_same(const struct dm_store *s, const void *word)
{
	return !strncmp(s->name, "disk:", 5) && !strcmp(s->name + 4, word);
}

static struct dm_store *make(struct dm_store_spec *w, const struct dm_store_type *type, unsigned n, uint64_t sectors)
{
	struct numbered *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->n = n;
	d->store = (struct dm_store){ .type = type, .sectors = sectors, .limits = dm_limits_default };
	assert_true(asprintf(&d->store.name, "disk:%u", n) > 0);
	assert_int_equal(dm_store_enter(w->world, &d->store, n), 0);
	return &d->store;
}

int numbered_open(struct dm_store_spec *w, const struct dm_store_type *type, unsigned most, uint64_t sectors, struct dm_store **out)
{
	unsigned n = most;

	if (sscanf(w->word, ":%u", &n) != 1 || n >= most)
		return err_set(w->err, -ENOENT, "the disks are %s", type->usage);
	*out = dm_store_find(w->world, n, is_same, w->word);
	if (*out)
		dm_store_ref(*out);
	else
		*out = make(w, type, n, sectors);
	return 0;
}

void numbered_close(struct dm_store *s)
{
	free(container(s, struct numbered, store));
}
