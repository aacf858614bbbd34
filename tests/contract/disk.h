/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of a test, as the store disk:N. They outlive worlds, as real ones do; have a volatile cache, so that what no flush or
 * FUA has made durable may be lost; and lose their power when a test says so.
 */
#ifndef TESTS_CONTRACT_DISK_H
#define TESTS_CONTRACT_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/store.h"

#define DISKS 4u
#define DISK_SECTORS 2048u

extern const struct dm_store_type disk_type;

/* All disks are full of zeros and have power. No world uses them. */
void disk_reset(void);

/* What disk N holds: to be filled before a world uses it, or to be looked at. */
uint8_t *disk_bytes(unsigned n);

/* The power goes with the write that follows WRITES more, of all disks together. What is answered then was not carried out. */
void disk_cut_after(unsigned writes);
bool disk_is_cut(void);
unsigned disk_writes(void);		/* since disk_reset() */

/* What became of the writes before the cut that were not made durable. */
enum disk_luck {
	DISK_ALL,	/* they were carried out */
	DISK_NONE,	/* they are lost */
	DISK_SOME,	/* each sector was, or was not */
	DISK_LUCKS
};
/* The power is back. No world uses the disks. */
void disk_power_on(enum disk_luck luck);

/* Disk N, too, keeps what comes until all are let go, in the order in which it came. */
void disk_hold(unsigned n);
unsigned disk_held(void);		/* how many requests it keeps */
void disk_let_go(void);

#endif
