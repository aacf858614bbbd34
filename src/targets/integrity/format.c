/* SPDX-License-Identifier: BSD-2-Clause */
/* The format of integrity devices: see format.h. */
#include "targets/integrity/format.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SECTOR 512u
#define PADDING_SECTORS 8u			/* behind the journal, at least */
#define OLD_RUN_BYTES (SECTOR << PADDING_SECTORS)	/* tags of an area were padded to this, before fix_padding */
#define NEW_RUN_BYTES (SECTOR * PADDING_SECTORS)
#define LOG2_INTERLEAVE_LEAST 3u
#define LOG2_INTERLEAVE_MOST 31u
#define LOG2_BUFFER_LEAST 3u			/* down to this a buffer is made smaller, if that helps */
#define UNUSED_HIGH UINT32_MAX

/* Where the members of the superblock are. */
enum {
	SB_VERSION = 8, SB_LOG2_INTERLEAVE = 9, SB_TAG_SIZE = 10, SB_SECTIONS = 12, SB_PROVIDED = 16, SB_FLAGS = 24,
	SB_LOG2_BLOCK = 28, SB_LOG2_BITS = 29, SB_RECALC = 32, SB_SALT = 48,
};

static uint64_t get(const uint8_t *bytes, size_t at, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, bytes + at, n);
	return le64toh(v);
}

static void put(uint8_t *bytes, size_t at, size_t n, uint64_t v)
{
	v = htole64(v);
	memcpy(bytes + at, &v, n);
}

