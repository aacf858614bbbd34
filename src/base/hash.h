/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table whose links are members of its elements, so that adding one cannot fail. The number of buckets grows if
 * there is memory; without, the table is only slower. A zeroed table is empty, and an empty table has no memory.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define HASH_FEW 8u	/* initial buckets */

struct hash_link {
	struct hash_link *next;
	const void *key;		/* must stay valid while it is in the table */
	uint32_t len, hash;
};

struct hash {
	struct hash_link *few[HASH_FEW], **many;	/* FEW while MANY is NULL */
	size_t mask, n;
};

void hash_add(struct hash *h, struct hash_link *l, const void *key, size_t len);
void hash_remove(struct hash *h, struct hash_link *l);
/* The link with that key, or NULL: container() leads to its owner. */
struct hash_link *hash_find(const struct hash *h, const void *key, size_t len);

/* In no particular order. L itself may be removed or freed meanwhile. */
struct hash_link *hash_first(const struct hash *h);
struct hash_link *hash_next(const struct hash *h, const struct hash_link *l);
#define hash_each(l, following, h) \
	for ((l) = hash_first(h); (l) && ((following) = hash_next((h), (l)), 1); (l) = (following))

/* The element that was found, or NULL. */
#define hash_owner(l, type, member) \
	__extension__({ struct hash_link *found_ = (l); found_ ? container(found_, type, member) : NULL; })

#endif
