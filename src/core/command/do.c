/* SPDX-License-Identifier: BSD-2-Clause */
/* Where commands come in: finds the device, the handler and the right moment. See command.h and do.h. */
#include "core/command/do.h"

#include <errno.h>
#include <string.h>

#include "core/device/devices.h"
#include "core/device/event.h"
#include "core/command/linux.h"
#include "core/device/move.h"
#include "core/state/done.h"

static const struct verb {
	void (*run)(struct dm_cmd *c, struct dm_device *d);
	unsigned needs;		/* DM_NEEDS_* */
} verbs[DM_VERBS] = {
#define VERB(id, name, handler, needs, ...) [DM_DO_##id] = { dm_do_##handler, needs },
#include "core/command/verbs.list"
};

static bool named(const char *s)
{
	return s && *s;
}

static struct dm_device *find(struct dm_world *w, const struct dm_cmd *c)
{
	struct dm_device *d = NULL;

	if (c->has_minor)
		return c->major && c->major != w->major ? NULL : dm_find_minor(w, c->minor);
	if (named(c->name))
		d = dm_find_name_as(w, c->name, dm_mangling(c));
	if (!d && named(c->uuid))
		d = dm_find_uuid_as(w, c->uuid, dm_mangling(c));
	return d;
}

static bool new_is_taken(const struct dm_cmd *c)
{
	return (named(c->new_name) && dm_find_name_as(c->world, c->new_name, dm_mangling(c))) ||
	       (named(c->new_uuid) && dm_find_uuid_as(c->world, c->new_uuid, dm_mangling(c)));
}

static void fail_not_found(struct dm_cmd *c)
{
	if (dm_linux_looks_at_new_name_first(c) && new_is_taken(c))
		dm_fail(c, -EEXIST, "another device already has the %s '%.128s'", named(c->new_name) ? "name" : "uuid",
			named(c->new_name) ? c->new_name : c->new_uuid);
	else if (c->has_minor)
		dm_fail(c, -ENXIO, "no device has minor %u", c->minor);
	else if (named(c->name))
		dm_fail(c, -ENXIO, "no device is named '%.128s'", c->name);
	else if (named(c->uuid))
		dm_fail(c, -ENXIO, "no device has uuid '%.128s'", c->uuid);
	else
		dm_fail(c, -EINVAL, "no device was given: by name, by uuid or by minor");
}

bool dm_wait_until_moved(struct dm_cmd *c, struct dm_device *d)
{
	if (!d || !dm_device_moving(d))
		return false;
	c->device = d;
	list_append(&d->queue, &c->node);
	return true;
}

/* Also called again for a command that waited in a device's queue. */
static void do_start(struct dm_cmd *c)
{
	const struct verb *v = &verbs[c->verb];

	if (dm_done_answer(c))
		return;
	if (c->n_names && (v->needs & DM_NEEDS_GROUP))
		dm_move_group(c);
	else if (!(v->needs & DM_NEEDS_SETTLED) || !dm_wait_until_moved(c, c->device))
		v->run(c, c->device);
}

static void do_begin(struct dm_cmd *c)
{
	const struct verb *v = &verbs[c->verb];

	dm_events_count(c->world);
	if (dm_done_answer(c))
		return;
	if (c->n_names && (v->needs & DM_NEEDS_GROUP)) {
		dm_move_group(c);
		return;
	}
	c->device = v->needs & DM_NEEDS_FOUND ? find(c->world, c) : NULL;
	if ((v->needs & DM_NEEDS_FOUND) && !c->device)
		fail_not_found(c);
	else
		do_start(c);
}

static bool do_ask_fronts(struct dm_cmd *c);

/* It has waited for fronts. */
static void do_again(struct dm_cmd *c)
{
	c->catching_up = false;
	if (c->cancelled)
		dm_fail(c, -EINTR, "cancelled");
	else
		do_begin(c);
}

static void do_caught_up(struct loop_msg *msg)
{
	struct dm_cmd *c = container(msg, struct dm_cmd, caught_up);

	if (c->cancelled || !do_ask_fronts(c))
		do_again(c);
}

/* Does C have to wait until a front knows about all closes? The fronts are asked one after another. */
static bool do_ask_fronts(struct dm_cmd *c)
{
	struct dm_front *f;

	c->caught_up.run = do_caught_up;
	while ((f = dm_front_next(c->world, &c->caught)))
		if (f->catch_up && f->catch_up(f, &c->caught_up)) {
			c->catching_up = true;
			return true;
		}
	return false;
}

static bool do_catch_up(struct dm_cmd *c)
{
	return (verbs[c->verb].needs & DM_NEEDS_CLOSES) && !c->in_order && do_ask_fronts(c);
}

static void do_settled(struct dm_settle *s)
{
	do_again(container(s, struct dm_cmd, settle));
}

bool dm_settle(struct dm_cmd *c, const struct dm_device *d)
{
	if (!c->settled)
		c->catching_up = c->settled = dm_settle_start(&c->settle, d, do_settled);
	return c->catching_up;
}

void dm_do(struct dm_world *w, struct dm_cmd *c)
{
	c->world = w;
	c->start = do_start;
	c->finished = c->catching_up = c->cancelled = c->partly = c->recorded = c->settled = false;
	c->caught = 0;
	c->table = NULL;
	c->tables = NULL;
	c->n_tables = 0;
	c->installed = c->stepping = c->step_again = false;
	c->give_up = NULL;
	c->needs_freed = verbs[c->verb].needs & DM_NEEDS_FREED;
	c->closed = (struct dm_closing_wait){ .from = w->n_closings };
	c->reply = (struct dm_reply){ .err = ERR_INIT };
	c->device = NULL;
	list_init(&c->node);
	if (!do_catch_up(c))
		do_begin(c);
}

static struct dm_cmd *pending_not_cancelled(struct dm_world *w)
{
	struct list *n, *next;

	list_each(n, next, &w->pending)
		if (!container(n, struct dm_cmd, node)->cancelled)
			return container(n, struct dm_cmd, node);
	return NULL;
}

/* From the beginning after each, because that may have ended others. */
void dm_pending_cancel_all(struct dm_world *w)
{
	struct dm_cmd *c;

	while ((c = pending_not_cancelled(w))) {
		c->cancelled = true;
		dm_cancel(c);
	}
	while (!list_empty(&w->pending))
		loop_turn(w->loop, -1);
}

void dm_cancel(struct dm_cmd *c)
{
	if (c->finished)
		return;
	if (c->give_up) {
		dm_pending_cancel(c, -EINTR, "cancelled");
	} else if (c->catching_up) {
		c->cancelled = true;
	} else if (!list_empty(&c->node)) {
		list_remove(&c->node);
		dm_fail(c, -EINTR, "cancelled");
	} else {
		dm_move_cancel(c);
	}
}

static void now_done(struct dm_cmd *c)
{
	*(bool *)c->owner = true;
}

int dm_do_now(struct dm_world *w, struct dm_cmd *c)
{
	bool done = false;

	c->done = now_done;
	c->owner = &done;
	dm_do(w, c);
	while (!done)
		loop_turn(w->loop, -1);
	return c->reply.err.code;
}
