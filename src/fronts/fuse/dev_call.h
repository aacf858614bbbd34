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

#include <linux/blkpg.h>
#include <stdalign.h>

#include "base/blocking.h"
#include "core/device/settle.h"
#include "core/state/done.h"
#include "fronts/fuse/dev.h"
#include "fronts/fuse/dev_private.h"
#include "proto/ioctl.h"

/* BLKPG's argument, and what that points to. */
struct dev_parts_arg {
	struct blkpg_ioctl_arg arg;
	struct blkpg_partition part;
};

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
	size_t in_size, out_size;	/* bytes that the kernel has copied for us, or we; and that the kernel will copy */
	int in_err;			/* 0 or -errno: they could not be copied */
	alignas(8) uint8_t in[IOCTL_HEAD];

	/* dev_copy.c's. */
	struct blocking_call copy;
	struct timer copy_bound;
	int (*copy_run)(struct dev_call *c);
	void (*copy_then)(struct dev_call *c), (*fetched)(struct dev_call *c);
	int copied;
	bool copying;			/* somebody waits for it */

	/* A command of the device-mapper. */
	struct ioctl_call dm;
	char id[DM_ID_MAX + 1];		/* of the command, for later daemons; or "" */
	size_t room;			/* of dm.buf */
	int result;
	bool slow;			/* it is answered on the io thread */
	bool cancelling;		/* the io thread's: a cancellation is on its way */
};

/*
 * dev_copy.c. Ends C with 0 or -errno; with 0, N bytes are copied to where its argument points: no more than C->in has room for.
 */
void dev_call_end(struct dev_call *c, int result, const void *out, size_t n);
/* Calls RUN on a helper thread, where it may copy from and to the caller's memory, then THEN, with its result in C->copied. */
void dev_copy(struct dev_call *c, int (*run)(struct dev_call *c), void (*then)(struct dev_call *c));
/* The caller is answered, and THEN is not called. */
void dev_copy_give_up(struct dev_call *c);
/* True: what C's argument points to is not copied yet, and THEN is called when it is. */
bool dev_call_fetch(struct dev_call *c, void (*then)(struct dev_call *c));
/* Its first N bytes: 0 or -errno. */
int dev_call_in(const struct dev_call *c, void *to, size_t n);

/*
 * C is about to be refused because a program has D open. True: one that has closed it may not be known yet, and C is begun again when
 * it is. False: D is open, and that is known.
 */
bool dev_call_settle(struct dev_call *c, const struct dm_device *d);

/* dev_control.c: Linux's dm ioctls. */
void dev_control(struct dev_call *c);
void dev_call_free(struct dev_call *c);		/* with what it has of a command's; any thread */
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
