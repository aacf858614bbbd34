/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the control thread has to know of a close. A close that has returned is in the kernel's queue, and is known when that has been
 * read. But while the kernel still reads ahead for the file, its close comes after that, and until then the device looks open. So
 * whoever is about to say that a device is in use waits for those reads first: fuse_settle(). For a file that somebody really has
 * open as many reads are waited for as are under way; new ones do not count.
 */
#include <stdlib.h>

#include "fronts/fuse/server.h"

#define SETTLE_MOST (5 * TIMERS_SECOND)	/* reads that hang do not keep the answer back for ever */

struct catch_up {
	struct loop_msg msg;
	struct fuse_front *front;
	struct loop_msg *then;

	/* A fuse_settle()'s. The io thread's. */
	const struct fuse_node *node;
	struct list waiting;		/* in front->settling */
	struct timer patience;
};

static void catch_up_over(struct loop_msg *msg)
{
	struct catch_up *c = container(msg, struct catch_up, msg);
	struct fuse_front *f = c->front;

	c->then->run(c->then);
	free(c);
	f->n_jobs--;
	fuse_front_check_stopped(f);
}

/* On the io thread: a close that has returned is in the kernel's queue by now. */
static void catch_up_read(struct loop_msg *msg)
{
	struct catch_up *c = container(msg, struct catch_up, msg);
	struct list *pos, *next;

	list_each(pos, next, &c->front->live)
		fuse_session_catch_up(container(pos, struct fuse_mount, live));
	c->msg.run = catch_up_over;
	loop_post(c->front->world->loop, &c->msg);
}

static bool catch_up_begin(struct fuse_front *f, const struct fuse_node *node, void (*run)(struct loop_msg *msg), struct loop_msg *then)
{
	struct catch_up *c = f->n_open ? malloc(sizeof(*c)) : NULL;

	if (!c)
		return false;
	*c = (struct catch_up){ .msg.run = run, .front = f, .then = then, .node = node };
	f->n_jobs++;
	loop_post(f->io->loop, &c->msg);
	return true;
}

/* An open is counted here before its program knows of it, so only closes can be outstanding. */
bool fuse_catch_up(struct dm_front *front, struct loop_msg *then)
{
	return catch_up_begin(container(front, struct fuse_front, front), NULL, catch_up_read, then);
}

/* Not at once: this may be in the middle of answering the last read. */
static void settled(struct catch_up *c)
{
	timer_stop(&c->patience);
	list_remove(&c->waiting);
	c->msg.run = catch_up_read;
	loop_post(c->front->io->loop, &c->msg);
}

static void settle_took_too_long(struct timer *t)
{
	settled(container(t, struct catch_up, patience));
}

static void settle_check(struct fuse_front *f)
{
	struct list *pos, *next;

	if (f->n_awaited)
		return;
	list_each(pos, next, &f->settling)
		settled(container(pos, struct catch_up, waiting));
}

static void settle_await(struct fuse_file *file)
{
	if (!file->awaited && file->n_ahead)
		file->mount->front->n_awaited++;
	file->awaited = file->n_ahead;
}

static void settle_begin(struct loop_msg *msg)
{
	struct catch_up *c = container(msg, struct catch_up, msg);
	struct list *pos, *next, *file, *next_file;

	list_each(pos, next, &c->front->live)
		list_each(file, next_file, &container(pos, struct fuse_mount, live)->files)
			if (container(file, struct fuse_file, node)->file == c->node)
				settle_await(container(file, struct fuse_file, node));
	list_append(&c->front->settling, &c->waiting);
	timer_init(&c->patience, settle_took_too_long);
	loop_timer(c->front->io->loop, &c->patience, SETTLE_MOST);
	settle_check(c->front);
}

bool fuse_settle(struct dm_front *front, const struct dm_device *d, struct loop_msg *then)
{
	struct fuse_front *f = container(front, struct fuse_front, front);
	const struct fuse_node *node = fuse_node_known(f, d);

	return node && catch_up_begin(f, node, settle_begin, then);
}

void fuse_read_ended(struct fuse_file *file)
{
	struct fuse_front *f = file->mount->front;

	file->n_ahead--;
	if (!file->awaited || --file->awaited)
		return;
	f->n_awaited--;
	settle_check(f);
}
