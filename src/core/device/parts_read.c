/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a disk's partitions again: see parts.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/command/do.h"
#include "core/device/loopdev.h"
#include "core/device/parts.h"

struct parts_reading {
	struct dm_cmd *cmd;		/* NULL: given up */
	struct blocking_call call;
	struct timer bound;
	int (*read)(int fd, uint32_t block, struct dm_parts *out);
	int fd;
	uint32_t block;
	int r;
	struct dm_parts found;
};

/* What has the label; NULL: there is none that is looked at. */
static const struct dm_store *parts_store(const struct dm_device *disk)
{
	const struct dm_store *s = disk->active && !disk->active->lost ? disk->active->stores[0] : NULL;

	return s && !dm_loop_start(disk) && s->type->parts ? s : NULL;
}

int dm_parts_read(struct dm_device *disk, struct text *warnings, struct err *e)
{
	const struct dm_store *s = dm_part_in_use(disk) ? NULL : parts_store(disk);
	struct dm_parts found = { .n = 0 };
	int fd = s ? s->type->parts_fd(s) : -1, r = s && fd < 0 ? fd : 0;

	if (fd >= 0) {
		r = s->type->parts(fd, s->limits.logical, &found);
		close(fd);
	}
	return dm_parts_set(disk, &found, r, warnings, e);
}

/* Closing it may block, too. */
static void reading_work(struct blocking_call *call)
{
	struct parts_reading *p = container(call, struct parts_reading, call);

	p->r = p->read(p->fd, p->block, &p->found);
	close(p->fd);
}

static void reading_done(struct blocking_call *call)
{
	struct parts_reading *p = container(call, struct parts_reading, call);
	struct dm_cmd *c = p->cmd;

	timer_stop(&p->bound);
	if (c) {
		dm_pending_done(c);
		dm_parts_set(c->device, &p->found, p->r, NULL, &c->reply.err);
		dm_finish(c);
	}
	free(p);
}

static void reading_drop(struct blocking_call *call)
{
	free(container(call, struct parts_reading, call));
}

/* The reading goes on, unless it has not begun. */
static void reading_give_up(struct dm_cmd *c)
{
	struct parts_reading *p = c->pending;

	timer_stop(&p->bound);
	p->cmd = NULL;
	if (blocking_give_up(c->world->helpers, &p->call)) {
		close(p->fd);
		free(p);
	}
	dm_pending_done(c);
	dm_finish(c);
}

static void reading_is_late(struct timer *t)
{
	struct parts_reading *p = container(t, struct parts_reading, bound);

	dm_pending_cancel(p->cmd, -ETIMEDOUT, "its partitions cannot be read: its file system does not answer");
}

/* C is pending; or it has an error. */
static int reading_start(struct parts_reading *p, const struct dm_store *s, struct dm_cmd *c)
{
	struct dm_world *w = c->world;

	p->fd = s->type->parts_fd(s);
	if (p->fd < 0)
		return err_set(&c->reply.err, p->fd, "the partitions of '%.200s' cannot be read", s->name);
	p->cmd = c;
	p->read = s->type->parts;
	p->block = s->limits.logical;
	p->call.call = reading_work;
	p->call.done = reading_done;
	p->call.drop = reading_drop;
	list_init(&p->call.node);
	timer_init(&p->bound, reading_is_late);
	if (blocking_start(w->helpers, &p->call)) {
		close(p->fd);
		return err_set(&c->reply.err, -EAGAIN, "the system cannot start a thread that reads partitions");
	}
	if (w->open_timeout)
		loop_timer(w->loop, &p->bound, w->open_timeout);
	dm_pending(c, p, reading_give_up);
	return 0;
}

void dm_parts_read_again(struct dm_device *disk, struct dm_cmd *c)
{
	const struct dm_store *s = parts_store(disk);
	const struct dm_device *user = dm_part_in_use(disk);
	struct parts_reading *p = NULL;
	struct dm_parts none = { .n = 0 };

	if (user)
		err_set(&c->reply.err, -EBUSY, "'%s' is in use", user->name);
	else if (disk->active && disk->active->lost)
		dm_parts_wait(disk, &c->reply.err);
	else if (!s)
		dm_parts_set(disk, &none, 0, NULL, &c->reply.err);
	else if (!(p = calloc(1, sizeof(*p))))
		err_set(&c->reply.err, -ENOMEM, "no memory to read partitions");
	else if (!reading_start(p, s, c)) {
		c->device = disk;
		return;
	}
	free(p);
	dm_finish(c);
}
