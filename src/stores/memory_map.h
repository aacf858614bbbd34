/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a memory store: sparse, with a bit for each page that was written. Where descriptors are kept
 * (base/keep.h), it is a memfd, so that the data is still there when the daemon was started again.
 */
#ifndef STORES_MEMORY_MAP_H
#define STORES_MEMORY_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define MEMORY_PAGE 4096u
#define MEMORY_BITS 64u

struct memory_map {
	uint8_t *data;
	_Atomic uint64_t *written;	/* one bit per page */
	uint64_t size;
	void *all;			/* one mapping: of these bytes */
	uint64_t length;
	uint64_t id;			/* random; the same for a later daemon that still has the data */
	char kept[32];			/* the name under which it is kept; "" if it is not */
};

/*
 * M->size bytes, for the store KEY. HASH is that of KEY; UNIQUE: no other store has it. What an earlier daemon has kept
 * is taken again. 0 or -errno; a sentence only if the kept one does not fit.
 */
int memory_map_new(struct memory_map *m, const char *key, uint64_t hash, bool unique, struct err *e);
void memory_map_free(struct memory_map *m);

/* Pages from FIRST up to, but not including, LAST become zeros, and their memory is given back. */
void memory_map_clear(struct memory_map *m, uint64_t first, uint64_t last);

static inline bool memory_is_written(const struct memory_map *m, uint64_t page)
{
	return atomic_load_explicit(&m->written[page / MEMORY_BITS], memory_order_acquire) >> page % MEMORY_BITS & 1;
}

/* The first page from FIRST on that is (not) written, unlike STATE; at most LAST. */
uint64_t memory_map_reach(const struct memory_map *m, uint64_t first, uint64_t last, bool state);

#endif
