/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A persistent exception store as it lies on its device: Linux's format, version 1 (Documentation/admin-guide/device-mapper/
 * snapshot.rst has the words; the layout is described and declared in drivers/md/dm-snap-persistent.c). All numbers are
 * little-endian.
 *
 *   chunk 0                  header, in its first sector
 *   chunk 1                  area 0: per_area entries, one for each of the chunks that follow it
 *   chunks 2 to per_area+1   data
 *   chunk per_area+2         area 1, and so on
 *
 * An entry says to which chunk of the store a chunk of the origin was copied. Entries are written in order, without gaps: the
 * first one whose new chunk is 0 (that is the header's) ends the list. An area is zeroed before the one before it is full, so
 * the list has an end wherever the power is cut. A header of zeros is a store that was never used; its chunk size goes before
 * that of the table's words.
 */
#ifndef TARGETS_SNAPSHOT_FORMAT_H
#define TARGETS_SNAPSHOT_FORMAT_H

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#define SNAP_MAGIC UINT32_C(0x70416e53)		/* "SnAp" */
#define SNAP_VERSION 1u
#define SNAP_MOST_CHUNK (1u << 21)		/* sectors: the largest power of two of which Linux can count the bytes */
#define SNAP_USUAL_CHUNK 32u			/* sectors, if nobody says how many */
#define SNAP_FIRST_AREA 1u			/* chunk */

struct snap_header {
	uint32_t magic;
	uint32_t valid;			/* 0: it has lost something, and is of no use any more */
	uint32_t version;
	uint32_t chunk;			/* sectors */
};
static_assert(sizeof(struct snap_header) == 16, "the header of an exception store");

struct snap_entry {
	uint64_t old_chunk, new_chunk;
};
static_assert(sizeof(struct snap_entry) == 16, "an entry of an exception store");

/* Entries of an area, with chunks of CHUNK sectors. */
static inline uint64_t snap_per_area(uint32_t chunk)
{
	return (uint64_t)chunk * 512 / sizeof(struct snap_entry);
}

/* The chunk in which area AREA is. */
static inline uint64_t snap_area_chunk(uint64_t area, uint64_t per_area)
{
	return SNAP_FIRST_AREA + area * (per_area + 1);
}

/* Is CHUNK the header or an area? */
static inline bool snap_is_metadata(uint64_t chunk, uint64_t per_area)
{
	return chunk < SNAP_FIRST_AREA || (chunk - SNAP_FIRST_AREA) % (per_area + 1) == 0;
}

/* May chunks have so many sectors? */
static inline bool snap_is_chunk(uint64_t sectors)
{
	return sectors && !(sectors & (sectors - 1)) && sectors <= SNAP_MOST_CHUNK;
}

#endif
