/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread's memory for a front's requests and their data: page-aligned buffers, and objects of one size. What is
 * freed is kept, up to a limit, and reused: a steady load allocates nothing. All pools of a front together have a
 * limit.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"

#define POOL_CLASSES 14			/* of buffers: 4 KiB, 8 KiB, ... 32 MiB */
#define POOL_LARGEST ((size_t)32 << 20)	/* bytes */
#define POOL_UNLIMITED SIZE_MAX

/* What a front's pools share. Any thread. */
struct pool_memory {
	struct budget budget;
	size_t idle_most;		/* idle bytes allowed in one pool */
	atomic_uint starved;		/* not 0: somebody waits for memory, so none becomes idle; what is already takes pool_shrink() */
};

struct pool {
	struct pool_memory *memory;
	size_t object_size;
	struct pool_free *free[POOL_CLASSES];
	size_t idle;			/* bytes in them */
	struct pool_free *objects;
	unsigned n_objects;
};

/* MOST bytes for POOLS pools, or POOL_UNLIMITED. */
void pool_memory_init(struct pool_memory *m, size_t most, unsigned pools);

void pool_init(struct pool *p, struct pool_memory *m, size_t object_size);
void pool_free(struct pool *p);
/* Frees what is idle. True: there was something. */
bool pool_shrink(struct pool *p);

/* Makes sure that an object, and a buffer of LEN bytes (0: none), can be taken. False: there is no memory now. */
bool pool_ready(struct pool *p, size_t len);

/* A buffer of at least LEN bytes (1 to POOL_LARGEST), not zeroed; NULL if there is no memory. */
void *pool_take(struct pool *p, size_t len);
/* LEN as when it was taken. True: it was freed, and somebody waits for memory. */
bool pool_give(struct pool *p, void *buf, size_t len);

/* An uninitialized object, or NULL. */
void *pool_take_object(struct pool *p);
bool pool_give_object(struct pool *p, void *object);	/* like pool_give() */

#endif
