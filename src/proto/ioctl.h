/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's control protocol: struct dm_ioctl 4.x of <linux/dm-ioctl.h>, commands
 * 0 to 17, to and from commands of the core. Pure functions on a copy of the
 * caller's buffer; moving that in and out of the caller is the front's business.
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
#define IOCTL_HEAD_LEAST 305u		/* without its padding: the least data_size may be */

/*
 * One call. The front fills NR (the ioctl's number), BUF and SIZE: the caller's data_size bytes, of which the
 * first IOCTL_HEAD at least exist. After ioctl_decode() it runs CMD with dm_do() and then calls ioctl_encode().
 */
struct ioctl_call {
	unsigned nr;
	uint8_t *buf;
	size_t size;
	struct dm_cmd cmd;
	bool secret;		/* the caller marked its data: every copy must be wiped. From ioctl_decode() on */
	struct dm_info waited;	/* WAIT: the device when it woke the caller; it may be gone since */
	struct arena arena;	/* what cmd points to; freed with ioctl_free() */
};

/*
 * How many of the caller's bytes command NR reads, by its head: what follows them in BUF needs not be copied. The head
 * alone if it is broken.
 */
size_t ioctl_reads(unsigned nr, const uint8_t head[IOCTL_HEAD]);

/*
 * 0 and C->cmd, or the -errno that the ioctl returns. BUF's version is ours afterwards in either case, but for -ENOTTY
 * (no such command).
 */
int ioctl_decode(struct ioctl_call *c);

/* Must another command be run before the answer is whole (WAIT tells the status too)? Then C->cmd is that one. */
bool ioctl_more(struct ioctl_call *c);

/*
 * Writes the reply into BUF, BUFFER_FULL if it does not fit. Returns what the ioctl returns. After 0 the head's
 * data_size says how much of BUF is the answer.
 */
int ioctl_encode(struct ioctl_call *c);

void ioctl_free(struct ioctl_call *c);	/* and wipes what is secret, but for BUF */

#endif
