/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is taken in small pieces and given back all at once.
 * A table keeps its targets in one; a reply keeps its strings in one.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;	/* newest first */
	size_t used, room;		/* bytes of the newest block */
};

#define ARENA_INIT { .blocks = NULL }

/* SIZE zeroed bytes aligned for any type, or NULL when memory ran out. They live until arena_free(). */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
void arena_free(struct arena *a);
void arena_wipe(struct arena *a);	/* leaves only zeros of what was secret, then frees it */

#endif
