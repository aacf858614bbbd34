/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a store's clerk reads and writes of its header and areas: see cow.h. Of an area, it has one block in memory, the one
 * in which it works.
 */
#include <errno.h>
#include <string.h>

#include "targets/snapshot/cow.h"

const uint8_t cow_zeros[COW_ZERO_SECTORS * DM_SECTOR] __attribute__((aligned(4096)));

static uint64_t entries_per_block(const struct cow *c)
{
	return c->block_bytes / sizeof(struct snap_entry);
}

uint64_t cow_block_of(const struct cow *c, uint64_t area, uint64_t entry)
{
	return (area * c->per_area + entry) / entries_per_block(c);
}

/* The sector in which block BLOCK begins. */
uint64_t cow_block_sector(const struct cow *c, uint64_t block)
{
	uint64_t per_area = c->per_area / entries_per_block(c), area = block / per_area;

	return (snap_area_chunk(area, c->per_area) << c->shift) + block % per_area * (c->block_bytes / DM_SECTOR);
}

int cow_block_load(struct cow *c, uint64_t area, uint64_t entry)
{
	uint64_t block = cow_block_of(c, area, entry);
	int err;

	if (block == c->block_at)
		return 0;
	c->block_at = UINT64_MAX;
	err = clerk_read(c->clerk, &c->at, cow_block_sector(c, block), c->block_bytes / DM_SECTOR, c->block);
	if (!err)
		c->block_at = block;
	return err;
}

int cow_block_write(struct cow *c, uint32_t flags)
{
	return clerk_write(c->clerk, &c->at, cow_block_sector(c, c->block_at), c->block_bytes / DM_SECTOR, c->block, flags);
}

struct snap_entry cow_block_get(const struct cow *c, uint64_t entry)
{
	struct snap_entry e;

	memcpy(&e, c->block + entry % entries_per_block(c) * sizeof(e), sizeof(e));
	return (struct snap_entry){ le64toh(e.old_chunk), le64toh(e.new_chunk) };
}

void cow_block_put(struct cow *c, uint64_t entry, struct snap_entry e)
{
	struct snap_entry le = { htole64(e.old_chunk), htole64(e.new_chunk) };

	memcpy(c->block + entry % entries_per_block(c) * sizeof(le), &le, sizeof(le));
}

int cow_zero_chunk(struct cow *c, uint64_t chunk)
{
	uint64_t at = chunk << c->shift, end = at + c->chunk, n;
	int err = 0;

	for (; at < end && !err; at += n) {
		n = end - at < COW_ZERO_SECTORS ? end - at : COW_ZERO_SECTORS;
		err = clerk_write(c->clerk, &c->at, at, n, cow_zeros, 0);
	}
	return err;
}

/* The block in memory is given up for it. */
int cow_write_header(struct cow *c, bool valid)
{
	struct snap_header h = { htole32(SNAP_MAGIC), htole32(valid), htole32(SNAP_VERSION), htole32(c->chunk) };

	c->block_at = UINT64_MAX;
	memset(c->block, 0, c->block_bytes);
	memcpy(c->block, &h, sizeof(h));
	return clerk_write(c->clerk, &c->at, 0, c->block_bytes / DM_SECTOR, c->block, DM_FUA);
}
