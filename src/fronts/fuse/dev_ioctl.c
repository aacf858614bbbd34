/* SPDX-License-Identifier: BSD-2-Clause */
/* ioctls on the io files of the view: how they reach the code that answers them, and how they return. See dev_call.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdlib.h>
#include <string.h>

#include "fronts/fuse/dev_call.h"

void fuse_dev_closed(struct fuse_file *file)
{
	dev_control_closed(file);
	dev_poll_closed(file);
	dev_loop_closed(file);
	dev_mounts_closed(file);
	dev_claim_closed(file);
	free(file->said);
}

/* The kernel checks this before anything else. But everybody may ask for the version. */
static bool call_allowed(const struct dev_call *c)
{
	bool asks = _IOC_TYPE(c->cmd) == DM_IOCTL && _IOC_NR(c->cmd) == DM_VERSION_CMD;

	return !c->file->dev->control || asks || dev_may_control(c->mount->view, c->tid);
}

static void call_go(struct dev_call *c)
{
	if (c->cmd == DMUSE_IOC_REMEMBER)
		dev_remember(c);
	else if (c->cmd == DMUSE_IOC_RECALL)
		dev_recall(c);
	else if (c->cmd == DMUSE_IOC_LOOP)
		dev_loop(c);
	else if (c->cmd == DMUSE_IOC_LOOPED)
		dev_looped(c);
	else if (c->cmd == DMUSE_IOC_MOUNTS)
		dev_mounts_take(c);
	else if (!call_allowed(c))
		dev_call_end(c, -EACCES, NULL, 0);
	else if (c->file->dev->loops)
		dev_loop_control(c);
	else if (c->file->dev->control && _IOC_TYPE(c->cmd) == DM_IOCTL)
		dev_control(c);
	else if (c->file->file)
		dev_block(c);
	else
		dev_call_end(c, -ENOTTY, NULL, 0);
}

static void call_run(struct loop_msg *msg)
{
	struct dev_call *c = container(msg, struct dev_call, msg);

	if (!dev_call_fetch(c, call_go))
		call_go(c);
}

static void call_settled(struct dm_settle *s)
{
	struct dev_call *c = container(s, struct dev_call, settle);
	struct fuse_mount *m = c->mount;

	list_remove(&c->node);
	c->settling = false;
	if (c->file)
		call_go(c);
	else
		dev_call_end(c, -EINTR, NULL, 0);
	m->n_jobs--;
	fuse_mount_unref(m);
}

bool dev_call_settle(struct dev_call *c, const struct dm_device *d)
{
	c->settling = d != c->settled && dm_settle_start(&c->settle, d, call_settled);
	if (!c->settling)
		return false;
	c->settled = d;
	list_append(&c->file->calls, &c->node);
	c->mount->n_jobs++;
	return true;
}

static struct dev_call *call_new(fuse_req_t req, unsigned cmd, void *arg, struct fuse_file *file, const void *in,
				 size_t in_size, size_t out_size)
{
	struct dev_call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct dev_call){ .msg.run = call_run, .mount = file->mount, .file = file, .req = req, .unique = fuse_unique(req),
				.tid = fuse_req_ctx(req)->pid, .cmd = cmd, .arg = (uint64_t)(uintptr_t)arg,
				.in_size = in_size < sizeof(c->in) ? in_size : sizeof(c->in), .out_size = out_size };
	list_init(&c->node);
	if (c->in_size)
		memcpy(c->in, in, c->in_size);
	return c;
}

void fuse_dev_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg, struct fuse_file_info *fi, unsigned flags,
		    const void *in, size_t in_size, size_t out_size)
{
	struct fuse_file *file;
	struct dev_call *c;

	if ((flags & FUSE_IOCTL_DIR) && cmd == DMUSE_IOC_MKNOD) {
		dev_mknod_ioctl(req, ino, in, in_size);
		return;
	}
	if (!fi->fh || (flags & FUSE_IOCTL_DIR)) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	file = fuse_file_of(req, fi);
	if (!file || dev_range(req, cmd, (uint64_t)(uintptr_t)arg, file))
		return;
	c = call_new(req, cmd, arg, file, in, in_size, out_size);
	if (c)
		loop_post(file->mount->front->world->loop, &c->msg);
	else
		fuse_reply_err(req, ENOMEM);
}
