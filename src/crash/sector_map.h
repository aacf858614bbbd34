/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the content of each sector lies that was written to: a sparse table of pointers. */
#ifndef CRASH_SECTOR_MAP_H
#define CRASH_SECTOR_MAP_H

#include <stddef.h>
#include <stdint.h>

#define SECTOR_MAP_GROUP 4096u	/* sectors that share a part of the table */

extern const uint8_t sector_map_zeros[];	/* a sector of them */

struct sector_map {
	const uint8_t ***groups;	/* NULL: nothing of the group was written */
	size_t n;
};

int sector_map_new(struct sector_map *m, uint64_t sectors);	/* 0 or -ENOMEM */
void sector_map_free(struct sector_map *m);
void sector_map_clear(struct sector_map *m);

/* DATA: that of COUNT sectors, contiguous; NULL: they are zeros. 0 or -ENOMEM. */
int sector_map_put(struct sector_map *m, uint64_t sector, uint64_t count, const uint8_t *data);

/* NULL: it was not written. */
static inline const uint8_t *sector_map_get(const struct sector_map *m, uint64_t sector)
{
	const uint8_t **group = m->groups[sector / SECTOR_MAP_GROUP];

	return group ? group[sector % SECTOR_MAP_GROUP] : NULL;
}

#endif
