/* SPDX-License-Identifier: BSD-2-Clause */
/* The target types of targets.list. */
#ifndef TARGETS_TARGETS_H
#define TARGETS_TARGETS_H

#include "core/table/target.h"

extern const struct dm_type *const dm_types[];	/* NULL-terminated */

#endif
