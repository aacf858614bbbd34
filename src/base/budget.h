/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that several threads share: a limit of bytes in total. Any thread. */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
	_Atomic size_t used;
	size_t most;
};

static inline bool budget_take(struct budget *b, size_t bytes)
{
	if (atomic_fetch_add(&b->used, bytes) + bytes <= b->most)
		return true;
	atomic_fetch_sub(&b->used, bytes);
	return false;
}

static inline void budget_give(struct budget *b, size_t bytes)
{
	atomic_fetch_sub(&b->used, bytes);
}

static inline size_t budget_left(const struct budget *b)
{
	size_t used = atomic_load_explicit(&b->used, memory_order_relaxed);

	return used < b->most ? b->most - used : 0;
}

#endif
