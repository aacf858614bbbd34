/* SPDX-License-Identifier: BSD-2-Clause */
/* The way in for control: finds the device, the handler and the right moment. See command.h and do.h. */
#include "core/do.h"

#include <errno.h>
#include <string.h>

#include "core/devices.h"
#include "core/linux.h"
#include "core/move.h"

static const struct verb {
	void (*run)(struct dm_cmd *c, struct dm_device *d);
	unsigned needs;		/* DM_NEEDS_* */
} verbs[DM_VERBS] = {
#define VERB(id, name, handler, needs, ...) [DM_DO_##id] = { dm_do_##handler, needs },
#include "core/verbs.list"
};

/* As Linux counts: a device that is mapped onto D opens it once, though both its tables may use it. */
static uint32_t opens(const struct dm_device *d)
{
	uint32_t n = d->open_count - d->users;
	struct list *at, *next;

	if (d->users < 2)
		return d->open_count;
	list_each(at, next, &d->uses) {
		const struct dm_use *u = container(at, struct dm_use, node);
		const struct dm_device *on = u->table->device;

		n += on && !(u->table != on->active && dm_table_uses(on->active, d, u->store->readonly));
	}
	return n;
}

/* Who asks about the inactive table hears of that. */
static bool readonly_in(const struct dm_device *d, uint32_t flags)
{
	if (flags & DM_WITH_INACTIVE)
		return d->inactive && d->inactive->readonly;
	return dm_device_readonly(d) || d->locked;
}

void dm_info_fill(struct dm_info *i, const struct dm_device *d, uint32_t flags)
{
	const struct dm_table *slot = flags & DM_WITH_INACTIVE ? d->inactive : d->active;

	*i = (struct dm_info){
		.present = true, .major = d->major, .minor = d->minor,
		.suspended = dm_device_suspended(d), .readonly = readonly_in(d, flags), .deferred = d->deferred,
		.live = d->active, .inactive = d->inactive, .open_count = opens(d), .event_nr = d->event_nr,
		.target_count = slot ? (uint32_t)slot->n : 0, .sectors = dm_device_sectors(d),
		.has_read_ahead = d->loaded, .read_ahead = d->read_ahead,
	};
	strcpy(i->name, flags & DM_WITH_KERNEL_NAMES ? d->kernel_name : d->name);
	strcpy(i->uuid, flags & DM_WITH_KERNEL_NAMES ? d->kernel_uuid : d->uuid);
	strcpy(i->kernel_name, d->kernel_name);
	strcpy(i->kernel_uuid, d->kernel_uuid);
}

void dm_finish(struct dm_cmd *c)
{
	dm_table_free(c->table);
	c->table = NULL;
	if (c->device)
		dm_info_fill(&c->reply.info, c->device, c->flags);
	c->device = NULL;
	c->finished = true;
	list_append(&c->world->finished, &c->node);
	loop_defer(c->world->loop, &c->world->finishing);
}

void dm_run_finished(struct loop_work *work)
{
	struct dm_world *w = container(work, struct dm_world, finishing);
	struct list *n;

	while ((n = list_take(&w->finished))) {
		struct dm_cmd *c = container(n, struct dm_cmd, node);

		c->done(c);
	}
}

void dm_fail(struct dm_cmd *c, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(&c->reply.err, code, fmt, ap);
	va_end(ap);
	dm_finish(c);
}

static bool named(const char *s)
{
	return s && *s;
}

