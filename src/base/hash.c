/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash table of links: see hash.h. */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a with a final mixing step, because the low bits choose the bucket. */
static uint32_t hash_of(const void *key, size_t len)
{
	const unsigned char *p = key, *end = p + len;
	uint32_t h = 2166136261u;

	while (p < end)
		h = (h ^ *p++) * 16777619u;
	return h ^ h >> 15;
}

static size_t hash_mask(const struct hash *h)
{
	return h->many ? h->mask : HASH_FEW - 1;
}

static struct hash_link **hash_bucket(const struct hash *h, uint32_t hash)
{
	return (struct hash_link **)(h->many ? h->many : h->few) + (hash & hash_mask(h));
}

static void hash_push(struct hash_link **bucket, struct hash_link *l)
{
	l->next = *bucket;
	*bucket = l;
}

/* Four times as many buckets, if there is memory. */
static void hash_grow(struct hash *h)
{
	size_t mask = 4 * (hash_mask(h) + 1) - 1;
	struct hash_link **many = mask < UINT32_MAX ? calloc(mask + 1, sizeof(struct hash_link *)) : NULL, *l, *next;

	if (!many)
		return;
	hash_each(l, next, h)
		hash_push(&many[l->hash & mask], l);
	free(h->many);
	h->many = many;
	h->mask = mask;
}

void hash_add(struct hash *h, struct hash_link *l, const void *key, size_t len)
{
	if (h->n > 2 * hash_mask(h))
		hash_grow(h);
	*l = (struct hash_link){ .key = key, .len = (uint32_t)len, .hash = hash_of(key, len) };
	hash_push(hash_bucket(h, l->hash), l);
	h->n++;
}

void hash_remove(struct hash *h, struct hash_link *l)
{
	struct hash_link **at = hash_bucket(h, l->hash);

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (--h->n)
		return;
	free(h->many);
	*h = (struct hash){ .n = 0 };
}

struct hash_link *hash_find(const struct hash *h, const void *key, size_t len)
{
	uint32_t hash = hash_of(key, len);
	struct hash_link *l;

	for (l = *hash_bucket(h, hash); l; l = l->next)
		if (l->hash == hash && l->len == len && !memcmp(l->key, key, len))
			break;
	return l;
}

/* The first link in bucket I or a later one. */
static struct hash_link *hash_from(const struct hash *h, size_t i)
{
	struct hash_link *l = NULL;

	for (; !l && i <= hash_mask(h); i++)
		l = *hash_bucket(h, (uint32_t)i);
	return l;
}

struct hash_link *hash_first(const struct hash *h)
{
	return h->n ? hash_from(h, 0) : NULL;
}

struct hash_link *hash_next(const struct hash *h, const struct hash_link *l)
{
	return l->next ? l->next : hash_from(h, (l->hash & hash_mask(h)) + 1);
}
