/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes of any byte range to a device with whole blocks. The blocks at both ends are read, changed and written back;
 * meanwhile nothing else is written to them. Everything here belongs to one io thread.
 */
#ifndef FRONTS_FUSE_PARTIAL_H
#define FRONTS_FUSE_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/trampoline.h"
#include "core/path/io.h"

/* Everything that is being written to one device here. */
struct partial_disk {
	struct dm_io *io;
	struct dm_device *device;
	struct list active, waiting;	/* partial.node */
	unsigned n_uneven;		/* active ones that read before they write */
	struct trampoline waking;
};

struct partial {
	struct dm_req req;
	struct list node;
	struct partial_disk *disk;
	uint8_t op;		/* DM_WRITE; DM_ZEROES and DM_DISCARD of whole blocks */
	uint32_t flags;		/* of the request */
	uint32_t block;		/* bytes of the device's blocks */
	uint64_t off, len;	/* in bytes; len is not 0 */
	uint8_t *data;		/* of WRITE: partial_room() bytes, with the caller's data from partial_place() on */
	void (*done)(struct partial *p, int err);	/* may be called before partial_submit() returns; P may then be reused */
	/* The rest belongs to partial.c. */
	uint64_t start, end;	/* the blocks that it touches, in bytes */
	bool uneven;
};

void partial_disk_init(struct partial_disk *k, struct dm_io *io, struct dm_device *d);

/* Bytes of memory for LEN bytes at OFF, and where in it the data begins. */
size_t partial_room(uint64_t off, uint64_t len, uint32_t block);
static inline size_t partial_place(uint64_t off, uint32_t block)
{
	return (size_t)(off & (block - 1));
}

void partial_submit(struct partial_disk *k, struct partial *p);

#endif