enum dm_mangle dm_mangling(const struct dm_cmd *c)
{
	if (c->flags & DM_WITH_KERNEL_NAMES)
		return DM_MANGLE_NONE;
	return c->flags & DM_WITH_HEX ? DM_MANGLE_HEX : DM_MANGLE_AUTO;
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
		dm_fail(c, -EEXIST, "another device has the %s '%.128s' already", named(c->new_name) ? "name" : "uuid",
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

void dm_start(struct dm_cmd *c)
{
	const struct verb *v = &verbs[c->verb];

	if (c->n_names)
		dm_move_group(c);
	else if ((v->needs & DM_NEEDS_STILL) && dm_device_moving(c->device))
		list_append(&c->device->queue, &c->node);
	else
		v->run(c, c->device);
}

static void do_begin(struct dm_cmd *c)
{
	const struct verb *v = &verbs[c->verb];

	if (c->n_names) {
		dm_move_group(c);
		return;
	}
	c->device = v->needs & DM_NEEDS_FOUND ? find(c->world, c) : NULL;
	if ((v->needs & DM_NEEDS_FOUND) && !c->device)
		fail_not_found(c);
	else
		dm_start(c);
}

static bool do_catch_up(struct dm_cmd *c);

static void do_caught_up(struct loop_msg *msg)
{
	struct dm_cmd *c = container(msg, struct dm_cmd, caught_up);

	c->catching_up = false;
	if (c->cancelled)
		dm_fail(c, -EINTR, "cancelled");
	else if (!do_catch_up(c))
		do_begin(c);
}

/* Does C have to wait until a front knows of all closes? One front is asked after the other. */
static bool do_catch_up(struct dm_cmd *c)
{
	struct list *n, *next;
	unsigned i = 0;

	if (!(verbs[c->verb].needs & DM_NEEDS_CLOSES) || c->in_order)
		return false;
	c->caught_up.run = do_caught_up;
	list_each(n, next, &c->world->fronts) {
		struct dm_front *f = container(n, struct dm_front, node);

		if (i++ < c->caught)
			continue;
		c->caught = i;
		c->catching_up = f->catch_up && f->catch_up(f, &c->caught_up);
		if (c->catching_up)
			return true;
	}
	return false;
}

void dm_do(struct dm_world *w, struct dm_cmd *c)
{
	c->world = w;
	c->finished = c->catching_up = c->cancelled = false;
	c->caught = 0;
	c->table = NULL;
	c->give_up = NULL;
	c->reply = (struct dm_reply){ .err = ERR_INIT };
	c->device = NULL;
	list_init(&c->node);
	if (!do_catch_up(c))
		do_begin(c);
}

void dm_under_way(struct dm_cmd *c, void *work, void (*give_up)(struct dm_cmd *c))
{
	c->under_way = work;
	c->give_up = give_up;
	list_append(&c->world->under_way, &c->node);
}

void dm_under_way_over(struct dm_cmd *c)
{
	list_remove(&c->node);
	c->give_up = NULL;
}

/* A reason that there is already stands. */
static void under_way_end(struct dm_cmd *c, int code, const char *why)
{
	if (!c->reply.err.code)
		err_set(&c->reply.err, code, "%s", why);
	c->give_up(c);
}

void dm_under_way_gone(struct dm_device *d)
{
	struct list *n, *next;

	list_each(n, next, &d->world->under_way) {
		struct dm_cmd *c = container(n, struct dm_cmd, node);

		if (c->device != d)
			continue;
		c->device = NULL;
		under_way_end(c, -ENXIO, "the device was removed meanwhile");
	}
}

void dm_under_way_stop(struct dm_world *w)
{
	struct list *n, *next;

	list_each(n, next, &w->under_way)
		dm_cancel(container(n, struct dm_cmd, node));
	while (!list_empty(&w->under_way))
		loop_turn(w->loop, -1);
}

void dm_cancel(struct dm_cmd *c)
{
	if (c->finished)
		return;
	if (c->give_up) {
		under_way_end(c, -EINTR, "cancelled");
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

bool dm_cmd_has_room(struct dm_cmd *c, size_t n)
{
	return !c->room || c->room(c, n);
}

void dm_reply_free(struct dm_reply *r)
{
	text_free(&r->warnings);
	text_free(&r->said);
	arena_free(&r->arena);
}
