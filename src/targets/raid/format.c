/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes the metadata of a leg: see format.h. */
#include "targets/raid/format.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "core/path/req.h"

struct rsb {
	uint32_t magic, compatible, legs, position;
	uint64_t events, failed, leg_recovered, synchronous;
	uint32_t level, layout, chunk, flags;
	uint64_t reshaped;
	uint32_t new_level, new_layout, new_chunk, more_legs;
	uint64_t sectors, data_offset, new_data_offset, leg_sectors, more_failed[RAID_FAILED_WORDS - 1];
	uint32_t incompatible;
} __attribute__((packed));
static_assert(sizeof(struct rsb) == RSB_BYTES, "the superblock of dm-raid");

struct rbm {
	uint32_t magic, version;
	uint8_t uuid[16];
	uint64_t events, cleared, sectors;
	uint32_t state, region, sleep, behind;
	uint8_t rest[RBM_HEADER - 64];
};
static_assert(sizeof(struct rbm) == RBM_HEADER, "the header of md's bitmap");

#define RBM_VERSION 4u			/* 3: bits in the order of the machine that has written it, which is the same on ours */
#define RBM_LEAST 512u

/* --- the superblock -------------------------------------------------------------------------------------------------------- */

/* What only version 1.9 has. Before that nothing changed its shape. */
static void super_read_more(struct raid_super *s, const struct rsb *r)
{
	unsigned i;

	s->reshaped = RAID_ALL;
	s->new_level = s->level;
	s->new_layout = s->layout;
	s->new_chunk = s->chunk;
	if (!(s->compatible & RSB_V190))
		return;
	s->flags = le32toh(r->flags);
	s->reshaped = le64toh(r->reshaped);
	s->new_level = le32toh(r->new_level);
	s->new_layout = le32toh(r->new_layout);
	s->new_chunk = le32toh(r->new_chunk);
	s->more_legs = le32toh(r->more_legs);
	s->sectors = le64toh(r->sectors);
	s->leg_sectors = le64toh(r->leg_sectors);
	s->data_offset = le64toh(r->data_offset);
	s->new_data_offset = le64toh(r->new_data_offset);
	for (i = 1; i < RAID_FAILED_WORDS; i++)
		s->failed[i] = le64toh(r->more_failed[i - 1]);
}

bool raid_super_read(struct raid_super *s, const uint8_t *raw)
{
	struct rsb r;

	memcpy(&r, raw, sizeof(r));
	*s = (struct raid_super){ .compatible = le32toh(r.compatible), .incompatible = le32toh(r.incompatible) };
	if (le32toh(r.magic) != RSB_MAGIC)
		return false;
	s->legs = le32toh(r.legs);
	s->position = le32toh(r.position);
	s->events = le64toh(r.events);
	s->failed[0] = le64toh(r.failed);
	s->leg_recovered = le64toh(r.leg_recovered);
	s->synchronous = le64toh(r.synchronous);
	s->level = le32toh(r.level);
	s->layout = le32toh(r.layout);
	s->chunk = le32toh(r.chunk);
	super_read_more(s, &r);
	return true;
}

void raid_super_write(const struct raid_super *s, uint8_t *raw, size_t bytes)
{
	struct rsb r = {
		.magic = htole32(RSB_MAGIC), .compatible = htole32(RSB_V190), .legs = htole32(s->legs),
		.position = htole32(s->position), .events = htole64(s->events), .failed = htole64(s->failed[0]),
		.leg_recovered = htole64(s->leg_recovered), .synchronous = htole64(s->synchronous), .level = htole32(s->level),
		.layout = htole32(s->layout), .chunk = htole32(s->chunk), .flags = htole32(s->flags),
		.reshaped = htole64(s->reshaped), .new_level = htole32(s->new_level), .new_layout = htole32(s->new_layout),
		.new_chunk = htole32(s->new_chunk), .more_legs = htole32(s->more_legs), .sectors = htole64(s->sectors),
		.data_offset = htole64(s->data_offset), .new_data_offset = htole64(s->new_data_offset),
		.leg_sectors = htole64(s->leg_sectors),
	};
	unsigned i;

	for (i = 1; i < RAID_FAILED_WORDS; i++)
		r.more_failed[i - 1] = htole64(s->failed[i]);
	memset(raw, 0, bytes);
	memcpy(raw, &r, sizeof(r));
}

/* --- the bitmap ------------------------------------------------------------------------------------------------------------ */

uint64_t raid_bitmap_bytes(uint64_t regions, uint32_t block)
{
	uint64_t bytes = RBM_HEADER + (regions + 7) / 8;

	return (bytes + block - 1) / block * block;
}

int raid_bitmap_read(struct raid_bitmap *b, const uint8_t *raw, size_t bytes, struct err *e)
{
	uint32_t version;
	struct rbm r;

	if (bytes < sizeof(r))
		return err_set(e, -EINVAL, "the bitmap has %zu bytes, and its header has %zu", bytes, sizeof(r));
	memcpy(&r, raw, sizeof(r));
	if (le32toh(r.magic) != RBM_MAGIC)
		return err_set(e, -EINVAL, "there is no bitmap");
	version = le32toh(r.version);
	if (version != RBM_VERSION && version != 3)
		return err_set(e, -EINVAL, "the bitmap says that it is of version %u, and only versions 3 and %u are known", version, RBM_VERSION);
	*b = (struct raid_bitmap){
		.events = le64toh(r.events), .cleared = le64toh(r.cleared), .sectors = le64toh(r.sectors), .state = le32toh(r.state),
		.region = le32toh(r.region), .sleep = le32toh(r.sleep), .behind = le32toh(r.behind),
	};
	if (b->region < RBM_LEAST || b->region & (b->region - 1))
		return err_set(e, -EINVAL, "the bitmap says that a region has %u bytes: it has to be a power of two, and %u or more", b->region,
			       RBM_LEAST);
	return 0;
}

void raid_bitmap_write(const struct raid_bitmap *b, uint8_t *raw)
{
	struct rbm r = {
		.magic = htole32(RBM_MAGIC), .version = htole32(RBM_VERSION), .events = htole64(b->events), .cleared = htole64(b->cleared),
		.sectors = htole64(b->sectors), .state = htole32(b->state), .region = htole32(b->region), .sleep = htole32(b->sleep),
		.behind = htole32(b->behind),
	};

	memcpy(raw, &r, sizeof(r));
}

bool raid_bits_have(const struct raid_bitmap *b, const uint8_t *raw, size_t bytes, uint64_t from, uint64_t to)
{
	uint64_t sectors = b->region / DM_SECTOR, at;

	if (b->state & RBM_STALE || to > b->sectors)
		return true;
	for (at = from / sectors; at <= (to - 1) / sectors; at++)
		if (RBM_HEADER + at / 8 >= bytes || raid_bit(raw, at))
			return true;
	return false;
}
