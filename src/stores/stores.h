/* SPDX-License-Identifier: BSD-2-Clause */
/* The store types of stores.list. */
#ifndef STORES_STORES_H
#define STORES_STORES_H

#include <stdint.h>

#include "core/table/store.h"

extern const struct dm_store_type *const dm_store_types[];	/* NULL-terminated */

/* The bytes of a memory store, valid as long as it is open: a benchmark copies them without the core. */
const uint8_t *dm_memory_bytes(const struct dm_store *s);

#endif
