/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns targets.list into the array for a world. */
#include "targets/targets.h"

#define TARGET(name) extern const struct dm_type dm_##name;
#include "targets/targets.list"
#undef TARGET

#define TARGET(name) &dm_##name,
const struct dm_type *const dm_types[] = {
#include "targets/targets.list"
	NULL
};
