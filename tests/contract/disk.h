/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks for tests, as store disk:N. They outlive worlds, as real ones do; they have a volatile cache, so that what no
 * flush or FUA has made durable may be lost; and they lose power when a test says so.
 */
#ifndef TESTS_CONTRACT_DISK_H
#define TESTS_CONTRACT_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/store.h"
#include "support/world.h"

#define DISKS 4u
#define DISK_SECTORS 2048u

extern const struct dm_store_type disk_type;

/* All disks are zeroed and have power. No world may use them. */
void disk_reset(void);

/* The content of disk N: to be filled in before a world uses it, or to be examined. */
uint8_t *disk_bytes(unsigned n);
/* BYTES of disk N from byte FROM on, as they are at one moment, while a world uses it. */
void disk_look(unsigned n, size_t from, void *to, size_t bytes);

/*
 * The power is cut at the write after WRITES more, counted over all disks. From then on requests are answered but not
 * carried out.
 */
void disk_cut_after(unsigned writes);
void disk_cut_now(void);	/* since the last disk_cut_after(), of which this is the end */
bool disk_is_cut(void);
unsigned disk_writes(void);		/* since disk_reset() */
/* Of disk N, since disk_reset(). */
struct disk_count {
	unsigned flushes, writes, durable;	/* those of the writes that are durable by themselves */
};
struct disk_count disk_count(unsigned n);

/* What happened to the writes before the cut that were not durable. */
enum disk_luck {
	DISK_ALL,	/* they were carried out */
	DISK_NONE,	/* they are lost */
	DISK_SOME,	/* each sector was carried out, or was not */
	DISK_LUCKS
};
/* The power is back. No world may use the disks. */
void disk_power_on(enum disk_luck luck);

/*
 * Ends F's world, in which only D is open. And as a power cut does: nothing is closed, and all that was written before is on the
 * disks.
 */
void disk_world_end(struct fixture *f, struct dm_device *d);
void disk_crash(struct fixture *f, struct dm_device *d);

/* From now on flushes end with ERR, and make nothing durable; 0: no more. */
void disk_fail_flushes(int err);

/* Disk N holds requests from now on, until all are let go in the order of their arrival. */
void disk_hold(unsigned n);
unsigned disk_held(void);		/* how many requests are held */
void disk_let_go(void);

#endif
