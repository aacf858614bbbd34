/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "targets/integrity/integrity.h"

/* A device that was formatted before, and whose data are zeros; otherwise sectors that were never written could not be read. */
static void place(struct iformat *f, struct iformat_sb *sb)
{
	struct iformat_new n = { .block = 1, .tag_size = 4, .journal_sectors = 352, .interleave = 256, .fix_padding = true };

	*f = (struct iformat){ .data_sectors = DISK_SECTORS, .meta_sectors = DISK_SECTORS, .log2_buffer = 3 };
	assert_int_equal(iformat_make(f, sb, &n, NULL), 0);
	assert_int_equal(iformat_place(f, sb), 0);
}

static void journal_is_empty(const struct iformat *f)
{
	struct seal_cipher none = { .algo = 0 };
	struct seal *seal;
	uint32_t s, i;

	assert_int_equal(seal_new(&seal, f, NULL, NULL, &none, NULL), 0);
	for (s = 0; s < f->sections; s++) {
		uint8_t *at = disk_bytes(0) + (IFORMAT_SB_SECTORS + (size_t)s * f->section_sectors) * 512;

		for (i = 0; i < f->per_section; i++)
			iformat_entry_clear(iformat_entry(f, at, i));
		for (i = 0; i < f->section_sectors; i++) {
			uint64_t id = seal_commit_id(seal, s, i, 0);

			memcpy(at + (size_t)i * 512 + IFORMAT_SECTOR_DATA, &id, sizeof(id));
		}
	}
	seal_free(seal);
}

/* Is the tag of each sector right? */
static void tags(const struct iformat *f, bool set)
{
	struct integrity it = { .f = *f };
	uint64_t sector;

	assert_int_equal(ihash_find(&it.hash, "crc32c", NULL), 0);
	assert_int_equal(ihash_open(&it.hash, 1, 0, NULL), 0);
	for (sector = 0; sector < f->provided; sector++) {
		struct iovec one = { disk_bytes(0) + iformat_data(f, sector) * 512, 512 };
		uint8_t *at = disk_bytes(0) + f->initial * 512 + iformat_tag(f, sector), tag[4];

		integrity_tag(&it, &it.hash.states[0], sector, (struct vec){ &one, 0 }, tag);
		if (set)
			memcpy(at, tag, sizeof(tag));
		else if (memcmp(at, tag, sizeof(tag)))
			fail_msg("sector %u has another tag", (unsigned)sector);
	}
	ihash_free(&it.hash);
}

static void integrity_format(void)
{
	struct iformat_sb sb;
	struct iformat f;

	place(&f, &sb);
	iformat_sb_write(&sb, disk_bytes(0));
	journal_is_empty(&f);
	tags(&f, true);
}

/* The new world has replayed the journal: so all blocks have their tags, wherever the power was cut. */
static void blocks_have_their_tags(struct fixture *f)
{
	struct iformat_sb sb;
	struct iformat at;

	(void)f;
	place(&at, &sb);
	tags(&at, false);
}

const struct sample sample_integrity = {
	.words = "disk:0 0 4 J 6 allow_discards internal_hash:crc32c journal_sectors:352 interleave_sectors:256 fix_padding journal_watermark:90",
	.format = integrity_format, .crash = blocks_have_their_tags, .does_io = true, .reads_first = true,
};
