/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of target types: see kinds.c. */
#ifndef CORE_KINDS_H
#define CORE_KINDS_H

#include <stdbool.h>

#include "base/text.h"

struct dm_type;

/* A target of Linux's device-mapper that dmuse lacks? */
bool dm_kind_is_linux(const char *name);

/* Lists TYPES (NULL-terminated) for people: "linear, striped, zero". */
void dm_kinds_list(const struct dm_type *const *types, struct text *out);

#endif
