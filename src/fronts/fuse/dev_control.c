/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's dm ioctls on /dev/mapper/control: the caller's buffer is read, becomes a command, and is written back with
 * the answer. As in the kernel, the version is set also after a failure, and the reason of a failure is in the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "core/table/place.h"
#include "fronts/fuse/dev_call.h"

#define CONTROL_ROOM ((size_t)1 << 30)	/* no caller's buffer is larger */

static const struct dm_ioctl *control_head(const struct dev_call *c)
{
	return (const struct dm_ioctl *)(const void *)c->in;
}

static bool control_secret(const struct dev_call *c)
{
	return control_head(c)->flags & DM_SECURE_DATA_FLAG;
}

static void control_free(struct dev_call *c)
{
	if (c->dm.buf)
		explicit_bzero(c->dm.buf, c->room);	/* not every caller marks a key as secret */
	ioctl_free(&c->dm);
	free(c->dm.buf);
	c->dm.buf = NULL;
}

void dev_call_free(struct dev_call *c)
{
	control_free(c);
	free(c);
}

/*
 * Wipes a secret in the caller's buffer; ours is wiped when it is freed. When the command is carried out: it may have to
 * be read once more, by a later daemon.
 */
static int control_wipe(struct dev_call *c)
{
	size_t reads = ioctl_reads(c->dm.nr, c->in), at, n;
	static const uint8_t zeros[4096];
	int r = 0;

	for (at = IOCTL_HEAD; !r && control_secret(c) && at < reads; at += n) {
		n = reads - at < sizeof(zeros) ? reads - at : sizeof(zeros);
		r = process_poke(AT_FDCWD, c->tid, c->arg + at, zeros, n);
	}
	return r;
}

/* Writes the answer: we copy what follows the head. The head is copied by FUSE, or also by us. */
static int control_write(struct dev_call *c)
{
	const struct dm_ioctl *h = (const struct dm_ioctl *)(const void *)c->dm.buf;

	if (c->result)
		return c->result == -ENOTTY ? 0 : process_poke(AT_FDCWD, c->tid, c->arg, h->version, sizeof(h->version));
	if (h->data_size <= IOCTL_HEAD)
		return 0;
	return process_poke(AT_FDCWD, c->tid, c->arg + IOCTL_HEAD, c->dm.buf + IOCTL_HEAD, h->data_size - IOCTL_HEAD);
}

/* What follows the head is copied on a helper thread. */
static int control_put(struct dev_call *c)
{
	int r = control_wipe(c);

	return r ? r : control_write(c);
}

static void control_replied(struct dev_call *c)
{
	uint8_t head[IOCTL_HEAD];

	memcpy(head, c->dm.buf, sizeof(head));
	control_free(c);
	dev_call_end(c, c->result ? c->result : c->copied, head, sizeof(head));
}

static bool control_puts(const struct dev_call *c)
{
	const struct dm_ioctl *h = (const struct dm_ioctl *)(const void *)c->dm.buf;

	return control_secret(c) || (c->result ? c->result != -ENOTTY : h->data_size > IOCTL_HEAD);
}

static void control_reply(struct dev_call *c)
{
	c->copied = 0;
	if (control_puts(c))
		dev_copy(c, control_put, control_replied);
	else
		control_replied(c);
}

static void control_end(struct dev_call *c)
{
	struct fuse_mount *m = c->mount;

	control_reply(c);
	m->n_jobs--;
	fuse_mount_unref(m);
}

/* Back on the control thread, after any cancellation that was on its way. */
static void control_gone(struct loop_msg *msg)
{
	control_end(container(msg, struct dev_call, over));
}

/* On the io thread: no interrupt arrives after this. */
static void control_settle(struct loop_msg *msg)
{
	struct dev_call *c = container(msg, struct dev_call, over);

	fuse_req_interrupt_func(c->req, NULL, NULL);
	c->over.run = control_gone;
	loop_post(c->mount->front->world->loop, &c->over);
}

static void control_over(struct dev_call *c)
{
	list_remove(&c->node);
	if (!c->slow) {
		control_end(c);
		return;
	}
	c->over.run = control_settle;
	loop_post(c->mount->front->io->loop, &c->over);
}

/*
 * Prints why a command was refused: true if control_over() is called when that is done. Queries are refused often, and
 * expect to be.
 */
static bool control_say(struct dev_call *c, const struct err *e)
{
	const struct dm_info *i = &c->dm.cmd.reply.info;
	char text[2 * ERR_TEXT];

	if (!e->code || e->code == -EINTR || (c->dm.nr != DM_TABLE_LOAD_CMD && c->dm.nr != DM_TARGET_MSG_CMD))
		return false;
	snprintf(text, sizeof(text), "%s%s%s", i->present ? i->name : "", i->present ? ": " : "", e->text);
	log_warn("%s", text);
	return dev_say(c, text, control_over);
}

static void control_done(struct dm_cmd *cmd);

static void control_do(struct dev_call *c)
{
	c->dm.cmd.done = control_done;
	c->dm.cmd.owner = c;
	c->dm.cmd.in_order = c->mount->front->n_mounts == 1;
	dm_do(c->mount->front->world, &c->dm.cmd);
}

