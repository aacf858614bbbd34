/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns stores.list into the array for a world. */
#include "stores/stores.h"

#define STORE(name) extern const struct dm_store_type dm_store_##name;
#include "stores/stores.list"
#undef STORE

#define STORE(name) &dm_store_##name,
const struct dm_store_type *const dm_store_types[] = {
#include "stores/stores.list"
	NULL
};
