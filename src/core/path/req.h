/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request: one operation on a range of sectors. It is created by a front (or by the core, as a piece of a larger
 * one), submitted to a device on one io thread, and ends there with done(request, err). It does not know who sent it.
 *
 * All sectors are of 512 bytes.
 */
#ifndef CORE_REQ_H
#define CORE_REQ_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/aio.h"
#include "base/loop.h"
#include "base/vec.h"

#define DM_SECTOR 512u
#define DM_SECTOR_SHIFT 9

enum dm_op {
	DM_READ,
	DM_WRITE,
	DM_FLUSH,	/* everything reported as written before it was submitted becomes durable */
	DM_DISCARD,	/* the content may be dropped; what a read returns afterwards is undefined */
	DM_ZEROES,	/* reads return zeros afterwards */
	DM_EXTENT,	/* query: how far does the state at `sector` extend, is it a hole, is it zero? */
	DM_OPS
};

/* DISCARD and ZEROES have no data and may be far longer than any transfer. */
static inline bool dm_op_is_range(unsigned op)
{
	return op == DM_DISCARD || op == DM_ZEROES;
}

/* Flags for submitters. */
#define DM_FUA  (1u << 0)	/* WRITE, DISCARD, ZEROES: durable when it is done */
#define DM_FAST (1u << 1)	/* ZEROES: fails with -EOPNOTSUPP rather than writing zeros */
#define DM_KEEP (1u << 2)	/* ZEROES: the space stays allocated */
#define DM_MAY_SHOW (1u << 3)	/* READ: the store may say where the bytes are instead of copying them: DM_SHOWN */
#define DM_AHEAD (1u << 4)	/* READ: read-ahead, which no program has requested yet: a failure does not count (failed.h) */
#define DM_OWN (1u << 5)	/* FLUSH: the core's own (flush.h), not a client's: it passes shut gates, and is not counted */
#define DM_TAGS (1u << 6)	/* READ, WRITE: tags go with the data: `tags` */
#define DM_LAX (1u << 7)	/* WRITE: if some of several places have it, that is enough for now: nothing would be lost with it */
#define DM_SUBMITTED 0xffu		/* all of these */
/* Answers of EXTENT, in the same word. */
#define DM_HOLE (1u << 8)	/* nothing is allocated there */
#define DM_ZERO (1u << 9)	/* it reads as zeros */
/*
 * Answer to READ: `data` is unchanged, and the bytes are in the file aio.fd from offset aio.off on, until done()
 * returns.
 */
#define DM_SHOWN (1u << 10)
/* The core's. */
#define DM_THEN_FLUSH (1u << 16)	/* FUA on a store that does not support it: a flush follows */
#define DM_SPLITTING  (1u << 17)	/* split.c is splitting it */
#define DM_IN_REGIONS (1u << 18)	/* its parent is counted in the regions of the first device of its path (regions.h) */
#define DM_FROM_TARGET (1u << 21)	/* sent by dm_send(), not by a client: it comes from above its first device */
#define DM_PART_FAILED (1u << 19)	/* a piece of it has failed, and that was reported (fault.h) */
/* The store's. */
#define DM_BOUNCED    (1u << 24)	/* its data goes through a buffer of the store */
#define DM_CHILDREN   (1u << 20)	/* `pending` counts its children (child.h) */
#define DM_BYPASS     (1u << 22)	/* FLUSH: it skips the lines of this device and goes to the stores (submit.c) */
#define DM_NOT_OF_PIECES (DM_MAY_SHOW | DM_SPLITTING | DM_IN_REGIONS | DM_CHILDREN | DM_BYPASS | DM_PART_FAILED)

/* Devices through which a request passes in place; in a deeper stack it continues as a piece. */
#define DM_DEPTH 4

struct dm_io;
struct dm_lane;
struct dm_store;
struct dm_table;
struct dm_target;

struct dm_req {
	/* Set by the submitter. From dm_submit() to done(), the core may change sector and count. */
	uint8_t op;			/* enum dm_op */
	uint8_t which;			/* of several that a type sends for one purpose: the type's */
	uint8_t tag_size, tag_block;	/* see `tags` */
	uint32_t flags;
	union {
		uint64_t sector;
		uint64_t walk;		/* FLUSH has no sector: its walk through the stack, or 0 (submit.c) */
	};
	uint64_t count;			/* not used by FLUSH; EXTENT's answer is in count and flags */
	struct vec data;		/* READ, WRITE: count * 512 bytes, which must stay valid until done() */
	/*
	 * With DM_TAGS, to a device whose limits have tags: the tags of the blocks, one after the other, which are read or written
	 * with the data and stay valid as long. TAG_SIZE bytes for each block of TAG_BLOCK sectors.
	 */
	uint8_t *tags;
	void (*done)(struct dm_req *r, int err);	/* 0 or -errno; may free or reuse the request */

	/* The core's: where it goes, and through which devices it came. */
	struct dm_store *store;
	struct dm_io *io;
	uint64_t began;			/* clock at admission, ns */
	uint64_t at;			/* its original first sector, or that of its part (fault.h) */
	struct dm_lane *path[DM_DEPTH];
	const struct dm_target *via[DM_DEPTH + 1];	/* the lines that sent it on, or NULL: to path[i], the last one to the store (failed.h);
						 * while it is held, the last one is the line that holds it */
	uint8_t depth;			/* of path */
	uint8_t asked;			/* the op at admission, for the counters */
	uint8_t tracked, marks;		/* bits of via[]: lines that are told when it has ended, and what with (dm_track(), target.h) */
	uint8_t promise, promised;	/* children that it may have at a time, and those of them that it does not have (spare.h) */
	uint32_t part;			/* which of the line's range parts it is (target.h) */
	struct dm_req *next;		/* parked, or in the free list */

	/* Of a request that was split, or has children. */
	struct dm_req *parent;		/* of a piece or child */
	const struct dm_target *maker;	/* of a child: the line that created it, else NULL */
	const struct dm_table *table;	/* the table through whose lines the rest still has to go */
	uint64_t rest_sector, rest_count;	/* of a flush: ways, not sectors */
	uint32_t pending;		/* pieces in flight, +1 while it is being split; or children */
	uint32_t rest_part;		/* the next part of the current line */
	int err;			/* the first error of its pieces */

	int verdict;			/* what `home` brings, see there; here, where it needs no room */

	/* The store's. */
	struct aio_op aio;
	uint64_t done_bytes;		/* bytes transferred so far */

	/* While a line holds it (held.h). */
	struct loop_msg home;		/* brings it back to its io thread, with `verdict` */
	void *own[2];			/* for the use of that line's type */

	struct iovec one;		/* the submitter's: for data in a single buffer */
};

static_assert(sizeof(struct dm_req) <= 384, "a request of no more than 384 bytes");

/* The tags of R are those of FROM that are SECTORS behind the first. */
static inline void dm_req_tags(struct dm_req *r, const struct dm_req *from, uint64_t sectors)
{
	r->tags = from->tags + sectors / from->tag_block * from->tag_size;
	r->tag_size = from->tag_size;
	r->tag_block = from->tag_block;
}

/* Sets the data of R to the BYTES at BUF. */
static inline void dm_req_buffer(struct dm_req *r, void *buf, size_t bytes)
{
	r->one = (struct iovec){ buf, bytes };
	r->data = (struct vec){ &r->one, 0 };
}

#endif
