/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushing stores on behalf of the control thread (suspend, swap, shutdown):
 * the leaves below a table, or all stores of a world, one after the other on an io thread.
 */
#ifndef CORE_FLUSH_H
#define CORE_FLUSH_H

#include "base/err.h"
#include "core/table.h"

/*
 * Flushes every leaf store below T (NULL: all of the world's), then calls THEN on the control thread with 0 or
 * the first failure; E holds its sentence until THEN returns. Suspended devices in between do not hold it up.
 */
void dm_flush_stores(struct dm_world *w, const struct dm_table *t, void (*then)(void *arg, const struct err *e),
		     void *arg);

#endif
