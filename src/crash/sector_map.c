/* SPDX-License-Identifier: BSD-2-Clause */
/* See sector_map.h. A group that was discarded as a whole shares one part of the table, so that discarding a huge disk is cheap. */
#include "crash/sector_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/path/req.h"

const uint8_t sector_map_zeros[DM_SECTOR];

static const uint8_t **map_discarded(void)
{
	static const uint8_t *group[SECTOR_MAP_GROUP];
	size_t i;

	if (!group[0])
		for (i = 0; i < SECTOR_MAP_GROUP; i++)
			group[i] = sector_map_zeros;
	return group;
}

int sector_map_new(struct sector_map *m, uint64_t sectors)
{
	m->n = (size_t)((sectors + SECTOR_MAP_GROUP - 1) / SECTOR_MAP_GROUP);
	m->groups = calloc(m->n + 1, sizeof(*m->groups));
	return m->groups ? 0 : -ENOMEM;
}

static void map_drop(struct sector_map *m, size_t group)
{
	if (m->groups[group] != map_discarded())
		free(m->groups[group]);
	m->groups[group] = NULL;
}

void sector_map_clear(struct sector_map *m)
{
	size_t i;

	for (i = 0; m->groups && i < m->n; i++)
		map_drop(m, i);
}

void sector_map_free(struct sector_map *m)
{
	sector_map_clear(m);
	free(m->groups);
	m->groups = NULL;
}

/* One's own, to be written to; NULL: no memory. */
static const uint8_t **map_own(struct sector_map *m, size_t group)
{
	const uint8_t **was = m->groups[group], **own;

	if (was && was != map_discarded())
		return was;
	own = calloc(SECTOR_MAP_GROUP, sizeof(*own));
	if (own && was)
		memcpy(own, was, SECTOR_MAP_GROUP * sizeof(*own));
	if (own)
		m->groups[group] = own;
	return own;
}

static int map_put_in_group(struct sector_map *m, size_t group, size_t first, size_t n, const uint8_t *data)
{
	const uint8_t **at;

	if (!data && n == SECTOR_MAP_GROUP) {
		map_drop(m, group);
		m->groups[group] = map_discarded();
		return 0;
	}
	at = map_own(m, group);
	if (!at)
		return -ENOMEM;
	for (at += first; n; n--, data = data ? data + DM_SECTOR : NULL)
		*at++ = data ? data : sector_map_zeros;
	return 0;
}

int sector_map_put(struct sector_map *m, uint64_t sector, uint64_t count, const uint8_t *data)
{
	size_t first, n;
	int r = 0;

	for (; count && !r; count -= n, sector += n, data = data ? data + n * DM_SECTOR : NULL) {
		first = (size_t)(sector % SECTOR_MAP_GROUP);
		n = SECTOR_MAP_GROUP - first < count ? SECTOR_MAP_GROUP - first : (size_t)count;
		r = map_put_in_group(m, (size_t)(sector / SECTOR_MAP_GROUP), first, n, data);
	}
	return r;
}
