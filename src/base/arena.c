/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bump allocation: see arena.h. Blocks double up to a megabyte, so that a table of one line costs little and one of a
 * million lines needs few allocations.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST 64u		/* most tables have one line, which needs less */
#define ARENA_LAST (1024u * 1024u)

struct arena_block {
	struct arena_block *next;
	size_t room;
	alignas(max_align_t) char data[];
};

static int arena_grow(struct arena *a, size_t size)
{
	size_t room = a->room ? a->room * 2 : ARENA_FIRST;
	struct arena_block *b;

	if (room > ARENA_LAST)
		room = ARENA_LAST;
	if (room < size)
		room = size;
	b = calloc(1, sizeof(*b) + room);
	if (!b)
		return -1;
	b->next = a->blocks;
	b->room = room;
	a->blocks = b;
	a->used = 0;
	a->room = room;
	return 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p;

	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > a->room - a->used && arena_grow(a, size))
		return NULL;
	p = a->blocks->data + a->used;
	a->used += size;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	if (copy)
		memcpy(copy, s, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

void arena_free(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena)ARENA_INIT;
}

void arena_wipe(struct arena *a)
{
	struct arena_block *b;

	for (b = a->blocks; b; b = b->next)
		explicit_bzero(b->data, b->room);
	arena_free(a);
}
