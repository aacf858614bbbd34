/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores whose words are "disk:N", for tests that keep their sectors themselves. One for each N in a world. */
#ifndef TESTS_SUPPORT_NUMBERED_H
#define TESTS_SUPPORT_NUMBERED_H

#include "core/table/store.h"

struct numbered {
	struct dm_store store;
	unsigned n;
};

/* For open() of TYPE: N is less than MOST, each has SECTORS. */
int numbered_open(struct dm_store_spec *w, const struct dm_store_type *type, unsigned most, uint64_t sectors, struct dm_store **out);
void numbered_close(struct dm_store *s);

static inline unsigned numbered_n(struct dm_store *s)
{
	return container(s, struct numbered, store)->n;
}

#endif
