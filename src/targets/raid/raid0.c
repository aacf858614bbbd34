/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raid0: the line is distributed in chunks over n legs in turn. Sector s is in chunk c = s / chunk, which is on leg c % n, in its
 * chunk c / n. Metadata devices are not touched.
 */
#include <errno.h>

#include "core/path/child.h"
#include "targets/raid/raid.h"

/* The first sector of leg LEG that has line sector SECTOR or a later one. */
static uint64_t raid0_from(const struct raid *raid, uint64_t sector, uint32_t leg)
{
	uint64_t chunk = sector / raid->words.chunk, row = chunk / raid->n;
	uint32_t here = (uint32_t)(chunk % raid->n);

	if (leg == here)
		return row * raid->words.chunk + sector % raid->words.chunk;
	return (leg < here ? row + 1 : row) * raid->words.chunk;
}

/* A long discard is one range of sectors on each leg. */
static int raid0_map_part(const struct raid *raid, struct dm_req *r)
{
	uint64_t from = raid0_from(raid, r->sector, r->part), to = raid0_from(raid, r->sector + r->count, r->part);

	if (from == to)
		return DM_DONE;
	r->count = to - from;
	return dm_remap(r, &raid->legs[r->part].data, from);
}

int raid0_map(const struct dm_target *t, struct dm_req *r)
{
	const struct raid *raid = t->priv;
	uint64_t chunk = r->sector / raid->words.chunk;

	if (dm_op_is_range(r->op))
		return raid0_map_part(raid, r);
	return dm_remap(r, &raid->legs[chunk % raid->n].data, chunk / raid->n * raid->words.chunk + r->sector % raid->words.chunk);
}

/* --- flushes ----------------------------------------------------------------------------------------------------------------- */

/* To the legs in turn, a few at a time: own[0] of R counts those to which it was sent. */
int raid0_flush(const struct dm_target *t, struct dm_req *r)
{
	const struct raid *raid = t->priv;
	unsigned n = raid->n < RAID1_LEGS ? raid->n : RAID1_LEGS, i;
	struct dm_req *c[RAID1_LEGS];
	struct dm_io *io = r->io;

	if (dm_children(r, c, n))
		return -ENOMEM;
	r->own[0] = (void *)(uintptr_t)n;
	for (i = 0; i < n; i++)
		dm_send(io, &raid->legs[i].data, c[i]);
	return DM_HELD;
}

int raid0_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	const struct raid *raid = t->priv;
	uintptr_t next = (uintptr_t)r->own[0];

	if (err || next >= raid->n)
		return err;
	r->own[0] = (void *)(next + 1);
	dm_send(r->io, &raid->legs[next].data, c);
	return DM_HELD;
}

/* A whole chunk is on one device; a whole row keeps all devices busy. */
void raid0_hints(const struct raid *raid, struct dm_limits *l)
{
	uint64_t chunk = (uint64_t)raid->words.chunk * DM_SECTOR;

	if (chunk * raid->n > UINT32_MAX)
		return;
	l->chunk = raid->words.chunk;
	l->io_min = (uint32_t)chunk;
	l->io_opt = (uint32_t)chunk * raid->n;
}
