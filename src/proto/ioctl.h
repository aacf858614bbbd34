/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's control protocol: struct dm_ioctl 4.x of <linux/dm-ioctl.h>, commands 0 to 17, to and from commands of the
 * core. Pure functions on a copy of the caller's buffer; the front copies that from and to the caller.
 */
#ifndef PROTO_IOCTL_H
#define PROTO_IOCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/command/command.h"

#define IOCTL_VERSION_MAJOR 4
#define IOCTL_VERSION_MINOR 48
#define IOCTL_HEAD 312u			/* sizeof(struct dm_ioctl) */
#define IOCTL_HEAD_LEAST 305u		/* without its padding: the minimal data_size */

/*
 * One call. The front fills in NR (the ioctl's number), BUF and SIZE: the caller's data_size bytes, of which at least
 * the first IOCTL_HEAD exist. After ioctl_decode() it runs CMD with dm_do() and then calls ioctl_encode().
 */
struct ioctl_call {
	unsigned nr;
	uint8_t *buf;
	size_t size;
	struct dm_cmd cmd;
	bool done;		/* the front's: it was carried out before, so what follows its head may be its answer, and is not read */
	bool secret;		/* the caller marked its data as secret: every copy must be wiped. Valid from ioctl_decode() on */
	struct dm_info waited;	/* WAIT: the device when it woke the caller; it may be gone by now */
	struct arena arena;	/* what cmd points to; freed with ioctl_free() */
};

/*
 * How many of the caller's bytes command NR reads, according to its head: what follows them in BUF need not be copied.
 * Only the head if that is invalid.
 */
size_t ioctl_reads(unsigned nr, const uint8_t head[IOCTL_HEAD]);

/*
 * 0 and C->cmd, or the -errno that the ioctl returns. In either case BUF's version is set to ours, except with -ENOTTY
 * (no such command).
 */
int ioctl_decode(struct ioctl_call *c);

/* Must another command be run to complete the answer (WAIT also returns the status)? Then C->cmd is that one. */
bool ioctl_more(struct ioctl_call *c);

/*
 * Writes the reply into BUF, with BUFFER_FULL if it does not fit. Returns what the ioctl returns. After 0 the head's
 * data_size is the length of the answer in BUF.
 */
int ioctl_encode(struct ioctl_call *c);

void ioctl_free(struct ioctl_call *c);	/* also wipes what is secret, except BUF */

#endif
