/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of the target log-writes as it lies on its disk: Linux's format, version 1 (Documentation/admin-guide/
 * device-mapper/log-writes.rst; the layout is described and declared in drivers/md/dm-log-writes.c, and again in xfstests'
 * src/log-writes/log-writes.h). All numbers are little-endian.
 *
 *   sector 0    superblock
 *   then, `entries` times:
 *   1 sector    entry; after it in the same sector the text of a mark, and zeros
 *   n sectors   the data of a write (`sectors` of them); a discard, a flush and a mark have none
 *
 * A sector here has `sector_size` bytes: a logical block of the disk whose writes are logged, 512 to 65536 bytes.
 *
 * The order of the entries says what was durable when. A write or discard stands before the first flush that was submitted
 * after it had completed, in the order of completion; one with FUA stands where it completed, and before what had completed
 * earlier but was not flushed (in our logs: after what it has written over). What is after the last flush
 * may be lost in a power cut. `entries` is brought up to date only when a write with FUA or a mark is logged: entries that
 * follow those are on the disk, but not in the log yet.
 */
#ifndef TARGETS_LOG_WRITES_FORMAT_H
#define TARGETS_LOG_WRITES_FORMAT_H

#include <assert.h>
#include <stdint.h>

#define WLOG_MAGIC UINT64_C(0x6a736677736872)
#define WLOG_VERSION 1u
#define WLOG_MIN_SECTOR 512u
#define WLOG_MAX_SECTOR 65536u
#define WLOG_END_MARK "dm-log-writes-end"	/* the last entry of a log that was ended in order */

/* Flags of an entry. One without any is a write. */
#define WLOG_FLUSH (1u << 0)	/* has data only if the write carried its flush with it */
#define WLOG_FUA (1u << 1)
#define WLOG_DISCARD (1u << 2)	/* has no data; here with WLOG_FUA, too, which Linux does not know */
#define WLOG_MARK (1u << 3)	/* data_len bytes of text; no sectors */
#define WLOG_METADATA (1u << 4)	/* the file system called it so; means nothing here */
#define WLOG_FLAGS 0x1fu

struct wlog_super {
	uint64_t magic;
	uint64_t version;
	uint64_t entries;
	uint32_t sector_size;
	uint32_t zero;			/* the rest of the sector, too */
};
static_assert(sizeof(struct wlog_super) == 32, "the superblock of a log of writes");

struct wlog_disk_entry {
	uint64_t sector;		/* of the disk, counted in sector_size */
	uint64_t sectors;
	uint64_t flags;
	uint64_t data_len;		/* bytes: of a mark's text; of what a write to persistent memory changed; else 0 */
};
static_assert(sizeof(struct wlog_disk_entry) == 32, "an entry of a log of writes");

/* So long may the text of a mark be: Linux keeps a zero after it. */
#define WLOG_MARK_ROOM(sector_size) ((sector_size) - sizeof(struct wlog_disk_entry) - 1)

#endif
