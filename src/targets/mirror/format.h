/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a mirror on a disk: Linux's format, version 2 (declared in drivers/md/dm-log.c). All numbers are little-endian.
 *
 *   byte 0      header
 *   byte 1024   a bit for each region, from bit 0 of the first byte on: 1, its legs are equal; 0, perhaps they are not
 *
 * The bits are a multiple of 4 bytes; those behind the last region are 0, up to a multiple of 8 bytes. Version 1 has the same layout on a machine that is
 * little-endian, and is taken for version 2 there. Anything without the magic number is not a log, and a new one begins.
 *
 * A bit becomes 0, and that is durable, before its region is written to. It becomes 1 some time after all legs have the same
 * data, and that is durable. So after a crash the regions whose bit is 0 have to be copied, and no others.
 */
#ifndef TARGETS_MIRROR_FORMAT_H
#define TARGETS_MIRROR_FORMAT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MLOG_MAGIC 0x4D695272u		/* "rRiM" as bytes */
#define MLOG_VERSION 2u
#define MLOG_BITS 1024u			/* byte of the first region's bit */

struct mlog_header {
	uint32_t magic;
	uint32_t version;
	uint64_t regions;
};
static_assert(sizeof(struct mlog_header) == 16, "the header of a mirror's log");

/* What a line's word says of the regions, whatever the log says: nothing; none is synchronous; all are. */
enum mirror_sync { MIRROR_DEFAULT, MIRROR_SYNC, MIRROR_NOSYNC };

/* Bytes of a log of REGIONS, a multiple of BLOCK (a power of two). */
uint64_t mlog_bytes(uint64_t regions, uint32_t block);

/*
 * A log of REGIONS regions was read into BYTES bytes at LOG. It becomes what it has to be from now on: with a header of ours;
 * the bits of regions that it did not know are those that SYNC says. -EINVAL and a sentence: it is of an unknown version, and
 * no bit is set then.
 */
int mlog_open(uint8_t *log, size_t bytes, uint64_t regions, enum mirror_sync sync, struct err *e);

static inline bool mlog_is_clean(const uint8_t *log, uint64_t region)
{
	return log[MLOG_BITS + region / 8] >> region % 8 & 1;
}

static inline void mlog_set_clean(uint8_t *log, uint64_t region, bool clean)
{
	uint8_t *byte = &log[MLOG_BITS + region / 8], bit = (uint8_t)(1u << region % 8);

	*byte = clean ? *byte | bit : *byte & (uint8_t)~bit;
}

#endif
