/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request: one operation on a run of sectors. It is born in a front (or in the
 * core, as a piece of a larger one), submitted to a device on one io thread, and
 * ends there with done(request, err). It knows nothing of who sent it.
 *
 * All sectors are of 512 bytes.
 */
#ifndef CORE_REQ_H
#define CORE_REQ_H

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
	DM_FLUSH,	/* all that was reported written before it was submitted becomes durable */
	DM_DISCARD,	/* the content may be forgotten; what a read gives afterwards is not said */
	DM_ZEROES,	/* reads give zeros afterwards */
	DM_EXTENT,	/* asks: how far does the state at `sector` reach, and is it a hole, is it zero? */
	DM_OPS
};

/* DISCARD and ZEROES carry no data and may be far longer than any transfer. */
static inline bool dm_op_is_range(unsigned op)
{
	return op == DM_DISCARD || op == DM_ZEROES;
}

/* Flags that a submitter sets. */
#define DM_FUA  (1u << 0)	/* WRITE, DISCARD, ZEROES: durable when done */
#define DM_FAST (1u << 1)	/* ZEROES: -EOPNOTSUPP rather than writing zeros by hand */
#define DM_KEEP (1u << 2)	/* ZEROES: the space stays allocated */
#define DM_MAY_SHOW (1u << 3)	/* READ: the store may say where the bytes lie instead of copying them: DM_SHOWN */
#define DM_AHEAD (1u << 4)	/* READ: nobody has asked for it yet: if it fails, nothing has happened (failed.h) */
#define DM_OWN (1u << 5)	/* FLUSH: the core's own (flush.h), for no client: it passes shut gates, and nobody counts it */
#define DM_ASKED 0xffu		/* all of these */
/* Answers of EXTENT, in the same word. */
#define DM_HOLE (1u << 8)	/* nothing is allocated there */
#define DM_ZERO (1u << 9)	/* it reads as zeros */
/* An answer of READ: `data` is as it was, the bytes are in the file aio.fd from byte aio.off on, until done() returns. */
#define DM_SHOWN (1u << 10)
/* The core's own. */
#define DM_THEN_FLUSH (1u << 16)	/* FUA on a store without it: a flush follows */
#define DM_SPLITTING  (1u << 17)	/* split.c is cutting it right now */
#define DM_IN_REGIONS (1u << 18)	/* its parent is counted by the first device of its path (regions.h) */
#define DM_OF_A_TYPE  (1u << 21)	/* dm_send() has made it, not a client: it comes from above its first device */
#define DM_FAULTY     (1u << 19)	/* a piece of it has failed, and that was told (fault.h) */
/* The store's. */
#define DM_BOUNCED    (1u << 24)	/* its bytes pass through a buffer of the store */
#define DM_CHILDREN   (1u << 20)	/* `pending` counts its children (child.h) */
#define DM_PAST       (1u << 22)	/* FLUSH: it goes past the lines of this device, to the stores (submit.c) */
#define DM_NOT_OF_PIECES (DM_MAY_SHOW | DM_SPLITTING | DM_IN_REGIONS | DM_CHILDREN | DM_PAST)

/* Devices that a request passes through in place; a deeper stack goes on in a piece. */
#define DM_DEPTH 4

struct dm_io;
struct dm_lane;
struct dm_store;
struct dm_table;
struct dm_target;

struct dm_req {
	/* Set by the submitter. sector and count are the core's to change from dm_submit() to done(). */
	uint8_t op;			/* enum dm_op */
	uint32_t flags;
	union {
		uint64_t sector;
		uint64_t walk;		/* FLUSH has no sector: which walk down the stack it is part of, or 0 (submit.c) */
	};
	uint64_t count;			/* FLUSH has none; EXTENT's answer is in count and flags */
	struct vec data;		/* READ, WRITE: count * 512 bytes, the submitter's until done() */
	void (*done)(struct dm_req *r, int err);	/* 0 or -errno; may free or reuse the request */

	/* The core's: where it goes and through which devices it came. */
	struct dm_store *store;
	struct dm_io *io;
	uint64_t began;			/* clock at admission, ns */
	uint64_t at;			/* the sector at which it begins, or that part of it, as it was asked for (fault.h) */
	struct dm_lane *path[DM_DEPTH];
	const struct dm_target *via[DM_DEPTH + 1];	/* the lines that sent it on, or NULL: to path[i], the last one to the store (failed.h);
						 * while it is held, the last one is the line that holds it */
	uint8_t depth;			/* of path */
	uint8_t asked;			/* the op at admission: what the counters charge */
	uint32_t part;			/* which of the line's range parts this is (target.h) */
	struct dm_req *next;		/* parked, or on the free list */

	/* A request that was split, or has children. */
	struct dm_req *parent;		/* of a piece or child */
	const struct dm_target *maker;	/* of a child: the line that made it, else NULL */
	const struct dm_table *table;	/* the table whose lines the rest still has to visit */
	uint64_t rest_sector, rest_count;	/* of a flush: stores, not sectors */
	uint32_t pending;		/* pieces under way, +1 while splitting goes on; or children */
	uint32_t rest_part;		/* the next part of the current line */
	int err;			/* the first failure among the pieces */

	/* The store's. */
	struct aio_op aio;
	uint64_t done_bytes;		/* how many of its bytes are transferred already */

	/* While a line holds it (held.h), and of a request that a type made itself (child.h). */
	struct loop_msg home;		/* takes it back to its io thread ... */
	int verdict;			/* ... with this */
	void *own[2];			/* the type's, for whatever it likes */

	struct iovec one;		/* the submitter's: for data that lies in one buffer */
};

/* The data of R is the BYTES at BUF. */
static inline void dm_req_buffer(struct dm_req *r, void *buf, size_t bytes)
{
	r->one = (struct iovec){ buf, bytes };
	r->data = (struct vec){ &r->one, 0 };
}

#endif