static unsigned log2_of(uint64_t n)
{
	return n ? 63 - (unsigned)__builtin_clzll(n) : 0;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* --- the superblock ------------------------------------------------------------------------------------------------------ */

bool iformat_is_sb(const uint8_t *bytes)
{
	return !memcmp(bytes, IFORMAT_MAGIC, sizeof(IFORMAT_MAGIC));
}

void iformat_sb_read(struct iformat_sb *sb, const uint8_t *bytes)
{
	*sb = (struct iformat_sb){
		.version = bytes[SB_VERSION], .log2_interleave = bytes[SB_LOG2_INTERLEAVE], .tag_size = (uint16_t)get(bytes, SB_TAG_SIZE, 2),
		.sections = (uint32_t)get(bytes, SB_SECTIONS, 4), .provided = get(bytes, SB_PROVIDED, 8),
		.flags = (uint32_t)get(bytes, SB_FLAGS, 4), .log2_block = bytes[SB_LOG2_BLOCK], .log2_blocks_per_bit = bytes[SB_LOG2_BITS],
		.recalc = get(bytes, SB_RECALC, 8),
	};
	memcpy(sb->salt, bytes + SB_SALT, IFORMAT_SALT);
}

void iformat_sb_write(const struct iformat_sb *sb, uint8_t *bytes)
{
	memset(bytes, 0, SECTOR);
	memcpy(bytes, IFORMAT_MAGIC, sizeof(IFORMAT_MAGIC));
	bytes[SB_VERSION] = sb->version;
	bytes[SB_LOG2_INTERLEAVE] = sb->log2_interleave;
	put(bytes, SB_TAG_SIZE, 2, sb->tag_size);
	put(bytes, SB_SECTIONS, 4, sb->sections);
	put(bytes, SB_PROVIDED, 8, sb->provided);
	put(bytes, SB_FLAGS, 4, sb->flags);
	bytes[SB_LOG2_BLOCK] = sb->log2_block;
	bytes[SB_LOG2_BITS] = sb->log2_blocks_per_bit;
	put(bytes, SB_RECALC, 8, sb->recalc);
	memcpy(bytes + SB_SALT, sb->salt, IFORMAT_SALT);
}

void iformat_sb_set_version(struct iformat_sb *sb, bool bitmap, bool meta)
{
	if (sb->flags & IFORMAT_FIXED_HMAC)
		sb->version = 5;
	else if (sb->flags & IFORMAT_FIXED_PADDING)
		sb->version = 4;
	else if (bitmap || sb->flags & IFORMAT_DIRTY_BITMAP)
		sb->version = 3;
	else
		sb->version = meta || sb->flags & IFORMAT_RECALCULATING ? 2 : 1;
}

/* --- where everything is ------------------------------------------------------------------------------------------------- */

static void place_sections(struct iformat *f, const struct iformat_sb *sb)
{
	unsigned space = IFORMAT_SECTOR_DATA - (sb->flags & IFORMAT_MAC_IN_JOURNAL ? IFORMAT_MAC_PART : 0);

	f->block = 1u << sb->log2_block;
	f->tag_size = sb->tag_size;
	f->log2_interleave = sb->log2_interleave;
	f->entry_size = (unsigned)round_up(8 + 8 * f->block + f->tag_size, 8);
	f->per_sector = space / f->entry_size;
	f->per_section = f->per_sector * IFORMAT_ENTRY_SECTORS;
	f->section_sectors = f->per_section * f->block + IFORMAT_ENTRY_SECTORS;
	f->sections = sb->sections;
	f->entries = (uint64_t)f->per_section * f->sections;
}

static int place_areas(struct iformat *f, const struct iformat_sb *sb)
{
	uint64_t pad = sb->flags & IFORMAT_FIXED_PADDING ? NEW_RUN_BYTES : OLD_RUN_BYTES, last;

	f->run = round_up((uint64_t)f->tag_size << (f->log2_interleave - sb->log2_block), pad) / SECTOR;
	last = iformat_data(f, f->provided - 1);
	return last < f->start || last >= f->meta_sectors ? -EINVAL : 0;
}

static int place_tags(struct iformat *f)
{
	uint64_t size = f->provided / f->block * f->tag_size;

	size = round_up(size, (uint64_t)SECTOR << f->log2_buffer) / SECTOR;
	f->run = 1;
	return f->initial + size < f->initial || f->initial + size > f->meta_sectors - f->start ? -EINVAL : 0;
}

/* With f->provided as it is. */
static int place_all(struct iformat *f, const struct iformat_sb *sb)
{
	place_sections(f, sb);
	f->initial = IFORMAT_SB_SECTORS + (uint64_t)f->section_sectors * f->sections;
	if (f->start > f->meta_sectors || f->initial + PADDING_SECTORS >= f->meta_sectors || f->initial > UINT32_MAX)
		return -EINVAL;
	return f->meta ? place_tags(f) : place_areas(f, sb);
}

static void measure(struct iformat *f, const struct iformat_sb *sb)
{
	unsigned bit;

	if (f->meta) {
		f->provided = f->data_sectors & ~(uint64_t)((1u << sb->log2_block) - 1);
		return;
	}
	f->provided = 0;
	for (bit = log2_of(f->meta_sectors) + 1; bit-- > 3;) {
		f->provided |= (uint64_t)1 << bit;
		if (place_all(f, sb))
			f->provided &= ~((uint64_t)1 << bit);
	}
}

int iformat_measure(struct iformat *f, const struct iformat_sb *sb)
{
	measure(f, sb);
	return f->provided ? 0 : -EINVAL;
}

int iformat_place(struct iformat *f, const struct iformat_sb *sb)
{
	int err = place_all(f, sb);

	while (err && f->meta && f->log2_buffer > LOG2_BUFFER_LEAST) {
		f->log2_buffer--;
		err = place_all(f, sb);
	}
	if (!err && !f->meta && f->log2_buffer > (unsigned)__builtin_ctzll(f->run))
		f->log2_buffer = (uint8_t)__builtin_ctzll(f->run);
	return err;
}

/* --- a new one ----------------------------------------------------------------------------------------------------------- */

static void new_interleave(struct iformat_sb *sb, const struct iformat_new *n)
{
	unsigned log2 = log2_of(n->interleave ? n->interleave : 32768);

	log2 = log2 < LOG2_INTERLEAVE_LEAST ? LOG2_INTERLEAVE_LEAST : log2;
	sb->log2_interleave = (uint8_t)(log2 > LOG2_INTERLEAVE_MOST ? LOG2_INTERLEAVE_MOST : log2);
}

/* As many sections of those that were asked for as there is room for beside the tags. */
static int fit_sections(struct iformat *f, struct iformat_sb *sb, uint32_t wanted)
{
	unsigned bit;
	uint32_t more;

	for (;; f->log2_buffer--) {
		sb->sections = 0;
		for (bit = log2_of(wanted) + 1; bit-- > 0;) {
			more = sb->sections | 1u << bit;
			if (more > wanted)
				continue;
			f->sections = sb->sections;
			sb->sections = more;
			if (place_all(f, sb))
				sb->sections &= ~(1u << bit);
		}
		if (sb->sections)
			return 0;
		if (f->log2_buffer <= LOG2_BUFFER_LEAST)
			return -EINVAL;
	}
}

static int too_small(const struct iformat *f, struct err *e)
{
	return err_set(e, -EINVAL, "%" PRIu64 " sectors are too few for a superblock, a journal of %u sectors, and tags and data behind it",
		       f->meta_sectors, f->section_sectors);
}

int iformat_make(struct iformat *f, struct iformat_sb *sb, const struct iformat_new *n, struct err *e)
{
	uint32_t sections;

	*sb = (struct iformat_sb){ .tag_size = (uint16_t)n->tag_size, .log2_block = (uint8_t)log2_of(n->block) };
	sb->flags = (n->mac ? IFORMAT_MAC_IN_JOURNAL : 0) | (n->fix_hmac ? IFORMAT_FIXED_HMAC : 0);
	place_sections(f, sb);
	sections = n->journal_sectors / f->section_sectors;
	sections = sections ? sections : 1;
	if (!f->meta) {
		sb->flags |= n->fix_padding ? IFORMAT_FIXED_PADDING : 0;
		sb->sections = sections;
		new_interleave(sb, n);
	}
	if (iformat_measure(f, sb) || (f->meta && fit_sections(f, sb, sections)))
		return too_small(f, e);
	sb->provided = f->provided;
	iformat_sb_set_version(sb, n->bitmap, f->meta);
	return 0;
}

/* --- one that is there --------------------------------------------------------------------------------------------------- */

int iformat_check(const struct iformat *f, const struct iformat_sb *sb, struct err *e)
{
	if (!sb->version || sb->version > IFORMAT_VERSION_MOST)
		return err_set(e, -EINVAL, "the superblock has version %u; 1 to %u are known", sb->version, IFORMAT_VERSION_MOST);
	if (sb->flags & IFORMAT_INLINE)
		return err_set(e, -EINVAL, "its tags are kept by the device below itself (mode I), which is not supported");
	if (!sb->sections)
		return err_set(e, -EINVAL, "the superblock is damaged: it says that the journal has no sections");
	if (f->meta && sb->log2_interleave)
		return err_set(e, -EINVAL, "the superblock is of a device whose tags lie among its data: it has no meta_device");
	if (!f->meta && sb->log2_interleave < LOG2_INTERLEAVE_LEAST)
		return err_set(e, -EINVAL, "the superblock is of a device with a meta_device of its own, or damaged: its areas have %u sectors",
			       1u << sb->log2_interleave);
	if (!f->meta && sb->log2_interleave > LOG2_INTERLEAVE_MOST)
		return err_set(e, -EINVAL, "the superblock is damaged: its areas have 2^%u sectors", sb->log2_interleave);
	return 0;
}

unsigned iformat_bits(const struct iformat *f, unsigned log2_sectors)
{
	uint64_t bits = (uint64_t)f->section_sectors * f->sections * SECTOR * 8;
	unsigned block = log2_of(f->block);

	if (log2_sectors < block)
		log2_sectors = block;
	if (bits > UINT32_MAX)
		bits = UINT32_MAX;
	while (bits < (f->provided + ((uint64_t)1 << log2_sectors) - 1) >> log2_sectors)
		log2_sectors++;
	return log2_sectors - block;
}

/* --- places -------------------------------------------------------------------------------------------------------------- */

uint64_t iformat_data(const struct iformat *f, uint64_t sector)
{
	return f->meta ? sector : f->start + f->initial + ((sector >> f->log2_interleave) + 1) * f->run + sector;
}

uint64_t iformat_tag(const struct iformat *f, uint64_t sector)
{
	uint64_t area = sector >> f->log2_interleave, in = sector & (((uint64_t)1 << f->log2_interleave) - 1);

	if (f->meta)
		return sector / f->block * f->tag_size;
	return ((area << f->log2_interleave) + area * f->run) * SECTOR + in / f->block * f->tag_size;
}

uint64_t iformat_in_area(const struct iformat *f, uint64_t sector)
{
	return f->meta ? f->provided - sector : ((uint64_t)1 << f->log2_interleave) - (sector & (((uint64_t)1 << f->log2_interleave) - 1));
}

/* --- entries ------------------------------------------------------------------------------------------------------------- */

uint64_t iformat_entry_sector(const uint8_t *entry)
{
	uint64_t sector = get(entry, 0, 8);

	return sector >> 32 == UNUSED_HIGH ? UINT64_MAX : sector;
}

void iformat_entry_set(uint8_t *entry, uint64_t sector)
{
	put(entry, 0, 8, sector);
}

void iformat_entry_clear(uint8_t *entry)
{
	put(entry, 4, 4, UNUSED_HIGH);
}
