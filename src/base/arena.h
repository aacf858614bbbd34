/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is allocated in small parts and freed all at once. A table has its targets in an arena, a reply its
 * strings.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;	/* newest first */
	size_t used, room;		/* bytes in the newest block */
};

#define ARENA_INIT { .blocks = NULL }

/* SIZE zeroed bytes aligned for any type, or NULL if there is no memory. They are valid until arena_free(). */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
void arena_free(struct arena *a);
void arena_wipe(struct arena *a);	/* overwrites secrets with zeros, then frees everything */

#endif
