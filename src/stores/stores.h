/* SPDX-License-Identifier: BSD-2-Clause */
/* The store types of stores.list. */
#ifndef STORES_STORES_H
#define STORES_STORES_H

#include "core/store.h"

extern const struct dm_store_type *const dm_store_types[];	/* NULL-terminated */

#endif
