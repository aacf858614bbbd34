/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ioctl on an io file of the view, from its arrival to its answer. It arrives on the io thread and is carried out
 * on the control thread, in the order of arrival of everything that concerns names and devices.
 *
 * A command that has to wait can be interrupted. Interrupts arrive on the io thread, so such a command is answered
 * there: an interrupt then never meets a call that is gone.
 */
#ifndef FRONTS_FUSE_DEV_CALL_H
#define FRONTS_FUSE_DEV_CALL_H

#include <stdalign.h>

#include "core/device/settle.h"
#include "core/state/done.h"
#include "fronts/fuse/dev.h"
#include "fronts/fuse/dev_private.h"
#include "proto/ioctl.h"

struct dev_call {
	struct loop_msg msg, cancel, over;
	struct list node;		/* in its file's calls; control thread only */
	struct fuse_mount *mount;
	struct fuse_file *file;		/* NULL: it was closed meanwhile */
	struct dm_settle settle;
	bool settling;			/* dev_call_settle() has it wait ... */
	const struct dm_device *settled;	/* ... for this one, or has had; or NULL */
	fuse_req_t req;
	uint64_t unique;		/* of the request */
	pid_t tid;			/* the thread to whose memory ARG points */
	unsigned cmd;
	uint64_t arg;
	size_t in_size, out_size;	/* bytes that the kernel has copied for us, and will copy */
	alignas(8) uint8_t in[IOCTL_HEAD];

	/* A command of the device-mapper. */
	struct ioctl_call dm;
	char id[DM_ID_MAX + 1];		/* of the command, for later daemons; or "" */
	size_t room;			/* of dm.buf */
	int result;
	bool slow;			/* it is answered on the io thread */
	bool cancelling;		/* the io thread's: a cancellation is on its way */
};

/* dev_ioctl.c: ends C with 0 or -errno; with 0, N bytes are copied to where its argument points. */
void dev_call_end(struct dev_call *c, int result, const void *out, size_t n);

/*
 * C is about to be refused because a program has D open. True: one that has closed it may not be known yet, and C is begun again when
 * it is. False: D is open, and that is known.
 */
bool dev_call_settle(struct dev_call *c, const struct dm_device *d);

/* dev_control.c: Linux's dm ioctls. */
void dev_control(struct dev_call *c);
void dev_control_closed(struct fuse_file *file);

/* dev_block.c: ioctls of block devices. */
void dev_block(struct dev_call *c);

/* dev_parts.c: BLKRRPART and BLKPG; they end C, perhaps later. */
void dev_parts_read(struct dev_call *c, struct fuse_node *n);
void dev_parts_change(struct dev_call *c, struct fuse_node *n);

/* dev_claim.c: the supervisor's own. */
void dev_remember(struct dev_call *c);
void dev_recall(struct dev_call *c);
void dev_claim_closed(struct fuse_file *file);

/* dev_loop.c: loop devices on io files. */
void dev_loop(struct dev_call *c);
void dev_looped(struct dev_call *c);
void dev_loop_closed(struct fuse_file *file);

/* dev_loopdev.c: the session's own loop devices. False: it is no ioctl of theirs; else C is answered, or will be. */
void dev_loop_control(struct dev_call *c);
bool dev_loopdev(struct dev_call *c, struct dm_device *d);

/* dev_mounts.c: FILE shows the kernel's list FD, which it takes over; 0 or -errno. */
int dev_mounts_begin(struct fuse_file *file, int fd);

/* dev_mounts_take.c */
void dev_mounts_take(struct dev_call *c);
void dev_mounts_leave(struct fuse_file *file);	/* it is being closed */

/*
 * dev_say.c: prints one line on the caller's stderr. Runs THEN when that is done or has taken too long; false: there is
 * nothing to wait for, and THEN is not run. On the control thread.
 */
bool dev_say(struct dev_call *c, const char *text, void (*then)(struct dev_call *c));

/* dev_poll.c */
void dev_poll_tell(struct fuse_file *file);	/* wakes whoever polls it */
void dev_poll_arm(struct fuse_file *file);
void dev_poll_closed(struct fuse_file *file);

/* dev_range.c: true: it is an ioctl on a range of data, and is being answered. On the io thread. */
bool dev_range(fuse_req_t req, unsigned cmd, uint64_t arg, struct fuse_file *file);

#endif
