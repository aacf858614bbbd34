/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on the disks of an integrity device, as Linux has it: pure functions, and no I/O. The device below has
 *
 *   <start>        the superblock: 8 sectors, of which the first is used
 *                  the journal: sections; in bitmap mode the bitmap, from its first byte on
 *                  then areas: the tags of an area (metadata_run sectors), and its data (interleave_sectors)
 *
 * With a device for metadata the tags follow the journal there, in one piece, and the data have the other device for themselves,
 * from its first sector on. The tag of a block is a digest of the salt (fix_hmac), the number of its first sector, and its data.
 *
 * A section of the journal has 8 sectors of entries, then a block of data for each entry. Entry n is in sector n % 8 of these, so
 * they are filled evenly. An entry: the sector of the device, the last 8 bytes of each sector of its data, its tag. In the journal
 * each sector ends with a commit id (and sectors of entries have a part of the section's MAC before it).
 *
 * Numbers are little-endian. Documentation: the kernel's admin-guide/device-mapper/dm-integrity.rst.
 */
#ifndef INTEGRITY_FORMAT_H
#define INTEGRITY_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define IFORMAT_MAGIC "integrt"		/* 8 bytes with the NUL */
#define IFORMAT_VERSION_MOST 6u
#define IFORMAT_SB_SECTORS 8u
#define IFORMAT_SALT 16u		/* bytes */
#define IFORMAT_TAG_MOST 255u		/* bytes, as on Linux */
#define IFORMAT_BLOCK_MOST 8u		/* sectors */
#define IFORMAT_ENTRY_SECTORS 8u	/* of a section */
#define IFORMAT_SECTOR_DATA 504u	/* bytes of a sector of the journal that are not its commit id */
#define IFORMAT_MAC_PART 8u		/* bytes of a section's MAC in each of its sectors of entries */
#define IFORMAT_MAC (IFORMAT_MAC_PART * IFORMAT_ENTRY_SECTORS)
#define IFORMAT_COMMITS 4u		/* commit ids are used in turn */

enum iformat_flag {
	IFORMAT_MAC_IN_JOURNAL = 1, IFORMAT_RECALCULATING = 2, IFORMAT_DIRTY_BITMAP = 4, IFORMAT_FIXED_PADDING = 8, IFORMAT_FIXED_HMAC = 16,
	IFORMAT_INLINE = 32,			/* version 6: the device below keeps the tags itself */
};

/* The superblock, as numbers. */
struct iformat_sb {
	uint8_t version, log2_interleave, log2_block, log2_blocks_per_bit;
	uint16_t tag_size;			/* bytes */
	uint32_t sections, flags;
	uint64_t provided, recalc;		/* sectors */
	uint8_t salt[IFORMAT_SALT];
};

/* Where everything is. It follows from the superblock, and from what the words and the devices say (iformat_place()). */
struct iformat {
	/* In. */
	bool meta;				/* there is a device for metadata */
	uint64_t start, data_sectors, meta_sectors;	/* of the devices; META: the one with the superblock */
	uint8_t log2_buffer;			/* sectors; may become less */
	/* Out. */
	unsigned block;				/* sectors */
	unsigned tag_size;
	unsigned entry_size, per_sector, per_section;	/* bytes; entries */
	uint32_t sections, section_sectors;
	uint64_t entries;
	uint64_t initial;			/* sectors from `start` to the first tags */
	uint64_t run;				/* sectors of tags of an area */
	unsigned log2_interleave;
	uint64_t provided;			/* sectors */
};

/* What a new superblock has in it beside what is computed. */
struct iformat_new {
	unsigned block, tag_size;
	uint32_t journal_sectors, interleave;
	bool mac, fix_padding, fix_hmac, bitmap;
};

/* 512 bytes. */
void iformat_sb_read(struct iformat_sb *sb, const uint8_t *bytes);
void iformat_sb_write(const struct iformat_sb *sb, uint8_t *bytes);
bool iformat_is_sb(const uint8_t *bytes);
/* The lowest version that has what SB uses. META: there is a device for metadata. */
void iformat_sb_set_version(struct iformat_sb *sb, bool bitmap, bool meta);

/* Fills in F from SB: 0, or -EINVAL: the devices are too small. Also how much a new one would provide. */
int iformat_place(struct iformat *f, const struct iformat_sb *sb);
/* A new superblock and its places: 0, or -EINVAL and a sentence. The salt is left to the caller. */
int iformat_make(struct iformat *f, struct iformat_sb *sb, const struct iformat_new *n, struct err *e);
/* How many sectors the devices can have with this superblock: sets f->provided. 0 or -EINVAL. */
int iformat_measure(struct iformat *f, const struct iformat_sb *sb);
/* Is what SB says possible at all? 0, or -EINVAL and a sentence. */
int iformat_check(const struct iformat *f, const struct iformat_sb *sb, struct err *e);

/* log2 of the blocks for each bit of the bitmap: as many as asked for (log2 of sectors), or more until the bitmap fits. */
unsigned iformat_bits(const struct iformat *f, unsigned log2_sectors);

/* Where the data of SECTOR are, on their device. */
uint64_t iformat_data(const struct iformat *f, uint64_t sector);
/* Where its tag is: bytes from the first tag on, which is at sector start + initial. SECTOR is the first of a block. */
uint64_t iformat_tag(const struct iformat *f, uint64_t sector);
/* How many sectors from SECTOR on are in one area. */
uint64_t iformat_in_area(const struct iformat *f, uint64_t sector);

/* In a section at S: entry N, the first sector of its data. */
static inline uint8_t *iformat_entry(const struct iformat *f, uint8_t *s, unsigned n)
{
	return s + (size_t)(n % IFORMAT_ENTRY_SECTORS) * 512 + (size_t)(n / IFORMAT_ENTRY_SECTORS) * f->entry_size;
}

static inline uint8_t *iformat_entry_data(const struct iformat *f, uint8_t *s, unsigned n)
{
	return s + ((size_t)IFORMAT_ENTRY_SECTORS + (size_t)n * f->block) * 512;
}

static inline uint8_t *iformat_entry_tag(const struct iformat *f, uint8_t *entry)
{
	return entry + 8 + (size_t)f->block * 8;
}

/* The sector in an entry, or UINT64_MAX: it is unused. */
uint64_t iformat_entry_sector(const uint8_t *entry);
void iformat_entry_set(uint8_t *entry, uint64_t sector);
void iformat_entry_clear(uint8_t *entry);

#endif