static void control_done(struct dm_cmd *cmd)
{
	struct dev_call *c = cmd->owner;
	bool saying;

	if (ioctl_more(&c->dm)) {
		control_do(c);
		return;
	}
	saying = control_say(c, &cmd->reply.err);
	c->result = ioctl_encode(&c->dm);
	if (!c->result && c->dm.nr == DM_DEV_ARM_POLL_CMD && c->file)
		dev_poll_arm(c->file);
	if (!saying)
		control_over(c);
}

static void control_cancel(struct loop_msg *msg)
{
	dm_cancel(&container(msg, struct dev_call, cancel)->dm.cmd);
}

/* On the io thread: the caller got a signal. */
static void control_interrupted(fuse_req_t req, void *arg)
{
	struct dev_call *c = arg;

	(void)req;
	if (c->cancelling)
		return;
	c->cancelling = true;
	c->cancel.run = control_cancel;
	loop_post(c->mount->front->world->loop, &c->cancel);
}

static void control_listen(struct loop_msg *msg)
{
	struct dev_call *c = container(msg, struct dev_call, msg);

	fuse_req_interrupt_func(c->req, control_interrupted, c);
}

/* What a path in a table means to the caller: below /dev, or through a link to there, what the session has. */
static struct dm_device *control_resolve(struct dm_cmd *cmd, const struct dm_place *place)
{
	struct fuse_front *f = ((const struct dev_call *)cmd->owner)->mount->front;

	if (place->block)
		return dm_find_number(f->world, place->major, place->minor);
	return place->dev ? fuse_dev_resolve(f, place->dev) : NULL;
}

/* Relative paths in a table start at the caller's directory. */
static void control_cwd(struct dev_call *c)
{
	char link[40], path[PATH_MAX];
	ssize_t n;

	if (!c->dm.cmd.n_lines)
		return;
	snprintf(link, sizeof(link), "/proc/%d/cwd", (int)c->tid);
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0 && *path == '/')
		c->dm.cmd.cwd = arena_strndup(&c->dm.arena, path, (size_t)n);
}

/*
 * As much of the caller's buffer as the command needs; the rest is zero, so that no memory of ours leaves with an
 * answer. A command that an earlier daemon has carried out needs the head, which the kernel has: what follows that may be
 * wiped by now, or be the answer already.
 */
static size_t control_reads(const struct dev_call *c)
{
	return c->dm.done ? IOCTL_HEAD : ioctl_reads(c->dm.nr, c->in);
}

static int control_room(struct dev_call *c)
{
	const struct dm_ioctl *h = control_head(c);

	if (c->in_err)
		return c->in_err;
	c->room = h->data_size > IOCTL_HEAD ? h->data_size : IOCTL_HEAD;
	c->dm.buf = c->room <= CONTROL_ROOM ? calloc(1, c->room) : NULL;
	if (!c->dm.buf)
		return -ENOMEM;
	c->dm.size = c->room;
	memcpy(c->dm.buf, c->in, IOCTL_HEAD);
	return 0;
}

static int control_fetch(struct dev_call *c)
{
	return process_peek(AT_FDCWD, c->tid, c->arg + IOCTL_HEAD, c->dm.buf + IOCTL_HEAD, control_reads(c) - IOCTL_HEAD);
}

static void control_fail(struct dev_call *c, int r)
{
	control_free(c);
	dev_call_end(c, r, NULL, 0);
}

/* A command that ends at once is answered at once. */
static void control_start(struct dev_call *c)
{
	control_cwd(c);
	c->dm.cmd.id = *c->id ? c->id : NULL;
	c->dm.cmd.resolve = control_resolve;
	c->dm.cmd.caller = (int)c->tid;
	list_append(&c->file->calls, &c->node);
	c->mount->n_jobs++;
	control_do(c);
	if (c->dm.cmd.finished)
		return;
	c->slow = true;
	c->msg.run = control_listen;
	loop_post(c->mount->front->io->loop, &c->msg);
}

/* The whole command is here. */
static void control_begin(struct dev_call *c)
{
	if (c->copied) {
		control_fail(c, c->copied);
		return;
	}
	c->result = ioctl_decode(&c->dm);
	if (c->result)
		control_reply(c);
	else
		control_start(c);
}

void dev_control(struct dev_call *c)
{
	int r;

	c->dm.nr = _IOC_NR(c->cmd);
	fuse_done_id(c->mount, c->unique, c->id);
	c->dm.done = *c->id && dm_done_is(c->mount->front->world, c->id);
	r = control_room(c);
	c->copied = 0;
	if (r)
		control_fail(c, r);
	else if (control_reads(c) > IOCTL_HEAD)
		dev_copy(c, control_fetch, control_begin);
	else
		control_begin(c);
}

void dev_control_closed(struct fuse_file *file)
{
	struct list *n;

	while ((n = list_take(&file->calls))) {
		struct dev_call *c = container(n, struct dev_call, node);

		c->file = NULL;
		if (c->copying)
			dev_copy_give_up(c);
		else if (!c->settling)
			dm_cancel(&c->dm.cmd);
	}
}
