/* SPDX-License-Identifier: BSD-2-Clause */
/* The options logical= and physical= of several stores: presenting a disk with larger blocks. */
#ifndef STORES_BLOCK_H
#define STORES_BLOCK_H

#include <stdint.h>

#include "base/err.h"
#include "core/table/limits.h"

/* The value of option NAME in bytes (suffixes are allowed): a power of two from 512 to 65536. */
int block_parse(const char *name, const char *value, uint32_t *out, struct err *e);

/*
 * Replaces the block sizes in L by those asked for (0: not given). Refuses a logical block smaller than L's, and a
 * physical one smaller than the logical one.
 */
int block_play(struct dm_limits *l, uint32_t logical, uint32_t physical, struct err *e);

#endif
