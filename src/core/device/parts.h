/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partitions of a disk: devices of their own, /dev/NAME1 or /dev/NAMEp1, on a run of the same store. Who has claimed the
 * disk has claimed them, and the other way round. Control thread.
 */
#ifndef CORE_PARTS_H
#define CORE_PARTS_H

#include "core/command/command.h"
#include "core/device/device.h"
#include "core/world.h"

/* A partition's name: NAME1, or NAMEp1 where the name ends in a digit. -ENAMETOOLONG where SIZE does not do. */
int dm_part_name(const char *disk, uint32_t number, char *out, size_t size);

/* The partitions of a disk follow it in the world's disks. */
struct dm_device *dm_part_first(const struct dm_device *disk);
struct dm_device *dm_part_next(const struct dm_device *part);
struct dm_device *dm_part_find(const struct dm_device *disk, uint32_t number);
/* Is P there, on just these sectors? */
bool dm_part_is(const struct dm_device *disk, const struct dm_part *p);

/* Is it open, or in transition? */
bool dm_part_busy(const struct dm_device *p);
/* One that is, or NULL. */
const struct dm_device *dm_part_in_use(const struct dm_device *disk);

/* Is a relative of D (its disk, or a partition of it) used by a table or claimed? */
bool dm_part_rival(const struct dm_device *d);

/*
 * What the disk's label says takes the place of what was there: 0, -EBUSY (one is open), or what reading it gave. WARNINGS
 * (or NULL): a sentence for each that cannot be shown. It waits for the file, which was opened just before.
 */
int dm_parts_read(struct dm_device *disk, struct text *warnings, struct err *e);
/* Later on a helper thread reads it, because the file may not answer any more. C ends then; after dm_world.open_timeout: -ETIMEDOUT. */
void dm_parts_read_again(struct dm_device *disk, struct dm_cmd *c);
/* The same, with what was FOUND there before, or that it could not be read (R: -errno). */
int dm_parts_set(struct dm_device *disk, struct dm_parts *found, int r, struct text *warnings, struct err *e);
void dm_parts_drop(struct dm_device *disk);

/* The table of partition P: 0, or -errno and a sentence. */
/* Why nothing can be done with the partitions of DISK, which is lost: -ENXIO and a sentence. */
int dm_parts_wait(const struct dm_device *disk, struct err *e);
int dm_part_table(const struct dm_device *disk, const struct dm_part *p, struct err *e, struct dm_table **out);

/* One alone, as BLKPG has it: 0, -EINVAL, -EBUSY (the number or the place is taken; it is open), -ENXIO (not there). */
int dm_part_add(struct dm_device *disk, const struct dm_part *p, struct err *e);
int dm_part_remove(struct dm_device *disk, uint32_t number, struct err *e);
/* C ends when the partition has its new size; or at once, with an error. */
void dm_part_resize(struct dm_device *disk, const struct dm_part *p, struct dm_cmd *c);

#endif
