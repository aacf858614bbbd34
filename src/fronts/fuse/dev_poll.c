/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll() on /dev/mapper/control: it becomes readable when something has happened to any device since DM_DEV_ARM_POLL
 * (or since the open), as in the kernel. A list of mounts has its own conditions (dev_mounts.c). Other files of the
 * view are always ready.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "fronts/fuse/dev_call.h"
#include "fronts/fuse/raw.h"

struct poll_ask {
	struct loop_msg msg;
	struct fuse_file *file;
	fuse_req_t req;
	uint64_t handle;		/* 0: the kernel need not be notified */
};

static void poll_forget(struct fuse_file *file)
{
	list_remove(&file->polls);
	file->polled = false;
}

/* It is the same as long as the file is open. */
static void poll_number(struct fuse_file *file, uint64_t number)
{
	if (file->poll == number)
		return;
	file->poll = number;
	fuse_state_open(file);
	fuse_state_commit(file->mount->front);
}

static void poll_answer(struct loop_msg *msg)
{
	struct poll_ask *a = container(msg, struct poll_ask, msg);
	struct fuse_file *file = a->file;
	struct fuse_front *f = file->mount->front;
	unsigned ready;

	if (a->handle) {
		poll_forget(file);
		poll_number(file, a->handle);
		file->polled = true;
		if (file->dev->control)
			list_append(&f->polls, &file->polls);
	}
	if (file->dev->control)
		ready = (int32_t)(f->events - file->events) > 0 ? POLLIN : 0;
	else
		ready = dev_mounts_poll(file, a->handle);
	fuse_reply_poll(a->req, ready);
	free(a);
}

void dev_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *handle)
{
	struct fuse_file *file = fuse_file_of(req, fi);
	struct poll_ask *a = file && (file->dev->control || file->dev->mounts) ? malloc(sizeof(*a)) : NULL;

	(void)ino;
	if (a) {
		*a = (struct poll_ask){ .msg.run = poll_answer, .file = file, .req = req,
					.handle = handle ? fuse_raw_poll(file->mount->buf.mem) : 0 };
		loop_post(file->mount->front->world->loop, &a->msg);
	}
	if (handle)
		fuse_pollhandle_destroy(handle);
	if (file && !a)
		fuse_reply_poll(req, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

void dev_poll_tell(struct fuse_file *file)
{
	if (file->polled)
		fuse_raw_wake(fuse_session_fd(file->mount->session), file->poll);
	poll_forget(file);
}

void dev_poll_event(struct fuse_front *f)
{
	struct list *n;

	f->events++;
	while ((n = list_take(&f->polls)))
		dev_poll_tell(container(n, struct fuse_file, polls));
}

void dev_poll_arm(struct fuse_file *file)
{
	file->events = file->mount->front->events;
}

void dev_poll_closed(struct fuse_file *file)
{
	poll_forget(file);
}
