/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loop devices: disks /dev/loopN that programs of sessions attach to files, where the machine's own cannot be used. They are
 * asked for and told of as the kernel's are: <linux/loop.h>. One without a file has no table and no sectors.
 *
 *   free -attach-> attached -change-> attached -detach, or with autoclear the last close-> gone
 *
 * One whose file a later daemon cannot open again waits for it, suspended (core/state/lost.h); a change opens that file again.
 * One that is detached goes at its last close: the next program gets a new one of the same number. Control thread.
 */
#ifndef CORE_LOOPDEV_H
#define CORE_LOOPDEV_H

#include "core/device/device.h"
#include "core/table/build.h"

#define DM_LOOP_NAME "loop"
#define DM_LOOP_NUMBERS (1u << 20)	/* as on Linux */
#define DM_LOOP_WORD 65			/* bytes of a file's name that a program gives, with the NUL */

enum dm_loop_flag { DM_LOOP_READONLY = 1, DM_LOOP_AUTOCLEAR = 4, DM_LOOP_PARTSCAN = 8, DM_LOOP_DIRECT = 16 };	/* the kernel's */

/* How a file is shown. */
struct dm_loop {
	uint64_t offset, limit;		/* bytes; limit 0: up to the file's end */
	uint32_t flags;			/* enum dm_loop_flag */
	uint32_t block;			/* bytes of a logical block; 0: as the file has it */
	uint64_t sectors;		/* as many as it must have; 0: any. Not recorded */
	uint64_t dev, ino, rdev;	/* of the file, as stat(2) has them */
	char name[DM_LOOP_WORD], crypt[DM_LOOP_WORD];	/* what a program wants to read again */
};

/* A loop device's part of its struct dm_device. */
struct dm_loopdev {
	struct dm_loop is;
	struct dm_loop before;		/* while that changes */
	bool attaching;			/* its file is being opened */
	bool detached;			/* it goes at its last close */
};

/* Has it a file, and is to keep it? */
static inline bool dm_loop_attached(const struct dm_device *d)
{
	return d->active && !d->loopdev->detached;
}

/* Where the disk D begins in its store: sectors. */
static inline uint64_t dm_loop_start(const struct dm_device *d)
{
	return d->loopdev ? d->loopdev->is.offset / DM_SECTOR : 0;
}

/* Loop device NUMBER, without a file: 0, -EEXIST, or another -errno and a sentence. */
int dm_loop_add(struct dm_world *w, uint32_t number, struct dm_device **out, struct err *e);
/* The first that has no file; one is made if there is none. */
int dm_loop_free(struct dm_world *w, struct dm_device **out, struct err *e);
/* 0, or -EBUSY if it has a file or is open. */
int dm_loop_remove(struct dm_device *d);
/* 0 or -errno: it goes at its last close. */
int dm_loop_detach(struct dm_device *d, struct err *e);
/* It is to go at its last close, or not. */
void dm_loop_autoclear(struct dm_device *d, bool on);

/* What L shows of a file of SECTORS, in sectors, of whole blocks of BLOCK bytes. */
uint64_t dm_loop_sectors(const struct dm_loop *l, uint64_t sectors, uint32_t block);
/* S as L shows it, for D: 0, or -errno and a sentence. */
int dm_loop_table(struct dm_device *d, const struct dm_loop *l, struct dm_store *s, struct dm_table **out, struct err *e);

/* For the record: "loop ...\n", and back; false: it is no such line. */
void dm_loop_text(const struct dm_loop *l, struct text *out);
bool dm_loop_read(char *line, struct dm_loop *out);

#endif
