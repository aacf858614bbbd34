/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying from and to the memory of a program that makes an ioctl, beyond what the kernel copies by itself. The memory may not answer: it
 * may be a mapped file of a file system whose server hangs (or of ours, whose requests then come to the thread that copies), or be
 * filled in by a program (userfaultfd(2)). So a helper thread copies, and after some time the call fails as with memory that is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "fronts/fuse/dev_call.h"

static void copy_work(struct blocking_call *call)
{
	struct dev_call *c = container(call, struct dev_call, copy);

	c->copied = c->copy_run(c);
}

/* Nobody waits for the helper thread any more. */
static void copy_leave(struct dev_call *c)
{
	timer_stop(&c->copy_bound);
	list_remove(&c->node);
	c->copying = false;
	c->mount->n_jobs--;
}

static void copy_done(struct blocking_call *call)
{
	struct dev_call *c = container(call, struct dev_call, copy);
	struct fuse_mount *m = c->mount;

	if (!c->copying) {
		dev_call_free(c);
		return;
	}
	copy_leave(c);
	c->copy_then(c);
	fuse_mount_unref(m);
}

static void copy_drop(struct blocking_call *call)
{
	dev_call_free(container(call, struct dev_call, copy));
}

void dev_copy_give_up(struct dev_call *c)
{
	struct fuse_mount *m = c->mount;

	copy_leave(c);
	fuse_reply_err(c->req, EFAULT);
	if (blocking_give_up(m->front->world->helpers, &c->copy))
		dev_call_free(c);
	fuse_mount_unref(m);
}

static void copy_is_late(struct timer *t)
{
	dev_copy_give_up(container(t, struct dev_call, copy_bound));
}

static void copy_begin(struct dev_call *c)
{
	struct dm_world *w = c->mount->front->world;

	c->copying = true;
	c->mount->n_jobs++;
	if (c->file)
		list_append(&c->file->calls, &c->node);
	if (w->open_timeout)
		loop_timer(w->loop, &c->copy_bound, w->open_timeout);
}

void dev_copy(struct dev_call *c, int (*run)(struct dev_call *c), void (*then)(struct dev_call *c))
{
	int r;

	c->copy_run = run;
	c->copy_then = then;
	c->copy = (struct blocking_call){ .call = copy_work, .done = copy_done, .drop = copy_drop };
	list_init(&c->copy.node);
	timer_init(&c->copy_bound, copy_is_late);
	r = blocking_start(c->mount->front->world->helpers, &c->copy);
	if (!r) {
		copy_begin(c);		/* c->copied is the helper thread's now */
	} else {
		c->copied = r;
		then(c);
	}
}

/* --- what a call brings -------------------------------------------------------------------------------------------- */

static size_t fetch_loop(unsigned cmd)
{
	switch (cmd) {
	case LOOP_CONFIGURE:
		return sizeof(struct loop_config);
	case LOOP_SET_STATUS64:
		return sizeof(struct loop_info64);
	case LOOP_SET_STATUS:
		return sizeof(struct loop_info);
	default:
		return 0;
	}
}

/* Bytes at its argument that it reads in any case. */
static size_t fetch_size(const struct dev_call *c)
{
	if (c->file->dev->control)
		return _IOC_TYPE(c->cmd) == DM_IOCTL ? IOCTL_HEAD : 0;
	if (!c->file->file)
		return 0;
	if (c->cmd == BLKBSZSET || c->cmd == BLKROSET)
		return sizeof(int);
	if (c->cmd == BLKPG)
		return sizeof(struct dev_parts_arg);
	return c->file->file->device->loopdev ? fetch_loop(c->cmd) : 0;
}

/* BLKPG's points to the second half of what is needed. */
static int fetch_parts(struct dev_call *c)
{
	struct dev_parts_arg *a = (struct dev_parts_arg *)(void *)c->in;
	int r = process_peek(AT_FDCWD, c->tid, c->arg, &a->arg, sizeof(a->arg));

	return r ? r : process_peek(AT_FDCWD, c->tid, (uint64_t)(uintptr_t)a->arg.data, &a->part, sizeof(a->part));
}

static int fetch_run(struct dev_call *c)
{
	return c->cmd == BLKPG ? fetch_parts(c) : process_peek(AT_FDCWD, c->tid, c->arg, c->in, c->in_size);
}

static void fetch_over(struct dev_call *c)
{
	c->in_err = c->copied;
	c->fetched(c);
}

bool dev_call_fetch(struct dev_call *c, void (*then)(struct dev_call *c))
{
	size_t n = fetch_size(c);

	if (n <= c->in_size)
		return false;
	c->in_size = n;
	c->fetched = then;
	dev_copy(c, fetch_run, fetch_over);
	return true;
}

int dev_call_in(const struct dev_call *c, void *to, size_t n)
{
	if (c->in_err)
		return c->in_err;
	memcpy(to, c->in, n);
	return 0;
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

static void call_reply(struct dev_call *c, int result, const void *out, size_t n)
{
	if (result)
		fuse_reply_err(c->req, -result);
	else
		fuse_reply_ioctl(c->req, 0, out, n);
	free(c);
}

static int put_run(struct dev_call *c)
{
	return process_poke(AT_FDCWD, c->tid, c->arg, c->in, c->in_size);
}

static void put_over(struct dev_call *c)
{
	call_reply(c, c->copied, NULL, 0);
}

void dev_call_end(struct dev_call *c, int result, const void *out, size_t n)
{
	if (result || n <= c->out_size) {
		call_reply(c, result, out, n);
		return;
	}
	memcpy(c->in, out, n);
	c->in_size = n;
	dev_copy(c, put_run, put_over);
}
