/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing back: what a flush or a durable write covers, or what survives a cut, is copied from the cache to the disk below,
 * which is then flushed; after that the cache forgets it. One such round at a time, on the io thread of whoever began it. What
 * comes meanwhile waits for the next round, which all of it shares. Buffers and requests are reserved with the disk.
 */
#ifndef POWERCUT_BACK_H
#define POWERCUT_BACK_H

#include "core/path/req.h"
#include "targets/powercut/cache.h"

#define BACK_SLOTS 8u
#define BACK_SECTORS 128u	/* of one write; no unit is larger */

struct power;

struct back_slot {
	struct power *disk;
	struct dm_req req;
	bool busy, reads;	/* it reads from the spill file first */
	uint64_t sector;	/* of the disk below */
	uint8_t *buffer;
};

struct back {
	struct dm_io *io;
	struct dm_req *now;	/* whom this round is for */
	bool flushes;		/* one of them is a flush: it is for all that was written before */
	bool restores;
	struct view view;
	struct dm_req *item;	/* the next durable write of NOW */
	uint64_t sector, end;	/* where it is */
	unsigned busy;
	bool filling, flushing;
	int err;
	uint8_t *buffers;
	struct back_slot slots[BACK_SLOTS];
	struct loop_msg msg;
};

/* 0 or -errno and a sentence. */
int back_new(struct back *b, struct err *e);
void back_end(struct back *b);

/* With the lock: H waits for a round. True: back_begin() follows without the lock. */
bool back_add(struct power *p, struct dm_req *h);
/* On the thread of IO. */
void back_begin(struct power *p, struct dm_io *io);

/* Control thread, with the power off: what survives becomes durable, then power_restored() is called. */
void back_restore(struct power *p);

#endif
