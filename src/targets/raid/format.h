/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a leg's metadata device has, in Linux's formats. All numbers are little-endian.
 *
 *   byte 0      the superblock of dm-raid (drivers/md/dm-raid.c), with its extensions of version 1.9; up to a logical block
 *   byte 4096   the header of md's bitmap, version 4 (drivers/md/md-bitmap.h)
 *   byte 4352   the bitmap: a bit for each region, from bit 0 of the first byte on: 1, its legs may differ; 0, they are equal
 *
 * A bit becomes 1, and that is durable, before its region is written to. It becomes 0 some time after all legs of the array have
 * the same data, and not while one is missing: so the bits also say what that one lacks when it comes back.
 *
 * Each change of a superblock counts one event more, in all of them; the one with the most is right about the array and about which
 * legs have failed. A bitmap with fewer events than its superblock is out of date, so its header is written before the superblock.
 */
#ifndef TARGETS_RAID_FORMAT_H
#define TARGETS_RAID_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "targets/raid/raid.h"

#define RSB_MAGIC 0x64526d44u		/* "DmRd" as bytes */
#define RSB_BYTES 148u
#define RSB_V190 1u			/* compat_features: the extensions are there */
#define RSB_RESHAPES 1u			/* flags */
#define RAID_FAILED_WORDS 4u		/* of 64 bits: legs that have failed */

#define RBM_MAGIC 0x6d746962u		/* "bitm" as bytes */
#define RBM_AT 4096u			/* bytes on the device */
#define RBM_HEADER 256u
#define RBM_STALE 2u			/* state: the bits say nothing */
#define RBM_SLEEP 5u			/* seconds */

struct raid_super {
	uint32_t compatible, incompatible;	/* features */
	uint32_t legs, position;	/* of the array; of this leg in it */
	uint64_t events;
	uint64_t failed[RAID_FAILED_WORDS];
	uint64_t leg_recovered;		/* sectors of this leg that are right, or RAID_ALL */
	uint64_t synchronous;		/* sectors that all legs have the same of, or RAID_ALL */
	uint32_t level, layout, chunk;	/* chunk in sectors */
	uint32_t new_level, new_layout, new_chunk, more_legs;	/* of a change under way */
	uint32_t flags;
	uint64_t reshaped;		/* or RAID_ALL */
	uint64_t sectors, leg_sectors;
	uint64_t data_offset, new_data_offset;
};

/* Of the first RSB_BYTES bytes at RAW; false: they are no superblock. Nothing else is checked. */
bool raid_super_read(struct raid_super *s, const uint8_t *raw);
/* RAW has BYTES bytes, a logical block; those behind the superblock become 0. */
void raid_super_write(const struct raid_super *s, uint8_t *raw, size_t bytes);

static inline bool raid_super_failed(const struct raid_super *s, uint32_t leg)
{
	return leg < RAID_FAILED_WORDS * 64 && s->failed[leg / 64] >> leg % 64 & 1;
}

struct raid_bitmap {
	uint64_t events, cleared;	/* of the superblock that it belongs to; when no leg was missing last */
	uint64_t sectors;		/* of a leg */
	uint32_t state;
	uint32_t region;		/* bytes */
	uint32_t sleep, behind;		/* daemon_sleep in seconds, at least 1, or Linux refuses the bitmap; max_write_behind in KiB */
};

/* Bytes of header and bits of REGIONS regions, a multiple of BLOCK (a power of two). */
uint64_t raid_bitmap_bytes(uint64_t regions, uint32_t block);

/*
 * Of BYTES bytes at RAW, header and bits: 0, or -EINVAL and a sentence: it is none, of an unknown version, or says something that
 * cannot be.
 */
int raid_bitmap_read(struct raid_bitmap *b, const uint8_t *raw, size_t bytes, struct err *e);
/* The header; the bits are left alone. */
void raid_bitmap_write(const struct raid_bitmap *b, uint8_t *raw);

static inline bool raid_bit(const uint8_t *raw, uint64_t region)
{
	return raw[RBM_HEADER + region / 8] >> region % 8 & 1;
}

static inline void raid_bit_set(uint8_t *raw, uint64_t region, bool marked)
{
	uint8_t *byte = &raw[RBM_HEADER + region / 8], bit = (uint8_t)(1u << region % 8);

	*byte = marked ? *byte | bit : *byte & (uint8_t)~bit;
}

/* Does any of the sectors FROM to TO (excluded) lie in a region that B (with BYTES bytes at RAW) has marked, or does not have? */
bool raid_bits_have(const struct raid_bitmap *b, const uint8_t *raw, size_t bytes, uint64_t from, uint64_t to);

#endif
