/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the stack test: on one io thread it writes, reads, flushes, zeroes and discards four sectors that are its own,
 * one request after the other, and knows what it must read: each sector carries the number of the write that it is from.
 */
#ifndef TESTS_STACK_CLIENT_H
#define TESTS_STACK_CLIENT_H

#include "core/world.h"

#define CLIENT_SECTORS 4u

struct client {
	unsigned number;
	struct dm_device *device;
	char name[16];			/* of the device */
	struct dm_io *io;
	uint64_t start;			/* the first of its sectors */
	bool plain;			/* reads, writes and flushes only */
	bool commits;			/* flushes end after a commit (types.h) */
	atomic_bool stop, stopped;
	_Atomic uint64_t answered, failed;
	_Atomic uint64_t since;		/* when the request under way was sent, ns; 0: none is */
	_Atomic uint8_t op;
	/* From here on its io thread's. */
	struct dm_req req;
	struct loop_msg msg;
	struct iovec iov[2];
	uint8_t data[CLIENT_SECTORS * DM_SECTOR];
	uint64_t write;			/* the last write's number */
	unsigned first, n, commits_before;
	struct client_sector {
		uint64_t is, maybe;	/* it is from one of these writes, 0: zeros */
		bool any;		/* or has been discarded */
	} sectors[CLIENT_SECTORS];
};

/* All its sectors are zeros, or ANY. */
void client_init(struct client *c, unsigned number, struct dm_io *io, uint64_t start, bool any);
/* On D, which is open, as often as it has stopped. Control thread. */
void client_start(struct client *c, struct dm_device *d);
void client_stop(struct client *c);	/* soon: `stopped` */
/* DATA is all its sectors; types_found() if they are not what it wrote. It has stopped. */
void client_check(struct client *c, const uint8_t *data);

#endif
