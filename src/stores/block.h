/* SPDX-License-Identifier: BSD-2-Clause */
/* The options logical= and physical= that stores share: how a disk of larger blocks is played. */
#ifndef STORES_BLOCK_H
#define STORES_BLOCK_H

#include <stdint.h>

#include "base/err.h"
#include "core/table/limits.h"

/* The value of option NAME in bytes (a suffix is understood): a power of two from 512 to 65536. */
int block_parse(const char *name, const char *value, uint32_t *out, struct err *e);

/*
 * Puts the blocks asked for (0: none) over what L says of the thing itself. Refuses a logical block smaller than that,
 * and a physical one smaller than the logical.
 */
int block_play(struct dm_limits *l, uint32_t logical, uint32_t physical, struct err *e);

#endif
