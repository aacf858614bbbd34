/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start with a state: the devices that an earlier daemon has recorded (record.h), as they were. Devices are made
 * first, then their tables, from the bottom up, several at once. What cannot be brought back leaves its device suspended
 * (lost.h). Control thread.
 */
#ifndef CORE_RESTORE_H
#define CORE_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct dm_cmd;
struct dm_device;
struct dm_recorder;
struct dm_table;
struct dm_world;

/* The major number of the devices in R's state; 0: there is none. */
uint32_t dm_restore_major(struct dm_recorder *r);

struct dm_restored {
	size_t devices, lost;	/* LOST: those that could not be brought back */
};

#define DM_RESTORE_OPEN 5u	/* seconds that a file may take to open before anybody is served */

/*
 * From now on W, which has no devices, is recorded by R, and has what R has. Turns the loop until that is so. What does
 * not open within DM_RESTORE_OPEN is lost for now. 0, or -errno and a sentence: the state cannot be read.
 */
int dm_restore(struct dm_world *w, struct dm_recorder *r, struct dm_restored *n, struct err *e);

/* Once clients are served: tries again to open what was late, with the time that W allows, and resumes its devices. */
void dm_restore_late(struct dm_world *w);

/* DISK, which has waited, has its file again. True: its partitions, which waited with it and are in use, go on. False: none is in use. */
bool dm_restore_parts(struct dm_device *disk);

/* T was built from VALUE: are its stores those that it had? 0, or -ESTALE and a sentence that ends with the ADVICE. */
int dm_restore_check(const struct dm_table *t, const char *value, const char *advice, struct err *e);
#define DM_RESTORE_LOAD "load the table again to use it"
#define DM_RESTORE_UNDISK "the disk is forgotten when the sessions that show it have ended"
#define DM_RESTORE_DETACH "'losetup -d' in a session detaches it"

/*
 * C, a resume of D, whose next table is lost: that is built again, and C continues with it in c->table; else it has ended.
 * Returns whether D has such a table.
 */
bool dm_restore_again(struct dm_cmd *c, struct dm_device *d);

#endif
